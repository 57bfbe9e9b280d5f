#include "hodo/nn/kernels/residual_tiles.hh"

namespace hodo::nn {

const RowKernels portable_row_kernels{"portable", fill_mask, residual, residual_gradient};

}  // namespace hodo::nn
