#pragma once
/// The step that follows every part of a transformer layer: y = LayerNorm(x + Drop(change)).

#include "hodo/nn/linear.hh"

namespace hodo::nn {

/// x and change [batch, ..., channels] to the same shape. In float32 on the CPU, with dropout,
/// channels a multiple of 16 and `Engine::fused`, by one kernel there and one back, which keep the
/// normalised rows and one number per row; masks are made again on the way back. Results do not
/// depend on the number of threads.
at::Tensor residual_norm(const at::Tensor& x, const at::Tensor& change, const LayerNorm& norm,
                         Pass& pass);

/// The same by plain tensor operations, whatever the pass's engine: the reference.
at::Tensor residual_norm_plain(const at::Tensor& x, const at::Tensor& change, const LayerNorm& norm,
                               Pass& pass);

}  // namespace hodo::nn
