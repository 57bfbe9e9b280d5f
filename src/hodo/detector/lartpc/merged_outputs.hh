#pragma once
/// Outputs of networks for several TPCs in one frame, with the gaps between their anodes filled.

#include "hodo/detector/lartpc/geometry.hh"
#include "hodo/detector/lartpc/tiling.hh"
#include "hodo/detector/lartpc/voxel_cloud.hh"

#include <cstdint>
#include <span>
#include <vector>

namespace hodo::lartpc {

/// Filled voxels keep values above this.
inline constexpr double least_filled = 0.01;
/// Voxels of facing layers belong together when no farther apart across the gap's axis [voxels].
inline constexpr double farthest_partner = 8;

/// Fills the layers between `last` and `first` along `axis`: voxels of the layer at `last` of one
/// image and of the layer at `first` of the other (last < first) are joined to their nearest
/// partners by straight lines, along which values change linearly. Where lines meet the largest
/// value counts. Ordered by (x, y, z).
VoxelImage fill_gap(const VoxelImage& low, const VoxelImage& high, std::size_t axis,
                    std::int32_t last, std::int32_t first);

/// The outputs of one event on several TPCs in the frame of the first, gaps between neighbours
/// filled, ordered by (x, y, z). `images[i]` belongs to `tpcs[i]`.
VoxelImage merge_outputs(std::span<const VoxelImage> images, const Detector& detector,
                         std::span<const int> tpcs, Downsampling factors);

}  // namespace hodo::lartpc
