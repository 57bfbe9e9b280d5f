#include "hodo/nn/kernels/all_tiles.hh"
#include "hodo/nn/kernels/variants.hh"

namespace hodo::nn {

const Kernels avx2_kernels = make_kernels("avx2");

}  // namespace hodo::nn
