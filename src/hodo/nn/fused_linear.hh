#pragma once
/// Linear maps through our own kernels, with gradients: shared among threads in large sections,
/// where LibTorch's operators would run on one thread. Results do not depend on the number of
/// threads; a row's or entry's result does not depend on the others.

#include "hodo/nn/linear.hh"

namespace hodo::nn {

/// Whether the kernels can do `map` of x [..., in] in this pass: a small map or a large one, of
/// sizes that are multiples of 16; float32 on the CPU, `Engine::fused`.
bool fused_map_applies(const at::Tensor& x, const Linear& map, const Pass& pass);
/// x [..., in] to [..., out].
at::Tensor map_fused(const at::Tensor& x, const Linear& map);

/// The same for maps along the tokens of x [batch, in, channels].
bool fused_token_map_applies(const at::Tensor& x, const Linear& map, const Pass& pass);
/// x [batch, in, channels] to [batch, out, channels].
at::Tensor map_tokens_fused(const at::Tensor& x, const Linear& map);

}  // namespace hodo::nn
