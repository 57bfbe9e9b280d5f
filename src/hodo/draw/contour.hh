#pragma once
/// Regions that hold a given part of a cloud of points.

#include <vector>

#include "hodo/draw/canvas.hh"
#include "hodo/draw/ticks.hh"

namespace hodo::draw {

/// Smoothed density of points on a grid of square cells, known at the cells' centres.
struct Density {
    Range x, y;
    int bins = 0;                ///< Cells along each axis.
    std::vector<double> values;  ///< [x bin, y bin], points per cell.

    double at(int column, int row) const {
        return values[static_cast<std::size_t>(column) * static_cast<std::size_t>(bins) +
                      static_cast<std::size_t>(row)];
    }
    /// Linear between centres; 0 outside.
    double interpolated(double x_value, double y_value) const;
};

/// Histogram of the points within the ranges, smoothed by a Gaussian of one cell.
Density density_of(const std::vector<double>& x, const std::vector<double>& y, Range x_range,
                   Range y_range, int bins);

/// The density that `fraction` of the points exceed: its contour encloses that part of them.
double enclosing_level(const Density& density, const std::vector<double>& x,
                       const std::vector<double>& y, double fraction);

/// Closed lines of constant density, in data coordinates (marching squares).
std::vector<std::vector<Position>> contour_lines(const Density& density, double level);

}  // namespace hodo::draw
