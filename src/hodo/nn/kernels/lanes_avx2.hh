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
inline Lanes add_where(unsigned bits, Lanes a, Lanes b) {
    return a + keep(bits, b);
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
inline Words lower_half_up(Words a) {
    return {_mm256_slli_epi32(a.v, 16)};
}
inline unsigned at_least(Words a, Words b) {
    const __m256i is = _mm256_cmpeq_epi32(_mm256_max_epu32(a.v, b.v), a.v);
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(is)));
}

struct Wide {
    static constexpr int count = 4;
    __m256i v;
};
constexpr int lane_of_block(int i) {
    return i;
}
inline Wide load(const std::uint64_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
inline void store(std::uint64_t* p, Wide a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v);
}
inline Wide spread(std::uint64_t x) {
    return {_mm256_set1_epi64x(static_cast<long long>(x))};
}
inline Wide operator*(Wide a, Wide b) {
    return {_mm256_mul_epu32(a.v, b.v)};
}
inline Wide upper_half(Wide a) {
    return {_mm256_srli_epi64(a.v, 32)};
}
inline Wide operator^(Wide a, Wide b) {
    return {_mm256_xor_si256(a.v, b.v)};
}
inline Wide exclusive_or(Wide a, Wide b, Wide c) {
    return a ^ b ^ c;
}
inline Words merge(Wide even, Wide odd) {
    return {_mm256_blend_epi32(even.v, _mm256_slli_epi64(odd.v, 32), 0xAA)};
}
inline std::uint64_t words_at_least(Wide a, Wide b, Wide c, Wide d, std::uint32_t threshold) {
    const __m256i ab = merge(a, b).v, cd = merge(c, d).v;
    const __m256i limit = _mm256_set1_epi16(static_cast<short>(threshold));
    const auto compare = [&](__m256i x) {
        return _mm256_cmpeq_epi16(_mm256_max_epu16(x, limit), x);
    };
    // Blocks 0 and 2, and 1 and 3; packing puts them in order.
    const __m256i even = compare(_mm256_unpacklo_epi64(ab, cd));
    const __m256i odd = compare(_mm256_unpackhi_epi64(ab, cd));
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_packs_epi16(even, odd)));
}

}  // namespace
}  // namespace hodo::nn

#endif
