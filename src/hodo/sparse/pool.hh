#pragma once
/// Pooling of sparse tensors: windows, whole events, and the way up again.

#include "hodo/sparse/conv.hh"

namespace hodo::sparse {

/// `mean` divides by the voxels present in a window (MinkowskiEngine), `mean_of_volume` by the
/// number of the kernel's cells (SparseConvNet). A window without voxels gives 0.
enum class Pooling : std::uint8_t { sum, mean, mean_of_volume, largest };

/// Over the windows of a strided layer.
SparseTensor pool(const SparseTensor& x, Pooling pooling, const ConvSpec& spec);

/// Each voxel of `target` gets the sum of the coarse voxels whose windows hold it: one, when
/// windows are as large as their stride.
SparseTensor unpool(const SparseTensor& x, const ConvSpec& spec, const SharedCoordinates& target);

/// One row per event, [events, channels], in the order of events; 0 for an event without voxels.
at::Tensor pool_events(const SparseTensor& x, Pooling pooling);

/// The way back to voxels: row `event` of `values` [events, channels] for each voxel of the event.
at::Tensor spread_events(const SparseTensor& x, const at::Tensor& values);

}  // namespace hodo::sparse
