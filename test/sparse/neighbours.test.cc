#include "hodo/sparse/neighbours.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "hodo/base/threads.hh"
#include "hodo/sparse/rulebook.hh"
#include "sparse/cases.hh"

namespace hodo::sparse {
namespace {

/// By definition: every offset of every output voxel looked up.
std::vector<std::vector<Pair>> looked_up(const Coordinates& output, const Coordinates& input,
                                         const Kernel& kernel) {
    const auto offsets = test::offsets_of(kernel, input.stride());
    std::vector<std::vector<Pair>> found;
    for (const auto& u : output.voxels()) {
        auto& row = found.emplace_back();
        for (std::size_t k = 0; k < offsets.size(); ++k) {
            const std::array<std::int64_t, 3> at{u.x + offsets[k][0], u.y + offsets[k][1],
                                                 u.z + offsets[k][2]};
            if (std::ranges::any_of(
                    at, [](std::int64_t c) { return static_cast<std::int32_t>(c) != c; })) {
                continue;
            }
            const auto place =
                input.find({u.batch, static_cast<std::int32_t>(at[0]),
                            static_cast<std::int32_t>(at[1]), static_cast<std::int32_t>(at[2])});
            if (place < 0) continue;
            row.push_back({static_cast<std::int32_t>(place), static_cast<std::int32_t>(k)});
        }
    }
    return found;
}

void expect_defined_pairs(const Neighbours& actual,
                          const std::vector<std::vector<Pair>>& expected) {
    ASSERT_EQ(actual.rows(), static_cast<std::int64_t>(expected.size()));
    for (std::int64_t row = 0; row < actual.rows(); ++row) {
        ASSERT_TRUE(std::ranges::equal(actual.of(row), expected[static_cast<std::size_t>(row)]))
            << "row " << row;
    }
}

TEST(Neighbours, AreThoseFoundByLookingUpEveryOffset) {
    for (const auto& [name, spec] : test::kernel_cases()) {
        SCOPED_TRACE(name);
        const auto input = group_rows(test::random_voxels(400, 11, 2, "pairs")).voxels;
        const auto output = Maps().coarser(input, spec.kernel, spec.stride, spec.sites);
        const auto found = find_neighbours(*output, *input, spec.kernel);
        EXPECT_GE(found.entries.size(), static_cast<std::size_t>(input->size()) / 10);
        expect_defined_pairs(found, looked_up(*output, *input, spec.kernel));
    }
}

TEST(Neighbours, HoldOnCoarseLevelsToo) {
    const auto fine = group_rows(test::random_voxels(500, 30, 2, "coarse")).voxels;
    const auto coarse = std::make_shared<Coordinates>(coarse_cells(*fine, {4, 2, 1}));
    EXPECT_EQ(coarse->stride(), (Triple{4, 2, 1}));
    const Kernel kernel{{3, 3, 3}};
    expect_defined_pairs(find_neighbours(*coarse, *coarse, kernel),
                         looked_up(*coarse, *coarse, kernel));
}

TEST(Neighbours, NeverWrapAroundTheEndsOfThirtyTwoBits) {
    constexpr auto far = std::numeric_limits<std::int32_t>::max();
    constexpr auto below = std::numeric_limits<std::int32_t>::min();
    const auto voxels = group_rows(std::vector<Voxel>{{0, far, far, far},
                                                      {0, below, below, below},
                                                      {0, far, far, far - 1},
                                                      {0, below, far, below}})
                            .voxels;
    const Kernel kernel{{3, 3, 3}};
    const auto found = find_neighbours(*voxels, *voxels, kernel);
    EXPECT_EQ(found.entries.size(), 6U);
    expect_defined_pairs(found, looked_up(*voxels, *voxels, kernel));
}

TEST(Neighbours, NeverJoinTwoEvents) {
    const auto voxels =
        group_rows(std::vector<Voxel>{{0, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 1}}).voxels;
    EXPECT_EQ(find_neighbours(*voxels, *voxels, {{3, 3, 3}}).entries.size(), 5U);
}

TEST(Neighbours, OfNoVoxelAndOfOneAreDefined) {
    const Kernel kernel{{3, 3, 3}};
    const auto none = group_rows({}).voxels;
    EXPECT_EQ(find_neighbours(*none, *none, kernel).rows(), 0);
    const auto one = group_rows(std::vector<Voxel>{{0, -7, 5, 0}}).voxels;
    const auto found = find_neighbours(*one, *one, kernel);
    ASSERT_EQ(found.entries.size(), 1U);
    EXPECT_EQ(found.entries[0], (Pair{0, 13}));
    EXPECT_EQ(find_neighbours(*one, *none, kernel).rows(), 1);
    EXPECT_EQ(coarse_cells(*none, {2, 2, 2}).size(), 0);
}

TEST(Neighbours, ReversedTwiceAreThemselves) {
    const auto fine = group_rows(test::random_voxels(300, 10, 2, "reverse")).voxels;
    const auto coarse = coarse_cells(*fine, {2, 2, 2});
    const auto there = find_neighbours(coarse, *fine, {{3, 3, 3}});
    const auto back = reversed(there, fine->size());
    EXPECT_EQ(back.rows(), fine->size());
    const auto again = reversed(back, coarse.size());
    EXPECT_EQ(again.starts, there.starts);
    EXPECT_EQ(again.entries, there.entries);
}

TEST(Neighbours, EveryVoxelLiesInOneCellOfItsCoarseLevel) {
    const auto fine = group_rows(test::random_voxels(300, 40, 2, "cells")).voxels;
    for (const Triple& stride : {Triple{2, 2, 2}, Triple{4, 1, 3}}) {
        const auto coarse = coarse_cells(*fine, stride);
        const auto pairs = find_neighbours(coarse, *fine, {stride, {1, 1, 1}, Alignment::forward});
        EXPECT_EQ(pairs.entries.size(), static_cast<std::size_t>(fine->size()));
        const auto back = reversed(pairs, fine->size());
        for (std::int64_t row = 0; row < fine->size(); ++row) ASSERT_EQ(back.of(row).size(), 1U);
    }
}

TEST(Neighbours, CoarseCellsAreTheSameForAnyNumberOfThreads) {
    const auto voxels_of = [](const Coordinates& level) {
        return std::vector<Voxel>(level.voxels().begin(), level.voxels().end());
    };
    // A plane, in which no part can end, beside levels that fall into parts.
    auto plane = test::random_voxels(40000, 250, 2, "plane");
    for (auto& voxel : plane) voxel.x = 5;
    for (const auto& rows : {test::random_voxels(60000, 60, 3, "coarse threads"), plane}) {
        const auto fine = group_rows(rows).voxels;
        for (const Triple& stride : {Triple{2, 2, 2}, Triple{4, 1, 3}, Triple{1, 7, 1}}) {
            std::vector<Voxel> looked_up;
            for (const auto& voxel : fine->voxels()) looked_up.push_back(floor_to(voxel, stride));
            looked_up = sorted_distinct(std::move(looked_up));
            for (const int threads : {1, 3}) {
                base::set_threads(threads);
                EXPECT_EQ(voxels_of(coarse_cells(*fine, stride)), looked_up) << threads;
            }
            base::set_threads(1);
        }
    }
}

TEST(Neighbours, ReversedListsAreTheSameForAnyNumberOfThreads) {
    const auto fine = group_rows(test::random_voxels(40000, 60, 2, "reversed threads")).voxels;
    const auto coarse = coarse_cells(*fine, {2, 2, 2});
    for (const Kernel& kernel :
         {Kernel{{2, 2, 2}, {1, 1, 1}, Alignment::forward}, Kernel{{3, 1, 3}}}) {
        const auto there = find_neighbours(coarse, *fine, kernel);
        const auto one = reversed(there, fine->size());
        base::set_threads(3);
        const auto several = reversed(there, fine->size());
        base::set_threads(1);
        EXPECT_EQ(one.starts, several.starts);
        EXPECT_EQ(one.entries, several.entries);
    }
}

TEST(Neighbours, AndTheOrderOfRowsAreTheSameForAnyNumberOfThreads) {
    const auto rows = test::random_voxels(60000, 60, 3, "threads");
    const auto lists = [&](int threads) {
        base::set_threads(threads);
        const auto level = group_rows(rows).voxels;
        auto found = find_neighbours(*level, *level, {{3, 3, 3}});
        auto blocks = make_blocks(found, 27);
        base::set_threads(1);
        return std::tuple(std::vector<Voxel>(level->voxels().begin(), level->voxels().end()),
                          std::move(found), std::move(blocks));
    };
    const auto [level, one, blocks] = lists(1);
    const auto [same_level, several, same_blocks] = lists(3);
    EXPECT_EQ(level, same_level);
    EXPECT_EQ(one.starts, several.starts);
    EXPECT_EQ(one.entries, several.entries);
    EXPECT_EQ(blocks.others, same_blocks.others);
    EXPECT_EQ(blocks.own, same_blocks.own);
    EXPECT_EQ(blocks.pair_starts, same_blocks.pair_starts);
    EXPECT_EQ(blocks.segment_starts, same_blocks.segment_starts);
}

}  // namespace
}  // namespace hodo::sparse
