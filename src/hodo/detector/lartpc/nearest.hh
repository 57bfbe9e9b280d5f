#pragma once
/// Nearest neighbours among voxels.

#include "hodo/detector/lartpc/voxel_cloud.hh"

#include <cstdint>
#include <span>
#include <vector>

namespace hodo::lartpc {

/// For every voxel of `of` the row of the nearest of `among`, the first among equals in the order
/// of (x, y, z); -1 when `among` is empty. Distances count voxels.
std::vector<std::int64_t> nearest_rows(std::span<const Voxel> among, std::span<const Voxel> of);

/// The distances themselves; infinite when `among` is empty.
std::vector<double> nearest_distances(std::span<const Voxel> among, std::span<const Voxel> of);

}  // namespace hodo::lartpc
