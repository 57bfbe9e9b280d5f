#pragma once
/// Attention and feed-forward parts through our own kernels, with gradients.
///
/// Both recompute what they need on the way back instead of storing it: an attention keeps q, k, v,
/// its result and one number per query and head, a feed-forward part keeps its input. Results do
/// not depend on the number of threads.

#include "hodo/nn/dropout.hh"
#include "hodo/nn/linear.hh"

namespace hodo::nn {

/// Whether the kernels can do a pass over x [batch, tokens, channels]: float32 on the CPU, channels
/// a multiple of 16, full precision and `Engine::fused`.
bool fused_applies(const at::Tensor& x, const Pass& pass);

/// `attend` of attention.hh; heads of at most 64 channels. A mask of probability 0 drops nothing.
at::Tensor attend_fused(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        std::int64_t heads, const DropoutMask& mask);

/// `feed_forward` of transformer.hh.
at::Tensor feed_forward_fused(const at::Tensor& x, const Linear& first, const Linear& second,
                              const DropoutMask& mask);

}  // namespace hodo::nn
