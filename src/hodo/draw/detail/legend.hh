#pragma once
/// The key of a panel: what its colours and markers mean.

#include <optional>
#include <span>

#include "hodo/draw/detail/view.hh"

namespace hodo::draw::detail {

/// Size of the legend of a panel, or nothing when no series has a label.
std::optional<TextSize> legend_size(Canvas& canvas, const Axes& axes);

struct LegendPlace {
    Rectangle box;
    std::size_t covered = 0;  ///< How many of the points lie beneath.
};

/// The place in the panel with the fewest of `points` beneath; corners first.
LegendPlace place_legend(const Rectangle& area, double width, double height,
                         std::span<const Position> points);

void draw_legend(Canvas& canvas, const Axes& axes, const Rectangle& box);

}  // namespace hodo::draw::detail
