#include "hodo/workflow/lartpc/learn/batch.hh"

#include <gtest/gtest.h>

#include "small_batch.hh"

namespace hodo::lartpc {
namespace {

TEST(LartpcBatch, comes_back_from_the_archive_of_a_failed_step) {
    TrainingBatch batch{small_batch(20)};
    batch.voxels.cell.assign(40, -1);
    batch.voxels.cell_charge = {2.5F};
    auto archive = train::Archive::to_save();
    batch.state(archive);
    auto stored = train::Archive::to_load(archive);
    TrainingBatch again;
    again.state(stored);
    stored.finish();
    EXPECT_EQ(again.voxels.coordinates, batch.voxels.coordinates);
    EXPECT_EQ(again.voxels.features, batch.voxels.features);
    EXPECT_EQ(again.voxels.targets, batch.voxels.targets);
    EXPECT_EQ(again.voxels.cell, batch.voxels.cell);
    EXPECT_EQ(again.voxels.cell_charge, batch.voxels.cell_charge);
    EXPECT_EQ(again.voxels.event_starts, batch.voxels.event_starts);
    EXPECT_EQ(again.voxels.file_starts, batch.voxels.file_starts);
    EXPECT_EQ(again.voxels.files, batch.voxels.files);
    EXPECT_EQ(again.voxels.samples, batch.voxels.samples);
}

}  // namespace
}  // namespace hodo::lartpc
