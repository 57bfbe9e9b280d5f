#pragma once
/// Vector registers of 4 floats by the compiler's vector types; see lanes.hh.

#include <cstdint>

namespace hodo::nn {
namespace {

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
inline Lanes operator/(Lanes a, Lanes b) {
    return {a.v / b.v};
}
inline Lanes larger(Lanes a, Lanes b) {
    return {a.v > b.v ? a.v : b.v};
}
inline Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
    return {a.v * b.v + c.v};
}
/// The largest integer that is not above a.
inline Lanes floor_of(Lanes a) {
    // Beyond 2^22 a float has no fraction worth keeping; the bound keeps the conversion defined.
    const Lanes::Register limit = spread(4194304.0F).v;
    const Lanes::Register bounded = a.v < -limit ? -limit : (a.v > limit ? limit : a.v);
    const Lanes::Register whole =
        __builtin_convertvector(__builtin_convertvector(bounded, Lanes::Bits), Lanes::Register);
    return {whole > bounded ? whole - spread(1.0F).v : whole};
}
inline Lanes above_integer(Lanes a) {
    return a - floor_of(a);
}
inline Lanes scale_by_power(Lanes a, Lanes n) {
    const Lanes::Register smallest = spread(-126.0F).v;
    const Lanes::Register whole = floor_of(n).v;
    const Lanes::Bits exponent =
        __builtin_convertvector(whole < smallest ? smallest : whole, Lanes::Bits);
    const Lanes::Bits bits = (exponent + 127) << 23;
    Lanes::Register power;
    __builtin_memcpy(&power, &bits, sizeof power);
    return {n.v < smallest ? spread(0.0F).v : a.v * power};
}
inline Lanes keep(unsigned bits, Lanes a) {
    for (int i = 0; i < Lanes::width; ++i) a.v[i] = (bits >> i & 1U) != 0 ? a.v[i] : 0.0F;
    return a;
}
inline Lanes add_where(unsigned bits, Lanes a, Lanes b) {
    return a + keep(bits, b);
}
inline Lanes keep_where_positive(Lanes sign, Lanes a) {
    return {sign.v > spread(0.0F).v ? a.v : spread(0.0F).v};
}

struct Words {
    typedef std::uint32_t Register __attribute__((vector_size(16)));
    Register v;
};
inline Words load(const std::uint32_t* p) {
    Words a;
    __builtin_memcpy(&a.v, p, sizeof a.v);
    return a;
}
inline void store(std::uint32_t* p, Words a) {
    __builtin_memcpy(p, &a.v, sizeof a.v);
}
inline Words spread(std::uint32_t x) {
    return {Words::Register{x, x, x, x}};
}
inline Words lower_half_up(Words a) {
    return {a.v << 16};
}
inline unsigned at_least(Words a, Words b) {
    unsigned bits = 0;
    for (int i = 0; i < Lanes::width; ++i) bits |= (a.v[i] >= b.v[i] ? 1U : 0U) << i;
    return bits;
}

struct Wide {
    static constexpr int count = 2;
    typedef std::uint64_t Register __attribute__((vector_size(16)));
    Register v;
};
constexpr int lane_of_block(int i) {
    return i;
}
inline Wide load(const std::uint64_t* p) {
    Wide a;
    __builtin_memcpy(&a.v, p, sizeof a.v);
    return a;
}
inline void store(std::uint64_t* p, Wide a) {
    __builtin_memcpy(p, &a.v, sizeof a.v);
}
inline Wide spread(std::uint64_t x) {
    return {Wide::Register{x, x}};
}
inline Wide operator*(Wide a, Wide b) {
    const Wide::Register lower = spread(std::uint64_t{0xFFFFFFFF}).v;
    return {(a.v & lower) * (b.v & lower)};
}
inline Wide upper_half(Wide a) {
    return {a.v >> 32};
}
inline Wide operator^(Wide a, Wide b) {
    return {a.v ^ b.v};
}
inline Wide exclusive_or(Wide a, Wide b, Wide c) {
    return a ^ b ^ c;
}
inline Words merge(Wide even, Wide odd) {
    Words result;
    for (int i = 0; i < Wide::count; ++i) {
        result.v[2 * i] = static_cast<std::uint32_t>(even.v[i]);
        result.v[2 * i + 1] = static_cast<std::uint32_t>(odd.v[i]);
    }
    return result;
}
inline std::uint64_t words_at_least(Wide a, Wide b, Wide c, Wide d, std::uint32_t threshold) {
    std::uint64_t bits = 0;
    for (int i = 0; i < Wide::count; ++i) {
        const std::uint64_t pairs[4] = {a.v[i], b.v[i], c.v[i], d.v[i]};
        for (int word = 0; word < 8; ++word) {
            const std::uint64_t value = pairs[word / 2] >> (16 * (word % 2)) & 0xFFFFU;
            bits |= std::uint64_t{value >= threshold ? 1U : 0U} << (8 * i + word);
        }
    }
    return bits;
}

}  // namespace
}  // namespace hodo::nn
