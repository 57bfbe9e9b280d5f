#include "hodo/draw/colour.hh"

#include <gtest/gtest.h>

#include <cmath>

namespace hodo::draw {
namespace {

TEST(Colour, hex_round_trips_and_viridis_ends_are_its_published_ends) {
    EXPECT_EQ(Colour::hex("#D55E00").hex(), "#D55E00");
    EXPECT_EQ(viridis(0).hex(), "#440154");
    EXPECT_EQ(viridis(1).hex(), "#FDE725");
    EXPECT_EQ(viridis(-5).hex(), "#440154");
    EXPECT_EQ(viridis(NAN).alpha, 0.0);
    double last = -1;
    for (int i = 0; i <= 100; ++i) {  // Lightness grows all the way.
        const Colour c = viridis(i / 100.0);
        const double light = 0.2126 * c.red + 0.7152 * c.green + 0.0722 * c.blue;
        EXPECT_GT(light, last);
        last = light;
    }
}

TEST(Colour, line_palette_has_six_different_colours_and_repeats) {
    for (std::size_t i = 0; i < 6; ++i) {
        for (std::size_t j = 0; j < i; ++j) EXPECT_NE(palette(i), palette(j));
        EXPECT_EQ(palette(i), palette(i + 6));
    }
}

TEST(Colour, lighter_ends_at_white) {
    EXPECT_EQ(palette(0).lighter(0.0), palette(0));
    EXPECT_EQ(palette(0).lighter(1.0).hex(), "#FFFFFF");
}

}  // namespace
}  // namespace hodo::draw
