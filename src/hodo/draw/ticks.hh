#pragma once
/// Marks on an axis: round numbers that cover a range, and how they are written.

#include <string>
#include <vector>

namespace hodo::draw {

enum class Scale { linear, log };

/// Values between two ends; `low` < `high`, both > 0 on a logarithmic scale.
struct Range {
    double low = 0, high = 1;
};

struct Tick {
    double value = 0;
    std::string label;  ///< In the notation of Canvas::text.
};

struct Ticks {
    std::vector<Tick> major;
    std::vector<double> minor;
    /// Common factor of linear labels, for example "×10^{4}", or empty.
    std::string factor;
};

/// Round marks within `range`: steps of 1, 2 or 5 times a power of ten (powers of ten when
/// logarithmic), at most about `count` of them.
Ticks make_ticks(Range range, Scale scale, int count);

/// A short text for a number, as the labels of ticks write it: "0.25", "1.5×10^{-7}".
std::string number_text(double value);

}  // namespace hodo::draw
