#include "hodo/draw/terminal.hh"

#include <gtest/gtest.h>

#include <cmath>

namespace hodo::draw {
namespace {

TEST(Terminal, sparkline_goes_from_the_lowest_to_the_highest_block) {
    EXPECT_EQ(sparkline({0, 0.5, 1}), "▁▅█");
    EXPECT_EQ(sparkline({2, NAN, 2}), "▁ ▁");
    EXPECT_EQ(sparkline({}), "");
}

TEST(Terminal, text_histogram_has_one_line_per_bin_and_bars_in_proportion) {
    const std::string text = text_histogram({0, 1, 2, 3}, {2, 4, 0}, 8);
    const auto count = [&](const std::string& part) {
        std::size_t found = 0;
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
            ++found;
        return found;
    };
    EXPECT_EQ(count("\n"), 3u);
    EXPECT_EQ(count("█"), 12u);
    EXPECT_EQ(text_histogram({0, 1}, {0}).find("█"), std::string::npos);
}

}  // namespace
}  // namespace hodo::draw
