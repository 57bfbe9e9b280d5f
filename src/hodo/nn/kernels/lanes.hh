#pragma once
/// A vector register of floats, at the level this source is compiled for.
///
/// Everything has internal linkage, because sources compiled for different levels include this
/// header and must not share functions. For the same reason kernels use nothing of the standard
/// library.

#include <cstdint>

#if defined(__AVX512F__) || defined(__AVX2__)
// The intrinsics of GCC 12 begin from a register that is undefined on purpose.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#endif

namespace hodo::nn {
namespace {

#if defined(__AVX512F__)

struct Lanes {
    static constexpr int width = 16;
    static constexpr int tile_rows = 8;
    __m512 v;
};
inline Lanes load(const float* p) {
    return {_mm512_loadu_ps(p)};
}
inline Lanes spread(float x) {
    return {_mm512_set1_ps(x)};
}
inline void store(float* p, Lanes a) {
    _mm512_storeu_ps(p, a.v);
}
inline Lanes operator+(Lanes a, Lanes b) {
    return {_mm512_add_ps(a.v, b.v)};
}
inline Lanes operator-(Lanes a, Lanes b) {
    return {_mm512_sub_ps(a.v, b.v)};
}
inline Lanes operator*(Lanes a, Lanes b) {
    return {_mm512_mul_ps(a.v, b.v)};
}
inline Lanes larger(Lanes a, Lanes b) {
    return {_mm512_max_ps(a.v, b.v)};
}
/// a b + c
inline Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
inline Lanes nearest_integer(Lanes a) {
    return {_mm512_roundscale_ps(a.v, 8)};
}
/// a 2^n for whole n.
inline Lanes scale_by_power(Lanes a, Lanes n) {
    return {_mm512_scalef_ps(a.v, n.v)};
}

#elif defined(__AVX2__)

struct Lanes {
    static constexpr int width = 8;
    static constexpr int tile_rows = 4;
    __m256 v;
};
inline Lanes load(const float* p) {
    return {_mm256_loadu_ps(p)};
}
inline Lanes spread(float x) {
    return {_mm256_set1_ps(x)};
}
inline void store(float* p, Lanes a) {
    _mm256_storeu_ps(p, a.v);
}
inline Lanes operator+(Lanes a, Lanes b) {
    return {_mm256_add_ps(a.v, b.v)};
}
inline Lanes operator-(Lanes a, Lanes b) {
    return {_mm256_sub_ps(a.v, b.v)};
}
inline Lanes operator*(Lanes a, Lanes b) {
    return {_mm256_mul_ps(a.v, b.v)};
}
inline Lanes larger(Lanes a, Lanes b) {
    return {_mm256_max_ps(a.v, b.v)};
}
inline Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
    return {_mm256_fmadd_ps(a.v, b.v, c.v)};
}
inline Lanes nearest_integer(Lanes a) {
    return {_mm256_round_ps(a.v, 8)};
}
inline Lanes scale_by_power(Lanes a, Lanes n) {
    // Below 2^-126 the result is zero: softmax weights that small do not count.
    const __m256 smallest = _mm256_set1_ps(-126.0F);
    const __m256i exponent = _mm256_cvtps_epi32(_mm256_max_ps(n.v, smallest));
    const __m256i bits = _mm256_slli_epi32(_mm256_add_epi32(exponent, _mm256_set1_epi32(127)), 23);
    const __m256 power =
        _mm256_and_ps(_mm256_castsi256_ps(bits), _mm256_cmp_ps(n.v, smallest, _CMP_GE_OQ));
    return {_mm256_mul_ps(a.v, power)};
}

#else

struct Lanes {
    static constexpr int width = 4;
    static constexpr int tile_rows = 4;
    typedef float Register __attribute__((vector_size(16)));
    typedef std::int32_t Bits __attribute__((vector_size(16)));
    Register v;
};
inline Lanes load(const float* p) {
    Lanes a;
    __builtin_memcpy(&a.v, p, sizeof a.v);
    return a;
}
inline Lanes spread(float x) {
    return {Lanes::Register{x, x, x, x}};
}
inline void store(float* p, Lanes a) {
    __builtin_memcpy(p, &a.v, sizeof a.v);
}
inline Lanes operator+(Lanes a, Lanes b) {
    return {a.v + b.v};
}
inline Lanes operator-(Lanes a, Lanes b) {
    return {a.v - b.v};
}
inline Lanes operator*(Lanes a, Lanes b) {
    return {a.v * b.v};
}
inline Lanes larger(Lanes a, Lanes b) {
    return {a.v > b.v ? a.v : b.v};
}
inline Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
    return {a.v * b.v + c.v};
}
inline Lanes nearest_integer(Lanes a) {
    const Lanes::Register half = spread(0.5F).v, zero = spread(0.0F).v;
    const Lanes::Register away = a.v < zero ? a.v - half : a.v + half;
    // Beyond 2^22 a float has no fraction worth keeping; the bound keeps the conversion defined.
    const Lanes::Register limit = spread(4194304.0F).v;
    const Lanes::Register bounded = away < -limit ? -limit : (away > limit ? limit : away);
    return {
        __builtin_convertvector(__builtin_convertvector(bounded, Lanes::Bits), Lanes::Register)};
}
inline Lanes scale_by_power(Lanes a, Lanes n) {
    const Lanes::Register smallest = spread(-126.0F).v;
    const Lanes::Bits exponent =
        __builtin_convertvector(n.v < smallest ? smallest : n.v, Lanes::Bits);
    const Lanes::Bits bits = (exponent + 127) << 23;
    Lanes::Register power;
    __builtin_memcpy(&power, &bits, sizeof power);
    return {n.v < smallest ? spread(0.0F).v : a.v * power};
}

#endif

/// 2^a to 2e-7 relative, 0 far below; a <= 126.
inline Lanes power_of_two(Lanes a) {
    const Lanes whole = nearest_integer(a);
    const Lanes f = a - whole;
    // Polynomial of least largest relative error on [-1/2, 1/2].
    Lanes p = spread(0x1.5c08e4p-10F);
    p = multiply_add(p, f, spread(0x1.3d0c52p-7F));
    p = multiply_add(p, f, spread(0x1.c6b6e4p-5F));
    p = multiply_add(p, f, spread(0x1.ebf918p-3F));
    p = multiply_add(p, f, spread(0x1.62e428p-1F));
    p = multiply_add(p, f, spread(0x1.000002p+0F));
    return scale_by_power(p, whole);
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
