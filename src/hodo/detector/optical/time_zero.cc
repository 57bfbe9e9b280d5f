#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/detector/optical/binning.hh"

namespace hodo::optical {

namespace {

constexpr std::string_view possible =
    "first, quantile:<0 to 1>, vertex, trigger:<column> or per-module";

double quantile_of(std::vector<double> times, double q) {
    const double place = q * static_cast<double>(times.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto at = times.begin() + static_cast<std::ptrdiff_t>(below);
    std::nth_element(times.begin(), at, times.end());
    const double low = *at;
    if (below + 1 == times.size()) return low;
    const double high = *std::min_element(at + 1, times.end());
    return low + (place - static_cast<double>(below)) * (high - low);
}

}  // namespace

TimeZero TimeZero::parse(std::string_view text) {
    TimeZero zero;
    const auto colon = text.find(':');
    const std::string_view word = text.substr(0, colon);
    const bool has_value = colon != std::string_view::npos;
    const std::string_view value = has_value ? text.substr(colon + 1) : std::string_view{};
    if (word == "quantile") {
        const auto q = base::parse_double(value);
        HODO_CHECK(q && *q >= 0 && *q <= 1,
                   "time zero '{}': the quantile must be a number from 0 to 1", text);
        zero.kind = Kind::quantile;
        zero.quantile = *q;
        return zero;
    }
    if (word == "trigger") {
        HODO_CHECK(!value.empty(),
                   "time zero '{}' names no column; write trigger:<column of the input>", text);
        zero.kind = Kind::trigger;
        zero.column = value;
        return zero;
    }
    HODO_CHECK(!has_value && (word == "first" || word == "vertex" || word == "per-module"),
               "time zero '{}' is unknown; it is one of {}", text, possible);
    zero.kind = word == "first" ? Kind::first : word == "vertex" ? Kind::vertex : Kind::per_module;
    return zero;
}

std::string TimeZero::text() const {
    switch (kind) {
        case Kind::first:
            return "first";
        case Kind::quantile:
            return base::format("quantile:{}", quantile);
        case Kind::vertex:
            return "vertex";
        case Kind::trigger:
            return "trigger:" + column;
        case Kind::per_module:
            return "per-module";
    }
    return "first";
}

double time_zero_of(const Events& events, std::int64_t event, const TimeZero& rule) {
    const auto e = static_cast<std::size_t>(event);
    if (rule.kind == TimeZero::Kind::vertex) return 0.0;
    if (rule.kind == TimeZero::Kind::trigger) {
        HODO_CHECK(!events.trigger.empty(),
                   "time zero 'trigger:{}' needs that column, which was not read; name it as the "
                   "trigger column of the input",
                   rule.column);
        const double time = events.trigger[e];
        HODO_CHECK(std::isfinite(time),
                   "event {} (row {}): its trigger time in column '{}' is {}; it must be a number "
                   "[ns]",
                   event, events.row.empty() ? event : events.row[e], rule.column, time);
        return time;
    }
    const auto begin = events.time.begin() + events.offsets[e];
    const auto end = events.time.begin() + events.offsets[e + 1];
    if (begin == end) return 0.0;
    if (rule.kind == TimeZero::Kind::quantile) {
        return quantile_of(std::vector<double>(begin, end), rule.quantile);
    }
    return *std::min_element(begin, end);
}

}  // namespace hodo::optical
