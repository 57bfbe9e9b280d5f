#pragma once
/// Drawing one series of a panel.

#include <optional>
#include <vector>

#include "hodo/draw/detail/view.hh"

namespace hodo::draw::detail {

/// Place of a bar series among the bar series of its panel.
struct BarPlace {
    std::size_t index = 0, count = 1;
};

/// Draws a series inside the clip of its panel.
void draw_series(Canvas& canvas, const View& view, const Series& series,
                 const std::optional<ColourScale>& colours, BarPlace bar);

/// Points of the sheet that a series covers, for keeping the legend off them.
std::vector<Position> covered_points(const View& view, const Series& series);

/// A marker of a point series.
void draw_marker(Canvas& canvas, Position centre, Marker marker, double radius, Colour colour);

}  // namespace hodo::draw::detail
