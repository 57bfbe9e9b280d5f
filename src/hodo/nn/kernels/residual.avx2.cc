#include "hodo/nn/kernels/residual_tiles.hh"

namespace hodo::nn {

const RowKernels avx2_row_kernels{"avx2", fill_mask, residual, residual_gradient};

}  // namespace hodo::nn
