#include "table.hh"

#include <algorithm>
#include <array>

#include "hodo/base/text.hh"

namespace hodo::bench {

namespace {

constexpr std::size_t column_count = 7;
using Cells = std::array<std::string, column_count>;

/// Three significant digits, large numbers in millions.
std::string short_number(double value) {
    if (value >= 1e6) return short_number(value / 1e6) + " M";
    const int digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return base::format("{:.{}f}", value, digits);
}

/// A goal as it was set, without zeros at its end.
std::string plain_number(double value) {
    return value >= 1e6 ? base::format("{} M", value / 1e6) : base::format("{}", value);
}

std::optional<double> ratio(std::optional<double> here, std::optional<double> there,
                            const Row& row) {
    if (!here || !there || *here <= 0 || *there <= 0) return std::nullopt;
    return row.smaller_is_better ? *there / *here : *here / *there;
}

std::string shown(std::optional<double> number) {
    return number ? short_number(*number) : "";
}

std::string goal_of(const Row& row) {
    const auto value = plain_number(row.goal->value);
    switch (row.goal->of) {
        case GoalOf::plain_ratio:
            return "ratio at least " + value;
        case GoalOf::thread_ratio:
            return "to 1 thread at least " + value;
        default:
            return (row.smaller_is_better ? "at most " : "at least ") + value + " " + row.unit;
    }
}

Cells cells_of(const Row& row, double here, const Medians& medians) {
    const auto plain = medians(row.plain, row.figure);
    const auto to_plain = ratio(here, plain, row);
    const auto to_single = ratio(here, medians(row.single, row.figure), row);
    Cells cells{row.what, short_number(here) + " " + row.unit, shown(plain), shown(to_plain),
                shown(to_single)};
    if (!row.goal) return cells;
    cells[5] = goal_of(row);
    const auto& goal = *row.goal;
    const auto reached = goal.of == GoalOf::figure        ? std::optional(here)
                         : goal.of == GoalOf::plain_ratio ? to_plain
                                                          : to_single;
    if (!reached) return cells;
    const bool is_limit = goal.of == GoalOf::figure && row.smaller_is_better;
    cells[6] = (is_limit ? *reached <= goal.value : *reached >= goal.value) ? "yes" : "no";
    return cells;
}

}  // namespace

std::string table_text(const std::vector<Row>& rows, std::string_view plain,
                       const Medians& medians) {
    std::vector<Cells> lines{
        {"what", "median", std::string(plain), "ratio", "to 1 thread", "goal", "met"}};
    for (const auto& row : rows) {
        if (const auto here = medians(row.benchmark, row.figure)) {
            lines.push_back(cells_of(row, *here, medians));
        }
    }
    std::vector<std::size_t> columns;
    for (std::size_t c = 0; c < column_count; ++c) {
        const auto has_content = [c](const Cells& cells) { return !cells[c].empty(); };
        if (c < 2 || std::any_of(lines.begin() + 1, lines.end(), has_content)) columns.push_back(c);
    }
    std::string text;
    for (std::size_t l = 0; l < lines.size(); ++l) {
        text += "|";
        for (const auto c : columns) text += " " + lines[l][c] + " |";
        text += "\n";
        if (l > 0) continue;
        text += "|";
        for (std::size_t i = 0; i < columns.size(); ++i) text += "---|";
        text += "\n";
    }
    return text;
}

}  // namespace hodo::bench
