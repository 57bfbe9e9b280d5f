#pragma once
/// All variants of the kernels, each from its own source.

#include "hodo/sparse/kernels/kernels.hh"

namespace hodo::sparse {

extern const Kernels portable_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;

}  // namespace hodo::sparse
