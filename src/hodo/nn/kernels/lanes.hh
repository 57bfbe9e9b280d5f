#pragma once
/// A vector register of floats or words, at the level this source is compiled for.
///
/// Everything has internal linkage, because sources compiled for different levels include this
/// header and must not share functions. For the same reason kernels use nothing of the standard
/// library.

#if defined(__AVX512F__)
#include "hodo/nn/kernels/lanes_avx512.hh"
#elif defined(__AVX2__)
#include "hodo/nn/kernels/lanes_avx2.hh"
#else
#include "hodo/nn/kernels/lanes_portable.hh"
#endif

namespace hodo::nn {
namespace {

/// 2^a to 2e-7 relative, 0 far below; a <= 126.
inline Lanes power_of_two(Lanes a) {
    const Lanes f = above_integer(a);
    // Polynomial of least largest relative error on [0, 1].
    Lanes p = spread(0x1.ec320ap-10F);
    p = multiply_add(p, f, spread(0x1.26900cp-7F));
    p = multiply_add(p, f, spread(0x1.c95446p-5F));
    p = multiply_add(p, f, spread(0x1.ebd5a8p-3F));
    p = multiply_add(p, f, spread(0x1.62e4f4p-1F));
    p = multiply_add(p, f, spread(0x1.fffffep-1F));
    return scale_by_power(p, a);
}

/// The sum of all lanes, in the order of a balanced tree.
inline float sum_lanes(Lanes a) {
    float x[Lanes::width];
    store(x, a);
    for (int half = Lanes::width / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; ++i) x[i] += x[i + half];
    }
    return x[0];
}

}  // namespace
}  // namespace hodo::nn
