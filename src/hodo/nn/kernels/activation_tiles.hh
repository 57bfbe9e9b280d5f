#pragma once
/// Activations of one vector level with their slopes.

#include "hodo/nn/kernels/lanes.hh"
#include "hodo/nn/kernels/tasks.hh"

namespace hodo::nn {
namespace {

struct Activated {
    Lanes value, slope;
};

/// x Phi(x) to 1e-7 of |x|; slope Phi(x) + x phi(x). The tail Phi(-|x|) is exp(-x^2/2) times a
/// polynomial in 1 / (1 + 0.3 |x|), of least largest relative error for |x| <= 10.
inline Activated gelu(Lanes x) {
    const Lanes zero = spread(0.0F), one = spread(1.0F);
    const Lanes size = larger(x, zero - x);
    const Lanes t = one / multiply_add(size, spread(0.3F), one);
    const Lanes exponent = larger(x * x * spread(-0.72134752F), spread(-200.0F));
    const Lanes bell = power_of_two(exponent);  // exp(-x^2/2)
    Lanes p = spread(0.037547946F);
    p = multiply_add(p, t, spread(-0.16507731F));
    p = multiply_add(p, t, spread(0.22008486F));
    p = multiply_add(p, t, spread(-0.066524126F));
    p = multiply_add(p, t, spread(0.13549629F));
    p = multiply_add(p, t, spread(0.097756095F));
    p = multiply_add(p, t, spread(0.12111121F));
    p = multiply_add(p, t, spread(0.119605042F));
    const Lanes tail = p * t * bell;
    const Lanes below = tail + keep_where_positive(x, one - tail - tail);
    return {x * below, multiply_add(x * bell, spread(0.39894228F), below)};
}

/// x s with s = 1 / (1 + exp(-2 u)), u = sqrt(2/pi) (x + 0.044715 x^3); slope s + x s (1 - s) 2 u'.
inline Activated gelu_by_tanh(Lanes x) {
    const Lanes zero = spread(0.0F), one = spread(1.0F), square = x * x;
    // In units of log2(e); the bounds keep powers finite.
    const Lanes twice = x * multiply_add(square, spread(0.10294324F), spread(2.3022082F));
    const Lanes power =
        power_of_two(larger(zero - larger(twice, spread(-126.0F)), spread(-200.0F)));
    const Lanes s = one / (one + power);
    const Lanes rise = multiply_add(square, spread(0.21406604F), spread(1.5957691F));
    return {x * s, multiply_add(x * s * (one - s), rise, s)};
}

/// Replaces `count` numbers (a multiple of the width) by their activations; slopes unless null.
inline void activate(Activation activation, float* values, std::int64_t count, float* slopes) {
    for (std::int64_t i = 0; i < count; i += Lanes::width) {
        const Lanes x = load(values + i);
        const Activated made = activation == Activation::gelu ? gelu(x) : gelu_by_tanh(x);
        store(values + i, made.value);
        if (slopes != nullptr) store(slopes + i, made.slope);
    }
}

}  // namespace
}  // namespace hodo::nn
