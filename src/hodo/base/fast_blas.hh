#pragma once
/// For a program that is about to open LibTorch: OpenBLAS uses AVX-512 where the machine has it.
///
/// OpenBLAS chooses its kernels by the processor's model when it is loaded. Releases older than the
/// processor do not know it and fall back to kernels of 2004 (0.3.21 on Xeons since 2023), which
/// are several times slower. With AVX-512 this asks for the kernels of Skylake-X, which every later
/// Xeon can run, unless the user has chosen (OPENBLAS_CORETYPE). Call it before OpenBLAS is loaded.

#include <cstdlib>

namespace hodo::base {

inline void ask_for_fast_blas() {
#if defined(__x86_64__)
    const bool wide =
        __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
        __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0;
    if (wide) setenv("OPENBLAS_CORETYPE", "SKYLAKEX", 0);
#endif
}

}  // namespace hodo::base
