#pragma once
/// Where a panel lies on the sheet and what its axes span.

#include <optional>
#include <string>

#include "hodo/draw/axes.hh"

namespace hodo::draw::detail {

/// Fraction of the way from range.low to range.high; NaN for values a logarithm does not take.
double fraction_of(double value, Range range, Scale scale);
/// The value at a fraction of the way.
double value_at(double fraction, Range range, Scale scale);

/// Values shown as colours.
struct ColourScale {
    Range range;
    Scale scale = Scale::linear;
    std::string label;
    Colour colour(double value) const { return viridis(fraction_of(value, range, scale)); }
};

/// From data to sheet.
struct View {
    Rectangle area;
    Range x_range, y_range;
    Scale x_scale = Scale::linear, y_scale = Scale::linear;

    double x(double value) const;
    double y(double value) const;
    Position at(double x_value, double y_value) const { return {x(x_value), y(y_value)}; }
};

/// Ranges that a panel's data ask for. `empty`: nothing to draw.
struct DataRanges {
    Range x, y;
    bool empty = true;
    std::optional<ColourScale> colours;
};

/// Covers the data and honours the limits given.
DataRanges ranges_of(const Axes& axes);

/// A range stretched at its upper end by `part` of its length (in decades when logarithmic).
Range stretched(Range range, Scale scale, double part);

}  // namespace hodo::draw::detail
