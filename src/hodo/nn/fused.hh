#pragma once
/// Attention and feed-forward parts through our own kernels, with gradients.
///
/// Both recompute what they need on the way back instead of storing it: an attention keeps q, k, v,
/// its result and one number per query and head, a feed-forward part keeps its input. Results do
/// not depend on the number of threads, nor on what else is in the batch. Tensors are float32 or
/// bfloat16; sums are float32.

#include "hodo/nn/dropout.hh"
#include "hodo/nn/linear.hh"
#include "hodo/nn/packing.hh"

namespace hodo::nn {

/// Whether the kernels can do a pass over `x`: `Engine::fused`, float32 or bfloat16, on the CPU or,
/// where Hodoscope was built for it, on CUDA.
bool fused_applies(const at::Tensor& x, const Pass& pass);

/// Whether the attention kernels know heads of this size (1 to 128).
bool head_size_is_fused(std::int64_t head_size);

/// Which tokens are queries and keys of which sequence.
struct Sequences {
    Packing queries, keys;         ///< As many sequences, or one of keys that all queries see.
    at::Tensor visible;            ///< bool [keys]: false hides a key. Undefined: all are visible.
    std::int64_t first_entry = 0;  ///< Number of sequence 0 in the whole batch.
};

/// `attend` of attention.hh for q [queries, d] and k, v [keys, d]: result [queries, d]. A mask of
/// probability 0 drops nothing.
at::Tensor attend_fused(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        std::int64_t heads, const Sequences& sequences, const DropoutMask& mask);

/// `feed_forward` of transformer.hh for x [..., channels].
at::Tensor feed_forward_fused(const at::Tensor& x, const Linear& first, const Linear& second,
                              const DropoutMask& mask, Activation activation = Activation::relu);

}  // namespace hodo::nn
