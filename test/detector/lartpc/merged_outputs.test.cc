#include "hodo/detector/lartpc/merged_outputs.hh"

#include <gtest/gtest.h>

#include <algorithm>

namespace lartpc = hodo::lartpc;

TEST(MergedOutputs, a_track_through_a_gap_is_continued_in_place_and_value) {
    const lartpc::VoxelImage low{{{10, 20, 286}, {11, 21, 287}}, 1, {1.0, 0.9}};
    const lartpc::VoxelImage high{{{14, 24, 290}, {15, 25, 291}}, 1, {0.6, 0.5}};
    const auto gap = lartpc::fill_gap(low, high, 2, 287, 290);
    EXPECT_EQ(gap.voxels, (std::vector<lartpc::Voxel>{{12, 22, 288}, {13, 23, 289}}));
    EXPECT_NEAR(gap.value(0), 0.8, 1e-12);
    EXPECT_NEAR(gap.value(1), 0.7, 1e-12);
    // Mirrored, the same voxels come out.
    const lartpc::VoxelImage swapped_low{{{14, 24, 287}}, 1, {0.6}},
        swapped_high{{{11, 21, 290}}, 1, {0.9}};
    const auto mirrored = lartpc::fill_gap(swapped_low, swapped_high, 2, 287, 290);
    EXPECT_EQ(mirrored.voxels, (std::vector<lartpc::Voxel>{{12, 22, 289}, {13, 23, 288}}));
}

TEST(MergedOutputs, nothing_is_made_up_without_a_partner_or_of_ghosts) {
    const lartpc::VoxelImage low{{{10, 20, 287}}, 1, {1.0}}, none{{}, 1, {}};
    EXPECT_EQ(lartpc::fill_gap(low, none, 2, 287, 290).size(), 0);
    const lartpc::VoxelImage far{{{10, 40, 290}}, 1, {1.0}}, ghost{{{10, 20, 290}}, 1, {0.005}};
    EXPECT_EQ(lartpc::fill_gap(low, far, 2, 287, 290).size(), 0);
    const lartpc::VoxelImage small{{{10, 20, 287}}, 1, {0.005}};
    EXPECT_EQ(lartpc::fill_gap(small, ghost, 2, 287, 290).size(), 0);
}

TEST(MergedOutputs, tpcs_stand_side_by_side_and_no_output_is_lost) {
    const std::vector<int> tpcs{1, 5, 9};
    // TPC 5 begins 290 voxels, TPC 9 580 voxels after TPC 1.
    const std::vector<lartpc::VoxelImage> images{{{{100, 50, 10}, {100, 50, 287}}, 1, {0.1, 1.0}},
                                                 {{{100, 50, 0}, {100, 60, 287}}, 1, {0.5, 0.2}},
                                                 {{{100, 90, 0}}, 1, {0.3}}};
    const auto merged = lartpc::merge_outputs(images, lartpc::protodune_sp(), tpcs, {8, 4, 4});
    EXPECT_TRUE(std::is_sorted(merged.voxels.begin(), merged.voxels.end()));
    const auto value_at = [&](const lartpc::Voxel& voxel) {
        const auto place = std::find(merged.voxels.begin(), merged.voxels.end(), voxel);
        return place == merged.voxels.end() ? -1.0 : merged.value(place - merged.voxels.begin());
    };
    EXPECT_EQ(value_at({100, 50, 10}), 0.1);
    EXPECT_EQ(value_at({100, 50, 287}), 1.0);
    EXPECT_EQ(value_at({100, 50, 290}), 0.5);
    EXPECT_EQ(value_at({100, 60, 577}), 0.2);
    EXPECT_EQ(value_at({100, 90, 580}), 0.3);
    EXPECT_NEAR(value_at({100, 50, 288}), 1.0 - 0.5 / 3, 1e-12);
    EXPECT_NEAR(value_at({100, 50, 289}), 0.5 + 0.5 / 3, 1e-12);
    EXPECT_EQ(merged.size(), 7);  // the other gap's voxels are too far from each other
}
