#include "hodo/workflow/lartpc/summaries.hh"

#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hodo::lartpc {

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

double number_of(const std::string& text, std::string_view file, std::size_t line,
                 const std::string& column) {
    if (text.empty() || text == "nan" || text == "NaN") return unknown;
    const auto value = base::parse_double(text);
    HODO_CHECK(value, "{}:{}: column '{}' holds '{}', which is no number", file, line, column,
               text);
    return *value;
}

std::vector<std::string> cells_of(std::string line) {
    if (line.ends_with('\r')) line.pop_back();
    return base::split(line, '\t');
}

}  // namespace

std::optional<double> EpochSummary::value(std::string_view name) const {
    for (const auto& [column, number] : values) {
        if (column == name && !std::isnan(number)) return number;
    }
    return std::nullopt;
}

base::Path Summaries::file_of(const base::Path& run, int rank) {
    return run / base::format("summaries_{}.csv", rank);
}

Summaries Summaries::read(const base::Path& file) {
    return parse(io::read_text(file), file.string());
}

Summaries Summaries::parse(std::string_view text, std::string_view file) {
    auto lines = base::split(text, '\n');
    while (!lines.empty() && base::trim(lines.back()).empty()) lines.pop_back();
    HODO_CHECK(!lines.empty(), "{}: is empty; a table of epochs begins with the columns' names",
               file);
    const auto columns = cells_of(lines.front());
    HODO_CHECK(columns.front() == "epoch",
               "{}: its first column is '{}' where 'epoch' should be; is it tab separated?", file,
               columns.front());
    Summaries summaries;
    for (std::size_t line = 1; line < lines.size(); ++line) {
        const auto cells = cells_of(lines[line]);
        HODO_CHECK(cells.size() == columns.size(), "{}:{}: has {} values for the {} columns", file,
                   line + 1, cells.size(), columns.size());
        const double number = number_of(cells.front(), file, line + 1, columns.front());
        HODO_CHECK(number >= 0 && number < 1e9 && number == std::floor(number),
                   "{}:{}: '{}' is no number of an epoch", file, line + 1, cells.front());
        EpochSummary epoch{.epoch = static_cast<std::int64_t>(number), .values = {}};
        for (std::size_t i = 1; i < cells.size(); ++i) {
            epoch.values.emplace_back(columns[i], number_of(cells[i], file, line + 1, columns[i]));
        }
        summaries.epochs_.push_back(std::move(epoch));
    }
    return summaries;
}

void Summaries::add(EpochSummary epoch) {
    std::erase_if(epochs_, [&](const auto& other) { return other.epoch >= epoch.epoch; });
    epochs_.push_back(std::move(epoch));
}

std::string Summaries::text() const {
    std::vector<std::string> columns;
    for (const auto& epoch : epochs_) {
        for (const auto& [name, value] : epoch.values) {
            if (std::find(columns.begin(), columns.end(), name) == columns.end()) {
                columns.push_back(name);
            }
        }
    }
    std::string text = "epoch";
    for (const auto& column : columns) text += "\t" + column;
    text += "\n";
    for (const auto& epoch : epochs_) {
        text += base::format("{}", epoch.epoch);
        for (const auto& column : columns) {
            const auto value = epoch.value(column);
            text += value ? base::format("\t{:.6f}", *value) : "\t";
        }
        text += "\n";
    }
    return text;
}

void Summaries::write(const base::Path& file) const {
    io::write_text(file, text());
}

}  // namespace hodo::lartpc
