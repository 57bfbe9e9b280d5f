#include "hodo/sparse/detail/direct_blocks.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "hodo/base/random.hh"
#include "hodo/base/threads.hh"

namespace hodo::sparse {
namespace {

/// Events full of voxels whose coordinates are multiples of the stride.
std::vector<Voxel> crowd(std::int64_t count, std::int64_t side, const Triple& stride) {
    base::Random random(5, "crowd");
    std::vector<Voxel> voxels(static_cast<std::size_t>(count));
    const auto place = [&](std::int64_t step) {
        const auto cell = static_cast<std::int64_t>(random.below(static_cast<std::size_t>(side)));
        return static_cast<std::int32_t>((cell - side / 2) * step);
    };
    for (auto& v : voxels) {
        v = {static_cast<std::int32_t>(random.below(2)), place(stride[0]), place(stride[1]),
             place(stride[2])};
    }
    return voxels;
}

void expect_same(const Blocks& actual, const Blocks& expected) {
    EXPECT_EQ(actual.rows, expected.rows);
    EXPECT_EQ(actual.segment_starts, expected.segment_starts);
    EXPECT_EQ(actual.pair_starts, expected.pair_starts);
    EXPECT_TRUE(std::ranges::equal(actual.others, expected.others));
    EXPECT_TRUE(std::ranges::equal(actual.own, expected.own));
    EXPECT_TRUE(std::ranges::equal(actual.segments, expected.segments, [](auto a, auto b) {
        return a.cell == b.cell && a.count == b.count;
    }));
}

void expect_blocks_of_lists(const std::vector<Voxel>& voxels, const Triple& stride,
                            const Kernel& kernel) {
    ASSERT_TRUE(has_direct_blocks(kernel));
    const auto level = group_rows(voxels, stride).voxels;
    const auto expected = make_blocks(find_neighbours(*level, *level, kernel), kernel.volume());
    for (const int threads : {1, 2}) {
        base::set_threads(threads);
        expect_same(direct_blocks(*level, kernel), expected);
    }
    base::set_threads(1);
}

TEST(DirectBlocks, AreThoseOfTheListsOfNeighbours) {
    const Kernel kernels[] = {{{3, 3, 3}}, {{1, 3, 3}},
                              {{1, 1, 1}}, {{5, 1, 3}, {2, 3, 1}},
                              {{3, 5, 3}}, {{3, 3, 3}, {2, 1, 1}}};
    for (const auto& kernel : kernels) {
        for (const Triple& stride : {Triple{1, 1, 1}, Triple{2, 4, 3}}) {
            // Full lines of several blocks, lines of a block and lines with holes.
            for (const std::int64_t count : {0, 1, 300, 9000}) {
                for (const std::int64_t side : {12, 40}) {
                    SCOPED_TRACE(testing::Message()
                                 << kernel.size[0] << kernel.size[1] << kernel.size[2] << ", "
                                 << count << " rows within " << side);
                    expect_blocks_of_lists(crowd(count, side, stride), stride, kernel);
                }
            }
        }
    }
}

TEST(DirectBlocks, OfOneLongLineGoOnFromBlockToBlock) {
    std::vector<Voxel> line;
    for (std::int32_t z = 0; z < 5000; ++z) {
        if (z % 7 != 3) line.push_back({0, 4, 4, z});
        if (z % 5 != 1) line.push_back({0, 4, 5, z});
    }
    expect_blocks_of_lists(line, {1, 1, 1}, {{3, 3, 3}});
}

TEST(DirectBlocks, ReachAsFarAsCoordinatesDo) {
    const auto low = std::numeric_limits<std::int32_t>::min();
    const auto high = std::numeric_limits<std::int32_t>::max();
    std::vector<Voxel> corners;
    for (const auto x : {low, low + 1, high - 1, high}) {
        for (const auto y : {low, high}) {
            for (const auto z : {low, low + 1, high - 1, high}) corners.push_back({0, x, y, z});
        }
    }
    expect_blocks_of_lists(corners, {1, 1, 1}, {{3, 3, 3}});
}

TEST(DirectBlocks, AreForSymmetricKernelsOfThreeAlongZ) {
    EXPECT_FALSE(has_direct_blocks({{2, 2, 2}}));
    EXPECT_FALSE(has_direct_blocks({{3, 3, 3}, {1, 1, 1}, Alignment::forward}));
    EXPECT_FALSE(has_direct_blocks({{3, 3, 5}}));
    EXPECT_FALSE(has_direct_blocks({{3, 3, 3}, {1, 1, 2}}));
    EXPECT_FALSE(has_direct_blocks({{7, 7, 3}}));
    EXPECT_FALSE(has_direct_blocks({{3, 3, 0}}));
}

}  // namespace
}  // namespace hodo::sparse
