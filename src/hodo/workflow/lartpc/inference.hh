#pragma once
/// From xy files to outputs of a network, whatever the network.
///
/// Events of several files go through the network together, up to a number of voxels; one larger
/// event goes alone. What an event gets does not depend on the others.

#include "hodo/base/text.hh"
#include "hodo/workflow/lartpc/options.hh"
#include "hodo/workflow/lartpc/voxel_batch.hh"

#include <cstdint>
#include <functional>
#include <vector>

namespace hodo::lartpc {

/// One value per row of a batch.
using Predict = std::function<std::vector<float>(const VoxelBatch&)>;

/// Events [first, last) of a batch, numbered from 0; features and coordinates only.
VoxelBatch events_of(const VoxelBatch& batch, std::int64_t first, std::int64_t last);

/// One value per row of `batch`, from passes over consecutive events of at most `voxels` rows.
std::vector<float> predict_in_passes(const VoxelBatch& batch, std::int64_t voxels,
                                     const Predict& predict);

struct InferenceCount {
    std::int64_t files = 0, present = 0, voxels = 0;
};

/// Writes the yinf file of each of `files` (and of kept voxels, see `ApplyOptions`) into `folder`;
/// those that are there stay. Memory holds about `options.voxels` voxels and one file. `done` is
/// called after each file.
InferenceCount infer_files(const std::vector<base::Path>& files, const base::Path& folder,
                           std::int64_t epoch, const ApplyOptions& options, const Predict& predict,
                           const std::function<void()>& done);

}  // namespace hodo::lartpc
