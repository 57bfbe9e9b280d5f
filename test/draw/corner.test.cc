#include "hodo/draw/corner.hh"

#include <gtest/gtest.h>

#include <cmath>

#include "draw/gallery.hh"
#include "hodo/base/error.hh"

namespace hodo::draw {
namespace {

std::vector<std::vector<double>> samples(std::size_t count) {
    return {test::normal_numbers(count, 1), test::normal_numbers(count, 2)};
}

TEST(Corner, has_panels_on_and_below_the_diagonal_only) {
    const Figure figure = corner(samples(2000), {.labels = {"a", "b"}});
    EXPECT_EQ(figure.panels().size(), 3u);
    EXPECT_FALSE(figure.panels().contains({0, 1}));
}

TEST(Corner, summary_above_the_diagonal_is_median_and_quantiles) {
    // 0 ... 100: the median is 50, and 16 and 84 per cent lie 34 away.
    std::vector<double> even;
    for (int i = 0; i <= 100; ++i) even.push_back(i);
    const Figure figure = corner({even}, {.labels = {"a"}});
    EXPECT_EQ(figure.panels().at({0, 0}).title(), "50 ^{+34}_{\u221234}");
}

TEST(Corner, histogram_counts_every_draw_within_the_range_shown) {
    const Figure figure = corner(samples(2000), {.labels = {"a", "b"}});
    double sum = 0;
    for (const double count :
         std::get<StepSeries>(figure.panels().at({1, 1}).series().at(0)).counts) {
        sum += count;
    }
    EXPECT_GT(sum, 1990);
    EXPECT_LE(sum, 2000);
}

TEST(Corner, truth_is_within_the_range_shown) {
    const Figure figure = corner(samples(500), {.labels = {"a", "b"}, .truth = {50, NAN}});
    EXPECT_GT(*figure.panels().at({0, 0}).x().high, 50);
}

TEST(Corner, few_equal_and_missing_draws_are_drawn) {
    for (const auto& draws :
         {std::vector<double>{}, {1.0}, {NAN, NAN}, std::vector<double>(50, 3.0)}) {
        const Figure figure = corner({draws, draws}, {.labels = {"a", "b"}});
        EXPECT_FALSE(figure.render(Format::svg).empty());
    }
}

TEST(Corner, draws_of_different_number_are_a_broken_contract) {
    EXPECT_THROW(corner({{1, 2}, {1}}, {.labels = {"a", "b"}}), base::Defect);
    EXPECT_THROW(corner({{1, 2}}, {}), base::Defect);
}

}  // namespace
}  // namespace hodo::draw
