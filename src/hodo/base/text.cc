#include "hodo/base/text.hh"

#include "hodo/base/error.hh"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/args.h>
#include <fmt/format.h>

namespace hodo::base {

std::string format_arguments(std::string_view pattern, std::span<const TextArgument> arguments) {
    fmt::dynamic_format_arg_store<fmt::format_context> store;
    for (const auto& argument : arguments) {
        std::visit([&](const auto& value) { store.push_back(value); }, argument.value());
    }
    try {
        return fmt::vformat(pattern, store);
    } catch (const fmt::format_error& error) {
        throw Defect("message pattern '" + std::string(pattern) + "': " + error.what());
    }
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (true) {
        const auto end = text.find(separator, begin);
        parts.emplace_back(text.substr(begin, end - begin));
        if (end == std::string_view::npos) return parts;
        begin = end + 1;
    }
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) text += separator;
        text += parts[i];
    }
    return text;
}

std::string_view trim(std::string_view text) {
    const char* const blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::optional<double> parse_double(std::string_view text) {
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    double value = 0;
    const auto* end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, value);
    if (problem != std::errc() || rest != end || text.empty()) return std::nullopt;
    return value;
}

std::optional<std::int64_t> parse_int(std::string_view text) {
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    std::int64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, value);
    if (problem != std::errc() || rest != end || text.empty()) return std::nullopt;
    return value;
}

namespace {

/// Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
    }
    return last[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known) {
    std::optional<std::string> best;
    std::size_t distance = (word.size() + 2) / 3 + 1;
    for (const auto& candidate : known) {
        const auto d = edit_distance(word, candidate);
        if (d < distance) {
            distance = d;
            best = candidate;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
    const auto candidate = nearest(word, known);
    return candidate ? " (did you mean '" + *candidate + "'?)" : std::string();
}

bool natural_less(std::string_view a, std::string_view b) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    std::size_t i = 0, j = 0;
    while (i < a.size() && j < b.size()) {
        if (!is_digit(a[i]) || !is_digit(b[j])) {
            if (a[i] != b[j]) return a[i] < b[j];
            ++i, ++j;
            continue;
        }
        while (i + 1 < a.size() && a[i] == '0' && is_digit(a[i + 1])) ++i;
        while (j + 1 < b.size() && b[j] == '0' && is_digit(b[j + 1])) ++j;
        std::size_t i_end = i, j_end = j;
        while (i_end < a.size() && is_digit(a[i_end])) ++i_end;
        while (j_end < b.size() && is_digit(b[j_end])) ++j_end;
        if (i_end - i != j_end - j) return i_end - i < j_end - j;
        const auto order = a.substr(i, i_end - i).compare(b.substr(j, j_end - j));
        if (order != 0) return order < 0;
        i = i_end, j = j_end;
    }
    const auto rest_a = a.size() - i, rest_b = b.size() - j;
    return rest_a != rest_b ? rest_a < rest_b : a < b;
}

std::string human_bytes(double bytes) {
    const char* const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    std::size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < std::size(units)) bytes /= 1000.0, ++unit;
    return unit == 0 || bytes >= 99.5 ? base::format("{:.0f} {}", bytes, units[unit])
                                      : base::format("{:.1f} {}", bytes, units[unit]);
}

std::string human_seconds(double seconds) {
    if (!(seconds >= 0)) return "?";
    if (seconds < 9.95) return base::format("{:.1f} s", seconds);
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole < 60) return base::format("{} s", whole);
    if (whole < 3600) return base::format("{} min {:02d} s", whole / 60, whole % 60);
    if (whole < 86400) return base::format("{} h {:02d} min", whole / 3600, whole % 3600 / 60);
    return base::format("{} d {:02d} h", whole / 86400, whole % 86400 / 3600);
}

std::string with_thousands(std::int64_t value) {
    auto digits = std::to_string(value);
    const std::ptrdiff_t first = value < 0 ? 1 : 0;
    for (auto i = std::ssize(digits) - 3; i > first; i -= 3) {
        digits.insert(static_cast<std::size_t>(i), ",");
    }
    return digits;
}

std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    return hash;
}

}  // namespace hodo::base
