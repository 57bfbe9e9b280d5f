#include "hodo/sparse/kernels/all_tiles.hh"
#include "hodo/sparse/kernels/variants.hh"

namespace hodo::sparse {

const Kernels avx2_kernels = make_kernels("avx2");

}  // namespace hodo::sparse
