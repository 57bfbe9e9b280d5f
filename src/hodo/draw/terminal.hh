#pragma once
/// Small pictures in plain text, for logs.

#include <string>
#include <vector>

namespace hodo::draw {

/// One block character per value, from the least to the greatest: "▁▂▅█"; a space for NaN.
std::string sparkline(const std::vector<double>& values);

/// One line per bin: "   0.0 ..   10.0 | ████████   812". Bars reach at most `width` characters.
std::string text_histogram(const std::vector<double>& edges, const std::vector<double>& counts,
                           int width = 40);

}  // namespace hodo::draw
