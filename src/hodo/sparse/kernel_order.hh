#pragma once
/// Kernel cells in the order of other programs' files.

#include "hodo/sparse/neighbours.hh"
#include "hodo/tensor/torch.hh"

namespace hodo::sparse {

/// How a file numbers the cells of a kernel.
///  * `last_axis_fastest`: k = (i_x s_y + i_y) s_z + i_z, SparseConvNet's and our own;
///  * `first_axis_fastest`: k = i_x + s_x (i_y + s_y i_z), MinkowskiEngine's.
enum class KernelOrder : std::uint8_t { last_axis_fastest, first_axis_fastest };

/// For each of our cells the cell's number in `order`.
std::vector<std::int64_t> cells_in(KernelOrder order, const Triple& size);

/// Weights [cells, ...] of a file in our order, and back. A weight without an axis of cells (a
/// kernel of one cell, [in, out]) stays as it is.
at::Tensor from_order(const at::Tensor& weight, KernelOrder order, const Triple& size);
at::Tensor to_order(const at::Tensor& weight, KernelOrder order, const Triple& size);

}  // namespace hodo::sparse
