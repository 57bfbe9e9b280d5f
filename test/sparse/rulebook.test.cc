#include "hodo/sparse/rulebook.hh"

#include <gtest/gtest.h>

#include "sparse/cases.hh"

namespace hodo::sparse {
namespace {

TEST(Rulebook, BlocksHoldEveryPairOnceOrderedByCell) {
    const auto voxels = group_rows(test::random_voxels(900, 12, 2, "blocks")).voxels;
    const Rulebook book(voxels, voxels, {{3, 3, 3}});
    const auto& neighbours = book.neighbours();
    const auto& blocks = book.blocks();
    ASSERT_GT(blocks.count(), 2);
    Neighbours again;
    std::vector<std::vector<Pair>> rows(static_cast<std::size_t>(neighbours.rows()));
    std::size_t pair = 0;
    for (std::int64_t block = 0; block < blocks.count(); ++block) {
        std::int32_t last = -1;
        const auto index = static_cast<std::size_t>(block);
        EXPECT_EQ(blocks.pair_starts[index], static_cast<std::int64_t>(pair));
        for (auto s = blocks.segment_starts[index]; s < blocks.segment_starts[index + 1]; ++s) {
            const auto segment = blocks.segments[static_cast<std::size_t>(s)];
            EXPECT_GT(segment.cell, last);
            EXPECT_GT(segment.count, 0);
            last = segment.cell;
            for (std::int32_t i = 0; i < segment.count; ++i, ++pair) {
                const auto row = block * block_rows + blocks.own[pair];
                rows[static_cast<std::size_t>(row)].push_back({blocks.others[pair], segment.cell});
            }
        }
    }
    EXPECT_EQ(pair, neighbours.entries.size());
    for (std::int64_t row = 0; row < neighbours.rows(); ++row) {
        ASSERT_TRUE(std::ranges::equal(rows[static_cast<std::size_t>(row)], neighbours.of(row)));
    }
}

TEST(Maps, MakeEachLevelAndRulebookOnce) {
    const auto fine = group_rows(test::random_voxels(200, 10, 1, "once")).voxels;
    Maps maps;
    const Kernel pair{{2, 2, 2}, {1, 1, 1}, Alignment::forward};
    const auto coarse = maps.coarser(fine, pair, {2, 2, 2}, Sites::seeing);
    EXPECT_EQ(maps.coarser(fine, pair, {2, 2, 2}, Sites::seeing), coarse);
    // Cells as large as the stride are the same level by every rule and for every kernel.
    EXPECT_EQ(maps.coarser(fine, {{3, 3, 3}}, {2, 2, 2}, Sites::cells), coarse);
    EXPECT_NE(maps.coarser(fine, pair, {4, 2, 2}, Sites::cells), coarse);
    EXPECT_EQ(maps.coarser(fine, {{3, 3, 3}}, {1, 1, 1}, Sites::cells), fine);
    const auto book = maps.rulebook(coarse, fine, pair);
    EXPECT_EQ(maps.rulebook(coarse, fine, pair), book);
    EXPECT_NE(maps.rulebook(fine, fine, pair), book);
}

TEST(Maps, SitesThatSeeAVoxelAreNotItsCellWhereAKernelReachesBack) {
    // A centred kernel of 2 x 3 x 2 at its own stride: y = 2 is seen from 3, not from its cell 0.
    const auto fine = group_rows(std::vector<Voxel>{{0, 4, 2, 4}}).voxels;
    const auto sites = Maps().coarser(fine, {{2, 3, 2}}, {2, 3, 2}, Sites::seeing);
    ASSERT_EQ(sites->size(), 1);
    EXPECT_EQ(sites->voxels().front(), (Voxel{0, 4, 3, 4}));
}

TEST(Maps, SparseConvNetsStridedSitesAreAllThatSeeAVoxel) {
    const auto fine = group_rows(std::vector<Voxel>{{0, 4, 4, 4}}).voxels;
    Maps maps;
    // A filter of 3 at stride 2: the sites 2 and 4 see position 4, on each axis.
    const auto coarse =
        maps.coarser(fine, {{3, 3, 3}, {1, 1, 1}, Alignment::forward}, {2, 2, 2}, Sites::seeing);
    EXPECT_EQ(coarse->size(), 8);
    EXPECT_EQ(coarse->voxels().front(), (Voxel{0, 2, 2, 2}));
    EXPECT_EQ(coarse->voxels().back(), (Voxel{0, 4, 4, 4}));
}

}  // namespace
}  // namespace hodo::sparse
