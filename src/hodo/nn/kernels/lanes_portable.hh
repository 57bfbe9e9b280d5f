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
inline Words operator+(Words a, Words b) {
    return {a.v + b.v};
}
inline Words operator^(Words a, Words b) {
    return {a.v ^ b.v};
}
inline Words operator&(Words a, Words b) {
    return {a.v & b.v};
}
inline Words operator|(Words a, Words b) {
    return {a.v | b.v};
}
inline Words upper_half(Words a) {
    return {a.v >> 16};
}
inline void multiply_wide(Words a, std::uint32_t m, Words& high, Words& low) {
    for (int i = 0; i < Lanes::width; ++i) {
        const std::uint64_t product = static_cast<std::uint64_t>(a.v[i]) * m;
        high.v[i] = static_cast<std::uint32_t>(product >> 32);
        low.v[i] = static_cast<std::uint32_t>(product);
    }
}
inline unsigned at_least(Words a, Words b) {
    unsigned bits = 0;
    for (int i = 0; i < Lanes::width; ++i) bits |= (a.v[i] >= b.v[i] ? 1U : 0U) << i;
    return bits;
}
inline Words bit_where_at_least(Words a, Words b, Words bit) {
    return {a.v >= b.v ? bit.v : spread(std::uint32_t{0}).v};
}
inline unsigned any_common(Words a, Words b) {
    unsigned bits = 0;
    for (int i = 0; i < Lanes::width; ++i) bits |= ((a.v[i] & b.v[i]) != 0 ? 1U : 0U) << i;
    return bits;
}

}  // namespace
}  // namespace hodo::nn
