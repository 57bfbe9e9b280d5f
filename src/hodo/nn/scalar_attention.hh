#pragma once
/// Self-attention of tokens that are affine functions of one number each, x_i = s_i w + b: what a
/// transformer's first layer sees after a lift of numbers to channels. Forward only.
///
/// With queries, keys and values affine in s, the scores of head h are (alpha_h s_i + gamma_h) s_j
/// + terms that are the same for all keys and drop out of the softmax. So the result is
///
///     change_i = constant + sum_h e_h m_h(s_i),
///     m_h(s) = sum_j s_j exp((alpha_h s + gamma_h) s_j) / sum_j exp((alpha_h s + gamma_h) s_j):
///
/// a function of one number per head instead of products of vectors for every pair of tokens.
///
/// These functions are smooth. With half-width H of the slopes alpha_h s + gamma_h and the width R
/// of the numbers, m_h continues to complex slopes t with |Im t| R < pi, where all its weights lie
/// in one half-plane; there |m_h - middle| <= R / (2 cos(|Im t| R / 2)). So its Chebyshev
/// interpolation in n nodes is off by at most 4 M rho^(1-n) / (rho - 1) for every ellipse (sum of
/// the half-axes rho, bound M) inside that strip. Where few nodes bring this below the rounding of
/// float32, the sums over all tokens are made for the nodes alone.
///
/// Reference for the bound: Trefethen, "Approximation Theory and Approximation Practice", SIAM
/// 2013, theorem 8.2.

#include "hodo/nn/packed.hh"

namespace hodo::nn {

/// How m_h comes about.
enum class MeansBy {
    sums,              ///< Sums over all tokens for every token.
    whatever_is_fast,  ///< Nodes where few suffice, else sums.
};

/// The number of Chebyshev nodes that bring the interpolation of m_h within R 2^-26, a multiple of
/// 16; 0 if more than `largest` would be needed. `spread` is H R.
std::int64_t interpolation_nodes(double spread, std::int64_t largest);

class PackedScalarAttention {
  public:
    PackedScalarAttention() = default;
    /// Tokens are x_i = s_i weight + bias; both [channels].
    PackedScalarAttention(const AttentionSpan& weights, std::int64_t heads,
                          std::span<const float> weight, std::span<const float> bias);
    /// Writes the attention's output for the tokens of `numbers` to `scratch.change`.
    void operator()(const Kernels& kernels, std::span<const float> numbers, Scratch& scratch,
                    MeansBy means_by = MeansBy::whatever_is_fast) const;

  private:
    struct Head {
        float alpha, gamma;  ///< In units of log2(e).
    };
    struct Numbers {
        std::span<const float> values;
        float middle, half_width;
    };
    /// m_h at all numbers; `slopes` has room for one per number.
    void means(const Kernels& kernels, const Head& head, const Numbers& numbers, MeansBy means_by,
               float* slopes, float* means) const;
    std::vector<Head> heads_;
    PackedLinear effect_;  ///< From m_h [heads] to channels.
};

}  // namespace hodo::nn
