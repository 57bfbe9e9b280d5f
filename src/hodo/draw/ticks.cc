#include "hodo/draw/ticks.hh"

#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"

namespace hodo::draw {
namespace {

constexpr const char* minus_sign = "\u2212";

std::string with_minus(std::string text) {
    if (!text.empty() && text[0] == '-') text.replace(0, 1, minus_sign);
    return text;
}

std::string power_text(int exponent) {
    return base::format("10^{{{}}}", with_minus(std::to_string(exponent)));
}

/// A step of 1, 2 or 5 times a power of ten that is about `least` or more.
struct Step {
    double size;
    int digit;     ///< 1, 2 or 5.
    int exponent;  ///< Power of ten.
};
Step round_step(double least) {
    constexpr double slack = 1.3;  // A few marks more are better than half as many.
    auto exponent = static_cast<int>(std::floor(std::log10(least)));
    const double lead = least / std::pow(10.0, exponent);
    for (const int digit : {1, 2, 5}) {
        if (lead <= digit * slack) return {digit * std::pow(10.0, exponent), digit, exponent};
    }
    ++exponent;
    return {std::pow(10.0, exponent), 1, exponent};
}

Ticks linear_ticks(Range range, int count) {
    Ticks ticks;
    const Step step = round_step((range.high - range.low) / std::max(count, 1));
    const double largest = std::max(std::abs(range.low), std::abs(range.high));
    const auto largest_exponent = static_cast<int>(std::floor(std::log10(largest)));
    int common = 0;
    if (largest >= 1e5 || largest < 1e-3) common = largest_exponent;
    const int decimals = std::clamp(common - step.exponent, 0, 15);
    if (common != 0) ticks.factor = "\u00D7" + power_text(common);
    const double slack = 1e-9 * (range.high - range.low);
    const auto first = static_cast<long long>(std::ceil((range.low - slack) / step.size));
    const auto last = static_cast<long long>(std::floor((range.high + slack) / step.size));
    for (long long i = first; i <= last; ++i) {
        const double value = double(i) * step.size;
        const double shown = i == 0 ? 0.0 : value / std::pow(10.0, common);
        ticks.major.push_back({value, with_minus(base::format("{:.{}f}", shown, decimals))});
    }
    const int parts = step.digit == 2 ? 4 : 5;
    const double small = step.size / parts;
    const auto first_small = static_cast<long long>(std::ceil((range.low - slack) / small));
    const auto last_small = static_cast<long long>(std::floor((range.high + slack) / small));
    for (long long i = first_small; i <= last_small; ++i) {
        if (i % parts != 0) ticks.minor.push_back(double(i) * small);
    }
    return ticks;
}

std::string decade_text(int exponent, bool plain) {
    if (exponent == 0) return "1";
    if (exponent == 1) return "10";
    return plain ? base::format("{:.{}f}", std::pow(10.0, exponent), std::max(0, -exponent))
                 : power_text(exponent);
}

/// Labels 2 and 5 times a power of ten, for a range with fewer than two powers of ten.
Ticks short_log_ticks(Range range, int count) {
    Ticks ticks;
    const double slack = 1e-9;
    for (auto exponent = static_cast<int>(std::floor(std::log10(range.low)));
         std::pow(10.0, exponent) <= range.high; ++exponent) {
        for (int digit = 1; digit < 10; ++digit) {
            const double value = digit * std::pow(10.0, exponent);
            if (value < range.low * (1 - slack) || value > range.high * (1 + slack)) continue;
            if (digit == 1 || digit == 2 || digit == 5) {
                ticks.major.push_back({value, number_text(value)});
            } else {
                ticks.minor.push_back(value);
            }
        }
    }
    return ticks.major.size() < 2 ? linear_ticks(range, count) : ticks;
}

Ticks log_ticks(Range range, int count) {
    HODO_DOOR(range.low > 0);
    const auto first = static_cast<int>(std::ceil(std::log10(range.low) - 1e-9));
    const auto last = static_cast<int>(std::floor(std::log10(range.high) + 1e-9));
    const int decades = last - first + 1;
    if (decades < 2) return short_log_ticks(range, count);
    const int stride = std::max(1, (decades + count - 1) / std::max(count, 1));
    const bool plain = first >= -2 && last <= 3;
    Ticks ticks;
    for (int exponent = first - 1; exponent <= last; ++exponent) {
        const double value = std::pow(10.0, exponent);
        const bool labelled = ((exponent % stride) + stride) % stride == 0;
        if (exponent >= first) {
            if (labelled) {
                ticks.major.push_back({value, decade_text(exponent, plain)});
            } else {
                ticks.minor.push_back(value);
            }
        }
        for (int digit = 2; stride == 1 && digit < 10; ++digit) {
            const double between = digit * value;
            if (between >= range.low && between <= range.high) ticks.minor.push_back(between);
        }
    }
    return ticks;
}

}  // namespace

Ticks make_ticks(Range range, Scale scale, int count) {
    HODO_DOOR(std::isfinite(range.low) && std::isfinite(range.high) && range.low < range.high);
    count = std::max(count, 1);
    Ticks ticks = scale == Scale::log ? log_ticks(range, count) : linear_ticks(range, count);
    while (ticks.major.size() < 2 && count < 64) ticks = linear_ticks(range, count *= 2);
    return ticks;
}

std::string number_text(double value) {
    if (std::isnan(value)) return "\u2013";
    if (std::isinf(value)) return value > 0 ? "\u221E" : std::string(minus_sign) + "\u221E";
    if (value == 0.0) return "0";
    const double size = std::abs(value);
    if (size >= 1000 && size < 1e5) return with_minus(base::format("{:.0f}", value));
    if (size >= 1e-3 && size < 1000) return with_minus(base::format("{:.4g}", value));
    const auto exponent = static_cast<int>(std::floor(std::log10(size) + 1e-12));
    const std::string lead = base::format("{:.3g}", value / std::pow(10.0, exponent));
    if (lead == "1") return power_text(exponent);
    return base::format("{}\u00D7{}", with_minus(lead), power_text(exponent));
}

}  // namespace hodo::draw
