#include "hodo/draw/detail/series_drawing.hh"

#include <algorithm>
#include <array>
#include <cmath>

namespace hodo::draw::detail {
namespace {

bool finite(Position p) {
    return std::isfinite(p.x) && std::isfinite(p.y);
}

/// Height of a value on the sheet; what a logarithm does not take lies below the panel.
double height_of(const View& view, double value) {
    if (std::isnan(value)) return value;
    const double y = view.y(value);
    return std::isnan(y) ? view.area.bottom() + 4.0 : y;
}

double base_line(const View& view) {
    if (view.y_scale == Scale::log) return view.area.bottom();
    return std::clamp(view.y(0.0), view.area.y, view.area.bottom());
}

struct Drawing {
    Canvas& canvas;
    const View& view;
    const std::optional<ColourScale>& colours;
    BarPlace bar;

    void error_bar(double x, double value, double error, const Stroke& stroke) const {
        if (!std::isfinite(value) || !(error > 0)) return;
        canvas.line({x, height_of(view, value - error)}, {x, height_of(view, value + error)},
                    stroke);
    }

    void operator()(const LineSeries& line) const {
        std::vector<Position> points;
        for (std::size_t i = 0; i < line.x.size(); ++i)
            points.push_back(view.at(line.x[i], line.y[i]));
        canvas.polyline(points, {*line.options.colour, line.options.width, line.options.dash});
    }

    void operator()(const BandSeries& band) const {
        std::vector<Position> upper, lower;
        const auto flush = [&] {
            upper.insert(upper.end(), lower.rbegin(), lower.rend());
            if (upper.size() > 3) {
                canvas.polygon(upper, band.options.colour->with_alpha(band.options.opacity));
            }
            upper.clear();
            lower.clear();
        };
        for (std::size_t i = 0; i < band.x.size(); ++i) {
            const Position low{view.x(band.x[i]), height_of(view, band.low[i])};
            const Position high{view.x(band.x[i]), height_of(view, band.high[i])};
            if (finite(low) && finite(high)) {
                upper.push_back(high);
                lower.push_back(low);
            } else {
                flush();
            }
        }
        flush();
    }

    void operator()(const PointSeries& points) const {
        const PointOptions& o = points.options;
        const Colour colour = o.colour->with_alpha(o.opacity);
        const Stroke thin{colour, 0.9};
        for (std::size_t i = 0; i < points.x.size(); ++i) {
            const Position place = view.at(points.x[i], points.y[i]);
            if (!finite(place)) continue;
            if (!o.y_errors.empty()) error_bar(place.x, points.y[i], o.y_errors[i], thin);
            if (!o.x_errors.empty() && o.x_errors[i] > 0) {
                const double left = view.x(points.x[i] - o.x_errors[i]);
                canvas.line({std::isnan(left) ? view.area.x - 4.0 : left, place.y},
                            {view.x(points.x[i] + o.x_errors[i]), place.y}, thin);
            }
            draw_marker(canvas, place, o.marker, o.radius, colour);
        }
    }

    void operator()(const StepSeries& steps) const {
        const StepOptions& o = steps.options;
        std::vector<Position> outline;
        const double base = base_line(view);
        for (std::size_t i = 0; i < steps.counts.size(); ++i) {
            const double left = view.x(steps.edges[i]), right = view.x(steps.edges[i + 1]);
            const double top = height_of(view, steps.counts[i]);
            outline.push_back({left, top});
            outline.push_back({right, top});
        }
        if (!outline.empty()) {
            outline.insert(outline.begin(), {outline.front().x, base});
            outline.push_back({outline.back().x, base});
        }
        if (o.fill == Fill::filled) {
            std::vector<Position> area = outline;  // Empty where the counts are not finite.
            for (Position& p : area) p.y = std::isfinite(p.y) ? p.y : base;
            canvas.polygon(area, o.colour->lighter(0.62));
        }
        canvas.polyline(outline, {*o.colour, o.width, o.dash});
        for (std::size_t i = 0; i < o.errors.size(); ++i) {
            const double middle = (view.x(steps.edges[i]) + view.x(steps.edges[i + 1])) / 2;
            error_bar(middle, steps.counts[i], o.errors[i], {*o.colour, 0.8});
        }
    }

    void operator()(const BarSeries& bars) const {
        const double base = base_line(view);
        const double width = 0.76 / double(bar.count);
        for (std::size_t i = 0; i < bars.heights.size(); ++i) {
            const double left = double(i) - 0.38 + width * double(bar.index);
            const double x0 = view.x(left), x1 = view.x(left + 0.94 * width);
            const double top = height_of(view, bars.heights[i]);
            if (!std::isfinite(top)) continue;
            canvas.rectangle({x0, std::min(top, base), x1 - x0, std::abs(base - top)},
                             *bars.options.colour);
            if (!bars.options.errors.empty()) {
                error_bar((x0 + x1) / 2, bars.heights[i], bars.options.errors[i],
                          {{0.1, 0.1, 0.1, 1}, 0.9});
            }
        }
    }

    void operator()(const HeatSeries& map) const {
        const auto columns = static_cast<int>(std::ceil(view.area.width * pixels_per_point));
        const auto rows = static_cast<int>(std::ceil(view.area.height * pixels_per_point));
        const auto cells = [](const std::vector<double>& edges, int count, Range range, Scale scale,
                              bool downwards) {
            std::vector<std::ptrdiff_t> cell(static_cast<std::size_t>(count));
            for (int i = 0; i < count; ++i) {
                const double along = (i + 0.5) / count;
                const double value = value_at(downwards ? 1 - along : along, range, scale);
                cell[static_cast<std::size_t>(i)] =
                    std::upper_bound(edges.begin(), edges.end(), value) - edges.begin() - 1;
            }
            return cell;
        };
        const auto column = cells(map.x_edges, columns, view.x_range, view.x_scale, false);
        const auto row = cells(map.y_edges, rows, view.y_range, view.y_scale, true);
        const auto width = std::ssize(map.x_edges) - 1, height = std::ssize(map.y_edges) - 1;
        std::vector<Colour> picture;
        picture.reserve(column.size() * row.size());
        for (const auto v : row) {
            for (const auto u : column) {
                const bool inside = u >= 0 && u < width && v >= 0 && v < height;
                picture.push_back(
                    inside ? colours->colour(map.values[static_cast<std::size_t>(u * height + v)])
                           : Colour{0, 0, 0, 0});
            }
        }
        canvas.image(view.area, columns, rows, picture);
    }

    void operator()(const DiscSeries& discs) const {
        for (std::size_t i = 0; i < discs.x.size(); ++i) {
            const Position place = view.at(discs.x[i], discs.y[i]);
            if (!finite(place)) continue;
            const Colour colour = colours->colour(discs.values[i]);
            if (colour.alpha > 0) canvas.circle(place, discs.options.radius, colour);
            canvas.ring(place, discs.options.radius, {{0.45, 0.45, 0.45, 1}, 0.4});
        }
    }

    void operator()(const RuleSeries& rule) const {
        const Stroke stroke{*rule.options.colour, rule.options.width, rule.options.dash};
        const Rectangle& area = view.area;
        if (rule.kind == RuleSeries::Kind::vertical) {
            const double x = view.x(rule.at);
            canvas.line({x, area.y}, {x, area.bottom()}, stroke);
        } else if (rule.kind == RuleSeries::Kind::horizontal) {
            const double y = view.y(rule.at);
            canvas.line({area.x, y}, {area.right(), y}, stroke);
        } else {
            std::vector<Position> points;  // A straight line only when both scales agree.
            for (int i = 0; i <= 64; ++i) {
                const double value = value_at(i / 64.0, view.x_range, view.x_scale);
                points.push_back(view.at(value, value));
            }
            canvas.polyline(points, stroke);
        }
    }
};

void add_line(std::vector<Position>& points, Position from, Position to) {
    if (!finite(from) || !finite(to)) return;
    const double length = std::min(std::hypot(to.x - from.x, to.y - from.y), 3000.0);
    const int count = std::max(1, static_cast<int>(length / 4.0));
    for (int i = 0; i <= count; ++i) {
        const double part = double(i) / count;
        points.push_back({from.x + part * (to.x - from.x), from.y + part * (to.y - from.y)});
    }
}

struct Covering {
    const View& view;
    std::vector<Position> points;

    void operator()(const LineSeries& line) {
        for (std::size_t i = 1; i < line.x.size(); ++i) {
            add_line(points, view.at(line.x[i - 1], line.y[i - 1]), view.at(line.x[i], line.y[i]));
        }
    }
    void operator()(const BandSeries& band) {
        for (std::size_t i = 0; i < band.x.size(); ++i) {
            add_line(points, view.at(band.x[i], band.low[i]), view.at(band.x[i], band.high[i]));
        }
    }
    void operator()(const PointSeries& series) {
        for (std::size_t i = 0; i < series.x.size(); ++i) {
            const Position place = view.at(series.x[i], series.y[i]);
            points.push_back(place);
            if (series.options.y_errors.empty()) continue;
            const double error = series.options.y_errors[i];
            add_line(points, {place.x, height_of(view, series.y[i] - error)},
                     {place.x, height_of(view, series.y[i] + error)});
        }
    }
    void operator()(const StepSeries& steps) {
        for (std::size_t i = 0; i < steps.counts.size(); ++i) {
            const double top = height_of(view, steps.counts[i]);
            const double left = view.x(steps.edges[i]), right = view.x(steps.edges[i + 1]);
            add_line(points, {left, top}, {right, top});
            if (i > 0) add_line(points, {left, height_of(view, steps.counts[i - 1])}, {left, top});
            if (steps.options.fill == Fill::filled) {
                add_line(points, {(left + right) / 2, top}, {(left + right) / 2, base_line(view)});
            }
        }
    }
    void operator()(const BarSeries& bars) {
        for (std::size_t i = 0; i < bars.heights.size(); ++i) {
            for (const double offset : {-0.35, 0.0, 0.35}) {
                const double x = view.x(double(i) + offset);
                add_line(points, {x, height_of(view, bars.heights[i])}, {x, base_line(view)});
            }
        }
    }
    void operator()(const DiscSeries& discs) {
        for (std::size_t i = 0; i < discs.x.size(); ++i) {
            points.push_back(view.at(discs.x[i], discs.y[i]));
        }
    }
    void operator()(const HeatSeries&) {}
    void operator()(const RuleSeries&) {}
};

}  // namespace

void draw_marker(Canvas& canvas, Position c, Marker marker, double r, Colour colour) {
    switch (marker) {
        case Marker::circle:
            canvas.circle(c, r, colour);
            return;
        case Marker::open_circle:
            canvas.circle(c, r, {1, 1, 1, 1});
            canvas.ring(c, r, {colour, 1.0});
            return;
        case Marker::square:
            canvas.rectangle({c.x - 0.9 * r, c.y - 0.9 * r, 1.8 * r, 1.8 * r}, colour);
            return;
        case Marker::triangle: {
            const std::array<Position, 3> corners{{{c.x, c.y - 1.2 * r},
                                                   {c.x - 1.1 * r, c.y + 0.8 * r},
                                                   {c.x + 1.1 * r, c.y + 0.8 * r}}};
            canvas.polygon(corners, colour);
            return;
        }
        case Marker::diamond: {
            const std::array<Position, 4> corners{{{c.x, c.y - 1.3 * r},
                                                   {c.x + 1.1 * r, c.y},
                                                   {c.x, c.y + 1.3 * r},
                                                   {c.x - 1.1 * r, c.y}}};
            canvas.polygon(corners, colour);
            return;
        }
    }
}

void draw_series(Canvas& canvas, const View& view, const Series& series,
                 const std::optional<ColourScale>& colours, BarPlace bar) {
    std::visit(Drawing{canvas, view, colours, bar}, series);
}

std::vector<Position> covered_points(const View& view, const Series& series) {
    Covering covering{view, {}};
    std::visit(covering, series);
    return std::move(covering.points);
}

}  // namespace hodo::draw::detail
