#include "hodo/nn/kernels/all_tiles.hh"
#include "hodo/nn/kernels/variants.hh"

namespace hodo::nn {

const Kernels avx512_kernels = make_kernels("avx512");

}  // namespace hodo::nn
