#pragma once
/// Batches of voxels as the training loop takes them.

#include "hodo/train/feed.hh"
#include "hodo/workflow/lartpc/dataset.hh"

#include <vector>

namespace hodo::lartpc {

struct TrainingBatch {
    VoxelBatch voxels;
    /// What a failed step is replayed with.
    void state(train::Archive& archive);
};

/// The files of a data set, a row each.
class FileSource final : public train::Source<TrainingBatch> {
  public:
    explicit FileSource(VoxelDataset data) : data_(std::move(data)) {}
    std::vector<std::int64_t> groups() const override { return {data_.size()}; }
    TrainingBatch load(const train::Request& request) const override;
    const VoxelDataset& data() const { return data_; }

  private:
    VoxelDataset data_;
};

}  // namespace hodo::lartpc
