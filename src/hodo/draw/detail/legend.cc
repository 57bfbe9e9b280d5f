#include "hodo/draw/detail/legend.hh"

#include <algorithm>
#include <array>
#include <type_traits>

#include "hodo/draw/detail/series_drawing.hh"

namespace hodo::draw::detail {
namespace {

constexpr double row_height = 12.5, swatch_width = 18.0, swatch_gap = 5.0, padding = 5.0;
constexpr double distance = 6.0;  ///< From the frame of the panel.
const TextStyle text_style{.size = 8.5, .vertical = Vertical::middle};

const std::string& label_of(const Series& series) {
    static const std::string none;
    return std::visit(
        [](const auto& one) -> const std::string& {
            using One = std::decay_t<decltype(one)>;
            if constexpr (std::is_same_v<One, HeatSeries> || std::is_same_v<One, DiscSeries>) {
                return none;  // Written beside the colour bar.
            } else {
                return one.options.label;
            }
        },
        series);
}

struct Swatch {
    Canvas& canvas;
    Rectangle area;

    void stroke(Colour colour, double width, Dash dash) const {
        const double y = area.centre().y;
        canvas.line({area.x, y}, {area.right(), y}, {colour, width, dash});
    }
    Rectangle block() const { return {area.x, area.y + 2.5, area.width, area.height - 5}; }

    void operator()(const LineSeries& s) const {
        stroke(*s.options.colour, s.options.width, s.options.dash);
    }
    void operator()(const RuleSeries& s) const {
        stroke(*s.options.colour, s.options.width, s.options.dash);
    }
    void operator()(const BandSeries& s) const {
        canvas.rectangle(block(), s.options.colour->with_alpha(s.options.opacity));
    }
    void operator()(const StepSeries& s) const {
        if (s.options.fill == Fill::none) {
            stroke(*s.options.colour, s.options.width, s.options.dash);
            return;
        }
        canvas.rectangle(block(), s.options.colour->lighter(0.62));
        canvas.frame(block(), {*s.options.colour, s.options.width, s.options.dash});
    }
    void operator()(const BarSeries& s) const { canvas.rectangle(block(), *s.options.colour); }
    void operator()(const PointSeries& s) const {
        const Position centre = area.centre();
        if (!s.options.y_errors.empty()) {
            canvas.line({centre.x, centre.y - 4.5}, {centre.x, centre.y + 4.5},
                        {*s.options.colour, 0.9});
        }
        draw_marker(canvas, centre, s.options.marker, std::max(s.options.radius, 1.8),
                    *s.options.colour);
    }
    void operator()(const HeatSeries&) const {}
    void operator()(const DiscSeries&) const {}
};

}  // namespace

std::optional<TextSize> legend_size(Canvas& canvas, const Axes& axes) {
    double width = 0.0;
    int rows = 0;
    for (const Series& series : axes.series()) {
        if (label_of(series).empty()) continue;
        width = std::max(width, canvas.measure(label_of(series), text_style).width);
        ++rows;
    }
    if (rows == 0) return std::nullopt;
    return TextSize{width + swatch_width + swatch_gap + 2 * padding,
                    rows * row_height + 2 * padding - 3, 0};
}

LegendPlace place_legend(const Rectangle& area, double width, double height,
                         std::span<const Position> points) {
    const double left = area.x + distance, right = area.right() - distance - width;
    const double top = area.y + distance, bottom = area.bottom() - distance - height;
    const double centre = area.centre().x - width / 2, middle = area.centre().y - height / 2;
    const std::array<Position, 8> candidates{{{right, top},
                                              {left, top},
                                              {right, bottom},
                                              {left, bottom},
                                              {centre, top},
                                              {right, middle},
                                              {left, middle},
                                              {centre, bottom}}};
    LegendPlace best;
    bool found = false;
    for (const Position& corner : candidates) {
        const Rectangle box{corner.x, corner.y, width, height};
        const Rectangle wide{box.x - 3, box.y - 3, box.width + 6, box.height + 6};
        const auto covered = static_cast<std::size_t>(std::count_if(
            points.begin(), points.end(), [&](const Position& p) { return wide.contains(p); }));
        if (!found || covered < best.covered) best = {box, covered};
        found = true;
    }
    return best;
}

void draw_legend(Canvas& canvas, const Axes& axes, const Rectangle& box) {
    canvas.rectangle(box, {1, 1, 1, 0.85});
    double y = box.y + padding - 1.5;
    for (const Series& series : axes.series()) {
        if (label_of(series).empty()) continue;
        const Rectangle swatch{box.x + padding, y, swatch_width, row_height};
        std::visit(Swatch{canvas, swatch}, series);
        canvas.text(label_of(series), {swatch.right() + swatch_gap, y + row_height / 2},
                    text_style);
        y += row_height;
    }
}

}  // namespace hodo::draw::detail
