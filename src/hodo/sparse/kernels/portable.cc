#include "hodo/sparse/kernels/all_tiles.hh"
#include "hodo/sparse/kernels/variants.hh"

namespace hodo::sparse {

const Kernels portable_kernels = make_kernels("portable");

}  // namespace hodo::sparse
