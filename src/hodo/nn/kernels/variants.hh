#pragma once
/// All variants of the kernels, each from its own source.

#include "hodo/nn/kernels/kernels.hh"

namespace hodo::nn {

extern const Kernels reference_kernels;
extern const Kernels portable_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
extern const Kernels amx_kernels;  ///< AVX-512 with tile registers for the feed-forward part.

}  // namespace hodo::nn
