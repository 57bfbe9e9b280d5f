#pragma once
/// A vector register of floats, at the level this source is compiled for.
///
/// Everything has internal linkage, because sources compiled for different levels include this
/// header and must not share functions. For the same reason kernels use nothing of the standard
/// library.

#include <cstdint>

#if defined(__AVX2__)
// The intrinsics of GCC 12 begin from a register that is undefined on purpose.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#endif

namespace hodo::sparse {
namespace {

#if defined(__AVX512F__)
constexpr int width = 16;
constexpr int registers = 32;
using Lanes = __m512;
inline Lanes load(const float* p) {
    return _mm512_loadu_ps(p);
}
inline void store(float* p, Lanes a) {
    _mm512_storeu_ps(p, a);
}
inline Lanes spread(float x) {
    return _mm512_set1_ps(x);
}
/// a b + c
inline Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
    return _mm512_fmadd_ps(a, b, c);
}
#elif defined(__AVX2__)
constexpr int width = 8;
constexpr int registers = 16;
using Lanes = __m256;
inline Lanes load(const float* p) {
    return _mm256_loadu_ps(p);
}
inline void store(float* p, Lanes a) {
    _mm256_storeu_ps(p, a);
}
inline Lanes spread(float x) {
    return _mm256_set1_ps(x);
}
inline Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
    return _mm256_fmadd_ps(a, b, c);
}
#else
constexpr int width = 4;
constexpr int registers = 16;
typedef float Lanes __attribute__((vector_size(16)));
inline Lanes load(const float* p) {
    Lanes a;
    __builtin_memcpy(&a, p, sizeof a);
    return a;
}
inline void store(float* p, Lanes a) {
    __builtin_memcpy(p, &a, sizeof a);
}
inline Lanes spread(float x) {
    return Lanes{x, x, x, x};
}
inline Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
    return a * b + c;
}
#endif

/// A number of registers, of rows or of columns, as a type.
template <int count_>
struct Registers {
    static constexpr int count = count_;
};

/// a where a > 0, else a leak; for a register or a number.
inline Lanes leaky(Lanes a, float leak) {
    const Lanes zero = spread(0.0F);
    return a > zero ? a : a * spread(leak);
}
inline float leaky(float a, float leak) {
    return a > 0.0F ? a : a * leak;
}

}  // namespace
}  // namespace hodo::sparse
