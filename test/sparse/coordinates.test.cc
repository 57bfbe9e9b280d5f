#include "hodo/sparse/coordinates.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "hodo/sparse/neighbours.hh"
#include "sparse/cases.hh"
#include "support/reference.hh"

namespace hodo::sparse {
namespace {

constexpr std::int32_t far = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t far_below = std::numeric_limits<std::int32_t>::min();

TEST(Coordinates, AreSortedAndDistinctWhateverTheOrderOfRows) {
    auto rows = test::random_voxels(300, 9, 3, "sorted");
    rows.insert(rows.end(), rows.begin(), rows.begin() + 40);
    const auto first = group_rows(rows);
    std::reverse(rows.begin(), rows.end());
    const auto second = group_rows(rows);
    EXPECT_TRUE(std::ranges::equal(first.voxels->voxels(), second.voxels->voxels()));
    EXPECT_TRUE(std::ranges::is_sorted(first.voxels->voxels()));
    EXPECT_LT(static_cast<std::size_t>(first.voxels->size()), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(second.voxels->voxels()[static_cast<std::size_t>(second.voxel_of_row[i])],
                  rows[i]);
    }
}

TEST(Coordinates, MayBeAnywhereInThirtyTwoBits) {
    const std::vector<Voxel> rows{{1, far, far_below, 0},
                                  {0, far_below, far, far},
                                  {1, far, far_below, 0},
                                  {0, -1, -1, far_below},
                                  {0, far_below, far, far_below}};
    const auto grouping = group_rows(rows);
    EXPECT_EQ(grouping.voxels->size(), 4);
    EXPECT_TRUE(std::ranges::is_sorted(grouping.voxels->voxels()));
    EXPECT_EQ(grouping.voxels->find({1, far, far_below, 0}), 3);
    EXPECT_EQ(grouping.voxels->find({1, far, far_below, 1}), -1);
}

TEST(Coordinates, OfNoVoxelsHaveNoRowsButEvents) {
    const auto none = group_rows({}, {1, 1, 1}, 3);
    EXPECT_EQ(none.voxels->size(), 0);
    EXPECT_EQ(none.voxels->events(), 3);
    EXPECT_EQ(none.voxels->event_starts().size(), 4U);
    EXPECT_EQ(none.voxels->lines().size(), 1U);
}

TEST(Coordinates, KnowWhereEventsBegin) {
    const auto grouping = group_rows(std::vector<Voxel>{{2, 0, 0, 0}, {0, 1, 1, 1}, {2, 0, 0, 1}});
    const auto starts = grouping.voxels->event_starts();
    EXPECT_EQ(std::vector(starts.begin(), starts.end()), (std::vector<std::int64_t>{0, 1, 1, 3}));
}

TEST(Coordinates, RefuseEventNumbersThatCannotBe) {
    const auto message = hodo::test::error_of([] {
        group_rows(std::vector<Voxel>{{-1, 0, 0, 0}});
    });
    EXPECT_NE(message.find("event number -1"), std::string::npos);
    EXPECT_NE(hodo::test::error_of([] {
                  group_rows(std::vector<Voxel>{{4, 0, 0, 0}}, {1, 1, 1}, 2);
              }).find("2 events"),
              std::string::npos);
}

TEST(Coordinates, FloorTowardsMinusInfinity) {
    EXPECT_EQ(floor_to({0, -1, -4, 7}, {4, 4, 4}), (Voxel{0, -4, -4, 4}));
    EXPECT_EQ(floor_to({0, far, -far, 0}, {2, 2, 2}), (Voxel{0, far - 1, far_below, 0}));
    EXPECT_NE(hodo::test::error_of([] {
                  floor_to({0, far_below, 0, 0}, {3, 1, 1});
              }).find("move the voxels"),
              std::string::npos);
}

}  // namespace
}  // namespace hodo::sparse
