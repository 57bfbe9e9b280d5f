#pragma once
/// All variants of the kernels, each from its own source.

#include "hodo/nn/kernels/kernels.hh"

namespace hodo::nn {

extern const Kernels reference_kernels;
extern const Kernels portable_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;

}  // namespace hodo::nn
