#pragma once
/// Colours of figures: one palette for lines, one map for values.
///
/// Lines use the palette of Okabe and Ito, which people with any common colour blindness can tell
/// apart (M. Okabe, K. Ito, "Color Universal Design", 2008). Values use viridis (S. van der Walt,
/// N. Smith, 2015; CC0), whose lightness grows evenly.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hodo::draw {

/// Red, green, blue and opacity, each in [0, 1].
struct Colour {
    double red = 0, green = 0, blue = 0, alpha = 1;

    /// "#RRGGBB"; a `Defect` for anything else.
    static Colour hex(std::string_view text);
    /// "#RRGGBB", opacity left out.
    std::string hex() const;
    Colour with_alpha(double opacity) const { return {red, green, blue, opacity}; }
    /// Part of the way to white: 0 is this colour, 1 is white.
    Colour lighter(double part) const;
    bool operator==(const Colour&) const = default;
};

/// Colour `index` of the line palette, which repeats after six.
Colour palette(std::size_t index);

/// Viridis at `fraction`, limited to [0, 1]; fully transparent for NaN.
Colour viridis(double fraction);

}  // namespace hodo::draw
