#include "hodo/draw/detail/view.hh"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace hodo::draw::detail {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
/// Farther off the sheet than this, positions only need to keep their direction [points].
constexpr double far_away = 1e5;

/// Numbers beyond these ends would overflow in the arithmetic of ranges.
constexpr double least_positive = 1e-290, greatest = 1e290;

/// The range within what can be computed with.
Range bounded(Range range, Scale scale) {
    const double least = scale == Scale::log ? least_positive : -greatest;
    return {std::clamp(range.low, least, greatest), std::clamp(range.high, least, greatest)};
}

/// The span of values seen on one axis, and how it wants to be widened.
struct Extent {
    Scale scale = Scale::linear;
    double low = infinity, high = -infinity;
    bool widen_low = false, widen_high = false;

    bool takes(double value) const {
        return std::isfinite(value) && (scale == Scale::linear || value > 0);
    }
    void include(double value) {
        if (!takes(value)) return;
        low = std::min(low, value);
        high = std::max(high, value);
    }
    void include(const std::vector<double>& values) {
        for (const double value : values) include(value);
    }
    void include(const std::vector<double>& values, const Errors& errors) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            include(values[i]);
            if (i < errors.size() && takes(values[i]) && std::isfinite(errors[i])) {
                include(values[i] - errors[i]);
                include(values[i] + errors[i]);
            }
        }
    }
    void widen() { widen_low = widen_high = true; }
    bool empty() const { return low > high; }

    Range range(double margin) const {
        if (empty()) return scale == Scale::log ? Range{0.1, 10.0} : Range{0.0, 1.0};
        if (scale == Scale::log) {
            const double decades = std::max(std::log10(high / low), 0.3);
            const double factor = std::pow(10.0, margin * decades);
            Range range{widen_low ? low / factor : low, widen_high ? high * factor : high};
            if (range.low == range.high) range = {low / 2, high * 2};
            return range;
        }
        const double length = high - low;
        Range range{widen_low ? low - margin * length : low,
                    widen_high ? high + margin * length : high};
        const double least = 1e-12 * std::max(std::abs(low), std::abs(high));
        if (length <= least) {
            const double half = low == 0.0 ? 1.0 : 0.1 * std::abs(low);
            range = {low - half, high + half};
        }
        return range;
    }
};

struct Extents {
    Extent x, y, colour;
    bool maps = false;

    void operator()(const LineSeries& line) {
        x.include(line.x);
        for (std::size_t i = 0; i < line.x.size(); ++i) {
            if (x.takes(line.x[i])) y.include(line.y[i]);
        }
        y.widen();
    }
    void operator()(const BandSeries& band) {
        x.include(band.x);
        y.include(band.low);
        y.include(band.high);
        y.widen();
    }
    void operator()(const PointSeries& points) {
        for (std::size_t i = 0; i < points.x.size(); ++i) {
            if (!x.takes(points.x[i]) || !y.takes(points.y[i])) continue;
            const auto of = [i](const Errors& errors) {
                return i < errors.size() ? Errors{errors[i]} : Errors{};
            };
            x.include({points.x[i]}, of(points.options.x_errors));
            y.include({points.y[i]}, of(points.options.y_errors));
        }
        x.widen();
        y.widen();
    }
    void operator()(const StepSeries& steps) {
        x.include(steps.edges);
        y.include(steps.counts, steps.options.errors);
        if (!steps.edges.empty()) y.include(0.0);
        y.widen_high = true;
        if (y.scale == Scale::log || y.low < 0) y.widen_low = true;
    }
    void operator()(const BarSeries& bars) {
        if (bars.names.empty()) return;
        x.include(-0.6);
        x.include(double(bars.names.size()) - 0.4);
        y.include(bars.heights, bars.options.errors);
        y.include(0.0);
        y.widen_high = true;
        if (y.scale == Scale::log || y.low < 0) y.widen_low = true;
    }
    void operator()(const HeatSeries& map) {
        x.include(map.x_edges);
        y.include(map.y_edges);
        colour.scale = map.options.scale;
        colour.include(map.values);
        maps = true;
    }
    void operator()(const DiscSeries& discs) {
        x.include(discs.x);
        y.include(discs.y);
        x.widen();
        y.widen();
        colour.scale = discs.options.scale;
        colour.include(discs.values);
        maps = true;
    }
    void operator()(const RuleSeries& rule) {
        if (rule.kind == RuleSeries::Kind::vertical && !x.empty()) x.include(rule.at);
        if (rule.kind == RuleSeries::Kind::horizontal && !y.empty()) y.include(rule.at);
    }
};

/// Limits given by the caller in place of those of the data.
Range limited(Range range, std::optional<double> low, std::optional<double> high, Scale scale) {
    const auto usable = [scale](std::optional<double> limit) {
        return limit && std::isfinite(*limit) && (scale == Scale::linear || *limit > 0);
    };
    const bool low_ok = usable(low), high_ok = usable(high);
    if (low_ok) range.low = *low;
    if (high_ok) range.high = *high;
    range = bounded(range, scale);
    if (range.low < range.high) return range;
    if (scale == Scale::log) {
        return low_ok ? Range{range.low, 10 * range.low} : Range{range.high / 10, range.high};
    }
    return low_ok ? Range{range.low, range.low + 1} : Range{range.high - 1, range.high};
}

}  // namespace

double fraction_of(double value, Range range, Scale scale) {
    if (scale == Scale::linear) return (value - range.low) / (range.high - range.low);
    if (!(value > 0)) return std::numeric_limits<double>::quiet_NaN();
    return std::log(value / range.low) / std::log(range.high / range.low);
}

double value_at(double fraction, Range range, Scale scale) {
    if (scale == Scale::linear) return range.low + fraction * (range.high - range.low);
    return range.low * std::pow(range.high / range.low, fraction);
}

double View::x(double value) const {
    const double place = area.x + area.width * fraction_of(value, x_range, x_scale);
    return std::isnan(place) ? place : std::clamp(place, -far_away, far_away);
}
double View::y(double value) const {
    const double place = area.bottom() - area.height * fraction_of(value, y_range, y_scale);
    return std::isnan(place) ? place : std::clamp(place, -far_away, far_away);
}

DataRanges ranges_of(const Axes& axes) {
    Extents extents;
    extents.x.scale = axes.x().scale;
    extents.y.scale = axes.y().scale;
    for (const Series& series : axes.series()) {
        if (!std::holds_alternative<RuleSeries>(series)) std::visit(extents, series);
    }
    for (const Series& series : axes.series()) {
        if (std::holds_alternative<RuleSeries>(series)) std::visit(extents, series);
    }
    DataRanges ranges;
    ranges.empty = extents.x.empty() || extents.y.empty();
    ranges.x = limited(extents.x.range(0.04), axes.x().low, axes.x().high, axes.x().scale);
    ranges.y = limited(extents.y.range(0.06), axes.y().low, axes.y().high, axes.y().scale);
    if (!extents.maps) return ranges;
    if (extents.colour.empty()) ranges.empty = true;
    for (const Series& series : axes.series()) {
        std::visit(
            [&](const auto& one) {
                using One = std::decay_t<decltype(one)>;
                if constexpr (std::is_same_v<One, HeatSeries> || std::is_same_v<One, DiscSeries>) {
                    ranges.colours = ColourScale{limited(extents.colour.range(0.0), one.options.low,
                                                         one.options.high, one.options.scale),
                                                 one.options.scale, one.options.label};
                }
            },
            series);
    }
    return ranges;
}

Range stretched(Range range, Scale scale, double part) {
    return bounded({range.low, value_at(1.0 + part, range, scale)}, scale);
}

}  // namespace hodo::draw::detail
