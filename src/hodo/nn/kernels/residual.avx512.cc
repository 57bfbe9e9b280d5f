#include "hodo/nn/kernels/residual_tiles.hh"

namespace hodo::nn {

const RowKernels avx512_row_kernels{"avx512", fill_mask, residual, residual_gradient};

}  // namespace hodo::nn
