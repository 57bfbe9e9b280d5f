#pragma once
/// True deposits merged into the voxels of a tiled event.

#include "hodo/detector/lartpc/tiling.hh"
#include "hodo/detector/lartpc/voxel_cloud.hh"

#include <vector>

namespace hodo::lartpc {

/// The merged voxel that holds `voxel`. Joined TPCs have negative places too: it rounds down.
Voxel merged_voxel(const Voxel& voxel, Downsampling factors);

/// Merges voxels: the first value is summed, of further ones (track, particle) the most frequent is
/// kept, the lowest among equals. Ordered by (x, y, z).
VoxelImage merge_truth(const VoxelImage& truth, Downsampling factors);

/// The first true value at each voxel of `voxels`, 0 where there is none. `truth` is ordered.
std::vector<float> truth_at(const VoxelImage& truth, std::span<const Voxel> voxels);

}  // namespace hodo::lartpc
