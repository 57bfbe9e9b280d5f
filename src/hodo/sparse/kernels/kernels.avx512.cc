#include "hodo/sparse/kernels/all_tiles.hh"
#include "hodo/sparse/kernels/variants.hh"

namespace hodo::sparse {

const Kernels avx512_kernels = make_kernels("avx512");

}  // namespace hodo::sparse
