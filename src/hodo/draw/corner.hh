#pragma once
/// Corner plots: every parameter against every other, with regions of 68 and 95 per cent.

#include <string>
#include <vector>

#include "hodo/draw/figure.hh"

namespace hodo::draw {

struct CornerOptions {
    std::vector<std::string> labels{};  ///< One per parameter, with units.
    std::vector<double> truth{};        ///< One per parameter, or empty; NaN draws no line.
    double panel_size = 125;            ///< [points]
    std::string title{};
};

/// `samples` is [parameter][draw]. On the diagonal stand histograms under "median +up -down" (16
/// and 84 per cent quantiles), below it the draws with contours that enclose 68 and 95 per cent of
/// them.
Figure corner(const std::vector<std::vector<double>>& samples, CornerOptions options);

}  // namespace hodo::draw
