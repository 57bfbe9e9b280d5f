#pragma once
/// Vector registers of 8 floats (AVX2 with FMA); see lanes.hh.

#if defined(__AVX2__)

#include <cstdint>

// The intrinsics of GCC 12 begin from a register that is undefined on purpose.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

namespace hodo::nn {
namespace {

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
inline Lanes operator/(Lanes a, Lanes b) {
    return {_mm256_div_ps(a.v, b.v)};
}
inline Lanes larger(Lanes a, Lanes b) {
    return {_mm256_max_ps(a.v, b.v)};
}
inline Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
    return {_mm256_fmadd_ps(a.v, b.v, c.v)};
}
inline Lanes above_integer(Lanes a) {
    return {_mm256_sub_ps(a.v, _mm256_round_ps(a.v, 9))};
}
inline Lanes scale_by_power(Lanes a, Lanes n) {
    // Below 2^-126 the result is zero: softmax weights that small do not count.
    const __m256 smallest = _mm256_set1_ps(-126.0F);
    const __m256 whole = _mm256_round_ps(_mm256_max_ps(n.v, smallest), 9);
    const __m256i exponent = _mm256_cvtps_epi32(whole);
    const __m256i bits = _mm256_slli_epi32(_mm256_add_epi32(exponent, _mm256_set1_epi32(127)), 23);
    const __m256 power =
        _mm256_and_ps(_mm256_castsi256_ps(bits), _mm256_cmp_ps(n.v, smallest, _CMP_GE_OQ));
    return {_mm256_mul_ps(a.v, power)};
}
inline Lanes keep(unsigned bits, Lanes a) {
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i set = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), bit);
    return {_mm256_and_ps(a.v, _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, bit)))};
}
inline Lanes keep_where_positive(Lanes sign, Lanes a) {
    return {_mm256_and_ps(a.v, _mm256_cmp_ps(sign.v, _mm256_setzero_ps(), _CMP_GT_OQ))};
}

struct Words {
    __m256i v;
};
inline Words load(const std::uint32_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
inline void store(std::uint32_t* p, Words a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v);
}
inline Words spread(std::uint32_t x) {
    return {_mm256_set1_epi32(static_cast<int>(x))};
}
inline Words operator+(Words a, Words b) {
    return {_mm256_add_epi32(a.v, b.v)};
}
inline Words operator^(Words a, Words b) {
    return {_mm256_xor_si256(a.v, b.v)};
}
inline Words operator&(Words a, Words b) {
    return {_mm256_and_si256(a.v, b.v)};
}
inline Words operator|(Words a, Words b) {
    return {_mm256_or_si256(a.v, b.v)};
}
inline Words upper_half(Words a) {
    return {_mm256_srli_epi32(a.v, 16)};
}
inline void multiply_wide(Words a, std::uint32_t m, Words& high, Words& low) {
    const __m256i factor = _mm256_set1_epi32(static_cast<int>(m));
    const __m256i even = _mm256_mul_epu32(a.v, factor);
    const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a.v, 32), factor);
    high.v = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
    low.v = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
}
inline __m256i where_at_least(Words a, Words b) {
    return _mm256_cmpeq_epi32(_mm256_max_epu32(a.v, b.v), a.v);
}
inline unsigned at_least(Words a, Words b) {
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(where_at_least(a, b))));
}
inline Words bit_where_at_least(Words a, Words b, Words bit) {
    return {_mm256_and_si256(where_at_least(a, b), bit.v)};
}
inline unsigned any_common(Words a, Words b) {
    const __m256i none = _mm256_cmpeq_epi32(_mm256_and_si256(a.v, b.v), _mm256_setzero_si256());
    return ~static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(none))) & 0xFFU;
}

}  // namespace
}  // namespace hodo::nn

#endif
