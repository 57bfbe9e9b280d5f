#include "hodo/draw/ticks.hh"

#include <gtest/gtest.h>

#include <cmath>

namespace hodo::draw {
namespace {

/// Whether a value is 1, 2 or 5 times a power of ten.
bool is_round_step(double value) {
    const double lead = value / std::pow(10.0, std::floor(std::log10(value) + 1e-9));
    for (const double digit : {1.0, 2.0, 5.0}) {
        if (std::abs(lead - digit) < 1e-6) return true;
    }
    return false;
}

TEST(Ticks, linear_ticks_are_round_even_and_cover_the_range) {
    for (const Range range : {Range{0, 1},
                              {-3, 7},
                              {1e-9, 3e-9},
                              {2.5e6, 9e6},
                              {99.97, 100.03},
                              {-1e-4, 2e-5},
                              {0, 6400}}) {
        for (const int count : {2, 4, 7, 12}) {
            SCOPED_TRACE(testing::Message() << range.low << " " << range.high << " " << count);
            const auto major = make_ticks(range, Scale::linear, count).major;
            ASSERT_GE(major.size(), 2u);
            EXPECT_LE(major.size(), static_cast<std::size_t>(2 * count + 1));
            const double step = major[1].value - major[0].value;
            EXPECT_TRUE(is_round_step(step)) << step;
            for (std::size_t i = 0; i < major.size(); ++i) {
                EXPECT_GE(major[i].value, range.low - 1e-6 * step);
                EXPECT_LE(major[i].value, range.high + 1e-6 * step);
                const double multiple = major[i].value / step;
                EXPECT_NEAR(multiple, std::round(multiple), 1e-6);
                if (i > 0) {
                    EXPECT_NEAR(major[i].value - major[i - 1].value, step, 1e-6 * step);
                }
            }
            EXPECT_LT(major.front().value - range.low, step * (1 + 1e-6));
            EXPECT_LT(range.high - major.back().value, step * (1 + 1e-6));
        }
    }
}

TEST(Ticks, linear_labels_tell_neighbours_apart_and_small_or_large_ones_share_a_factor) {
    for (const Range range : {Range{0, 1}, {1e-9, 3e-9}, {2.5e6, 9e6}, {99.97, 100.03}}) {
        const auto ticks = make_ticks(range, Scale::linear, 5);
        for (std::size_t i = 1; i < ticks.major.size(); ++i) {
            EXPECT_NE(ticks.major[i].label, ticks.major[i - 1].label);
        }
    }
    EXPECT_EQ(make_ticks({0, 9e6}, Scale::linear, 5).factor, "\u00D710^{6}");
    EXPECT_EQ(make_ticks({0, 1}, Scale::linear, 5).factor, "");
}

TEST(Ticks, zero_is_written_without_sign_and_negative_numbers_with_a_minus_sign) {
    const auto ticks = make_ticks({-1, 1}, Scale::linear, 2).major;
    ASSERT_EQ(ticks.size(), 3u);
    EXPECT_EQ(ticks[0].label, "\u22121");
    EXPECT_EQ(ticks[1].label, "0");
    EXPECT_EQ(ticks[2].label, "1");
}

TEST(Ticks, logarithmic_ticks_are_powers_of_ten_with_eight_minor_ticks_each) {
    const auto ticks = make_ticks({1, 1e4}, Scale::log, 8);
    ASSERT_EQ(ticks.major.size(), 5u);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_DOUBLE_EQ(ticks.major[i].value, std::pow(10.0, double(i)));
    }
    EXPECT_EQ(ticks.major[3].label, "10^{3}");
    EXPECT_EQ(ticks.minor.size(), 32u);
}

TEST(Ticks, logarithmic_ticks_of_many_decades_are_thinned_and_of_less_than_one_still_exist) {
    EXPECT_LE(make_ticks({1e-20, 1e20}, Scale::log, 6).major.size(), 7u);
    for (const Range range : {Range{2, 9}, {3, 4}, {0.95, 12}, {1.01, 1.02}}) {
        EXPECT_GE(make_ticks(range, Scale::log, 5).major.size(), 2u)
            << range.low << " " << range.high;
    }
}

TEST(Ticks, numbers_are_written_short) {
    EXPECT_EQ(number_text(0), "0");
    EXPECT_EQ(number_text(0.25), "0.25");
    EXPECT_EQ(number_text(-3), "\u22123");
    EXPECT_EQ(number_text(12345), "12345");
    EXPECT_EQ(number_text(1.5e-7), "1.5\u00D710^{\u22127}");
    EXPECT_EQ(number_text(1e6), "10^{6}");
    EXPECT_EQ(number_text(NAN), "\u2013");
}

}  // namespace
}  // namespace hodo::draw
