#include "hodo/nn/kernels/all_tiles.hh"
#include "hodo/nn/kernels/variants.hh"

namespace hodo::nn {

const Kernels portable_kernels = make_kernels("portable");

}  // namespace hodo::nn
