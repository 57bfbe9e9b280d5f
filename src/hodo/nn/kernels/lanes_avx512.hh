#pragma once
/// Vector registers of 16 floats (AVX-512); see lanes.hh.

#if defined(__AVX512F__)

#include <cstdint>

// The intrinsics of GCC 12 begin from a register that is undefined on purpose.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

namespace hodo::nn {
namespace {

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
inline Lanes operator/(Lanes a, Lanes b) {
    return {_mm512_div_ps(a.v, b.v)};
}
inline Lanes larger(Lanes a, Lanes b) {
    return {_mm512_max_ps(a.v, b.v)};
}
/// a b + c
inline Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
/// a - floor(a)
inline Lanes above_integer(Lanes a) {
    return {_mm512_reduce_ps(a.v, 1)};
}
/// a 2^floor(n)
inline Lanes scale_by_power(Lanes a, Lanes n) {
    return {_mm512_scalef_ps(a.v, n.v)};
}

/// The lanes whose bit is set; zero elsewhere.
inline Lanes keep(unsigned bits, Lanes a) {
    return {_mm512_maskz_mov_ps(static_cast<__mmask16>(bits), a.v)};
}
/// The lanes of `a` where `sign` is above zero; zero elsewhere.
inline Lanes keep_where_positive(Lanes sign, Lanes a) {
    return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(sign.v, _mm512_setzero_ps(), _CMP_GT_OQ), a.v)};
}

/// As many 32-bit words as a register has floats.
struct Words {
    __m512i v;
};
inline Words load(const std::uint32_t* p) {
    return {_mm512_loadu_si512(p)};
}
inline void store(std::uint32_t* p, Words a) {
    _mm512_storeu_si512(p, a.v);
}
inline Words spread(std::uint32_t x) {
    return {_mm512_set1_epi32(static_cast<int>(x))};
}
inline Words operator+(Words a, Words b) {
    return {_mm512_add_epi32(a.v, b.v)};
}
inline Words operator^(Words a, Words b) {
    return {_mm512_xor_si512(a.v, b.v)};
}
inline Words operator&(Words a, Words b) {
    return {_mm512_and_si512(a.v, b.v)};
}
inline Words operator|(Words a, Words b) {
    return {_mm512_or_si512(a.v, b.v)};
}
inline Words upper_half(Words a) {
    return {_mm512_srli_epi32(a.v, 16)};
}
/// High and low words of the 64-bit products a m.
inline void multiply_wide(Words a, std::uint32_t m, Words& high, Words& low) {
    const __m512i factor = _mm512_set1_epi32(static_cast<int>(m));
    const __m512i even = _mm512_mul_epu32(a.v, factor);
    const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), factor);
    high.v = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
    low.v = _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
}
/// One bit per lane: a >= b.
inline unsigned at_least(Words a, Words b) {
    return _mm512_cmpge_epu32_mask(a.v, b.v);
}
/// `bit` in the lanes where a >= b; zero elsewhere.
inline Words bit_where_at_least(Words a, Words b, Words bit) {
    return {_mm512_maskz_mov_epi32(_mm512_cmpge_epu32_mask(a.v, b.v), bit.v)};
}
/// One bit per lane: a & b is not zero.
inline unsigned any_common(Words a, Words b) {
    return _mm512_test_epi32_mask(a.v, b.v);
}

}  // namespace
}  // namespace hodo::nn

#endif
