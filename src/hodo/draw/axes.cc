#include "hodo/draw/axes.hh"

#include "hodo/base/error.hh"

namespace hodo::draw {
namespace {

constexpr Colour rule_colour{0.35, 0.35, 0.35, 1.0};

void require_errors(const Errors& errors, std::size_t count) {
    HODO_DOOR(errors.empty() || errors.size() == count);
}

}  // namespace

Axes& Axes::title(std::string text) {
    title_ = std::move(text);
    return *this;
}
Axes& Axes::x(AxisOptions options) {
    x_ = std::move(options);
    return *this;
}
Axes& Axes::y(AxisOptions options) {
    y_ = std::move(options);
    return *this;
}

Axes& Axes::add(Series series) {
    series_.push_back(std::move(series));
    return *this;
}

Axes& Axes::line(std::vector<double> x, std::vector<double> y, LineOptions options) {
    HODO_DOOR(x.size() == y.size());
    if (!options.colour) options.colour = palette(coloured_++);
    return add(LineSeries{std::move(x), std::move(y), std::move(options)});
}

Axes& Axes::band(std::vector<double> x, std::vector<double> low, std::vector<double> high,
                 BandOptions options) {
    HODO_DOOR(x.size() == low.size() && x.size() == high.size());
    if (!options.colour) options.colour = palette(coloured_++);
    return add(BandSeries{std::move(x), std::move(low), std::move(high), std::move(options)});
}

Axes& Axes::points(std::vector<double> x, std::vector<double> y, PointOptions options) {
    HODO_DOOR(x.size() == y.size());
    require_errors(options.x_errors, x.size());
    require_errors(options.y_errors, x.size());
    if (!options.colour) options.colour = palette(coloured_++);
    return add(PointSeries{std::move(x), std::move(y), std::move(options)});
}

Axes& Axes::steps(std::vector<double> edges, std::vector<double> counts, StepOptions options) {
    HODO_DOOR(edges.size() == counts.size() + 1 || (edges.empty() && counts.empty()));
    require_errors(options.errors, counts.size());
    if (!options.colour) options.colour = palette(coloured_++);
    return add(StepSeries{std::move(edges), std::move(counts), std::move(options)});
}

Axes& Axes::bars(std::vector<std::string> names, std::vector<double> heights, BarOptions options) {
    HODO_DOOR(names.size() == heights.size());
    require_errors(options.errors, heights.size());
    if (!options.colour) options.colour = palette(coloured_++);
    return add(BarSeries{std::move(names), std::move(heights), std::move(options)});
}

Axes& Axes::heat_map(std::vector<double> x_edges, std::vector<double> y_edges,
                     std::vector<double> values, MapOptions options) {
    HODO_DOOR(x_edges.size() >= 2 && y_edges.size() >= 2 &&
              values.size() == (x_edges.size() - 1) * (y_edges.size() - 1));
    return add(
        HeatSeries{std::move(x_edges), std::move(y_edges), std::move(values), std::move(options)});
}

Axes& Axes::discs(std::vector<double> x, std::vector<double> y, std::vector<double> values,
                  MapOptions options) {
    HODO_DOOR(x.size() == y.size() && x.size() == values.size());
    return add(DiscSeries{std::move(x), std::move(y), std::move(values), std::move(options)});
}

Axes& Axes::vertical(double x, LineOptions options) {
    if (!options.colour) options.colour = rule_colour;
    return add(RuleSeries{RuleSeries::Kind::vertical, x, std::move(options)});
}
Axes& Axes::horizontal(double y, LineOptions options) {
    if (!options.colour) options.colour = rule_colour;
    return add(RuleSeries{RuleSeries::Kind::horizontal, y, std::move(options)});
}
Axes& Axes::diagonal(LineOptions options) {
    if (!options.colour) options.colour = rule_colour;
    return add(RuleSeries{RuleSeries::Kind::diagonal, 0.0, std::move(options)});
}

Axes& Axes::note(std::string text, Note::Corner corner) {
    notes_.push_back({std::move(text), corner, 0, 0});
    return *this;
}
Axes& Axes::note(std::string text, double x, double y) {
    notes_.push_back({std::move(text), std::nullopt, x, y});
    return *this;
}

}  // namespace hodo::draw
