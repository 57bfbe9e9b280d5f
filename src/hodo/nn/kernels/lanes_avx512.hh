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
/// a + b in the lanes whose bit is set, else a.
inline Lanes add_where(unsigned bits, Lanes a, Lanes b) {
    return {_mm512_mask_add_ps(a.v, static_cast<__mmask16>(bits), a.v, b.v)};
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
/// Each word's lower half becomes its upper half.
inline Words lower_half_up(Words a) {
    return {_mm512_slli_epi32(a.v, 16)};
}
/// One bit per lane: a >= b.
inline unsigned at_least(Words a, Words b) {
    return _mm512_cmpge_epu32_mask(a.v, b.v);
}

/// 64-bit words, of which the lower halves count: the upper ones may hold anything.
struct Wide {
    static constexpr int count = 8;
    __m512i v;
};
/// The lane in which block i of eight 16-bit words is made, see `words_at_least`.
constexpr int lane_of_block(int i) {
    return i < 4 ? 2 * i : 2 * (i - 4) + 1;
}
inline Wide load(const std::uint64_t* p) {
    return {_mm512_loadu_si512(p)};
}
inline void store(std::uint64_t* p, Wide a) {
    _mm512_storeu_si512(p, a.v);
}
inline Wide spread(std::uint64_t x) {
    return {_mm512_set1_epi64(static_cast<long long>(x))};
}
/// The 64-bit products of the lower halves.
inline Wide operator*(Wide a, Wide b) {
    return {_mm512_mul_epu32(a.v, b.v)};
}
inline Wide upper_half(Wide a) {
    return {_mm512_srli_epi64(a.v, 32)};
}
inline Wide operator^(Wide a, Wide b) {
    return {_mm512_xor_si512(a.v, b.v)};
}
inline Wide exclusive_or(Wide a, Wide b, Wide c) {
    return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0x96)};
}
/// The lower halves as words: those of `even` at 0, 2, 4, ..., those of `odd` at 1, 3, 5, ...
inline Words merge(Wide even, Wide odd) {
    return {_mm512_mask_shuffle_epi32(even.v, 0xAAAA, odd.v, _MM_PERM_CCAA)};
}
/// One bit for each of the eight 16-bit words of each block: word >= threshold. A block's words are
/// the halves, lower first, of the lower halves of a, b, c, d in its lane.
inline std::uint64_t words_at_least(Wide a, Wide b, Wide c, Wide d, std::uint32_t threshold) {
    const __m512i ab = merge(a, b).v, cd = merge(c, d).v;
    const __m512i limit = _mm512_set1_epi16(static_cast<short>(threshold));
    const std::uint64_t even = _mm512_cmpge_epu16_mask(_mm512_unpacklo_epi64(ab, cd), limit);
    const std::uint64_t odd = _mm512_cmpge_epu16_mask(_mm512_unpackhi_epi64(ab, cd), limit);
    return even | odd << 32;
}

}  // namespace
}  // namespace hodo::nn

#endif
