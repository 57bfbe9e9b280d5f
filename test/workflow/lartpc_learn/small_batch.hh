#pragma once
/// A small batch with voxels that are near each other, some of them twice.

#include "hodo/base/random.hh"
#include "hodo/workflow/lartpc/model_options.hh"
#include "hodo/workflow/lartpc/voxel_batch.hh"

namespace hodo::lartpc {

/// Options of a network that is small.
inline ModelOptions small_model(NetworkKind kind = NetworkKind::cellnet_binary) {
    ModelOptions options;
    options.name = kind;
    options.n_channels = 4;
    options.n_strides = 3;
    options.reps = 1;
    options.hidden_layers = 2;
    return options;
}

/// `voxels` of each of two events, each event a file; labels: whether the first charge is positive.
inline VoxelBatch small_batch(std::int64_t voxels, std::uint64_t seed = 3, int extent = 12) {
    VoxelBatch batch;
    base::Random random(seed, "small batch");
    for (std::int32_t event = 0; event < 2; ++event) {
        for (std::int64_t i = 0; i < voxels; ++i) {
            for (int axis = 0; axis < 3; ++axis) {
                batch.coordinates.push_back(
                    static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(extent))));
            }
            batch.coordinates.push_back(event);
            for (int plane = 0; plane < 3; ++plane) {
                batch.features.push_back(static_cast<float>(random.normal()));
            }
            batch.targets.push_back(batch.features[batch.features.size() - 3] > 0 ? 1.0F : 0.0F);
        }
        batch.event_starts.push_back(batch.size());
        batch.file_starts.push_back(batch.size());
        batch.file_events.push_back(event + 1);
        batch.files.emplace_back("batch" + std::to_string(event) +
                                 "-reco_singleElectron_001_xy-TPC1.npz");
        batch.samples.push_back(event);
    }
    return batch;
}

}  // namespace hodo::lartpc
