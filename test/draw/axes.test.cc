#include "hodo/draw/axes.hh"

#include <gtest/gtest.h>

#include "hodo/base/error.hh"

namespace hodo::draw {
namespace {

TEST(Axes, series_take_the_colours_of_the_palette_unless_they_name_one) {
    Axes axes;
    axes.line({1, 2}, {1, 2}).line({1, 2}, {1, 2}, {.colour = Colour{1, 0, 0, 1}});
    axes.vertical(1.5).steps({0, 1}, {2});
    EXPECT_EQ(*std::get<LineSeries>(axes.series()[0]).options.colour, palette(0));
    EXPECT_EQ(std::get<LineSeries>(axes.series()[1]).options.colour->hex(), "#FF0000");
    EXPECT_EQ(*std::get<StepSeries>(axes.series()[3]).options.colour, palette(1));
}

TEST(Axes, columns_of_different_length_are_a_broken_contract) {
    Axes axes;
    EXPECT_THROW(axes.line({1, 2}, {1}), base::Defect);
    EXPECT_THROW(axes.steps({1, 2}, {1, 2}), base::Defect);
    EXPECT_THROW(axes.points({1}, {1}, {.y_errors = {1, 2}}), base::Defect);
    EXPECT_THROW(axes.heat_map({0, 1, 2}, {0, 1}, {1}), base::Defect);
    EXPECT_THROW(axes.bars({"a"}, {1, 2}), base::Defect);
    EXPECT_TRUE(axes.series().empty());
}

}  // namespace
}  // namespace hodo::draw
