#pragma once
/// Transformer layers, post-norm: y = LayerNorm(x + Drop(part(x))) for each part.

#include "hodo/nn/attention.hh"
#include "hodo/nn/kernels/tasks.hh"
#include "hodo/nn/linear.hh"

namespace hodo::nn {

/// Sizes shared by the layers of a network.
struct LayerSize {
    std::int64_t channels = 0, heads = 1, feedforward = 0;
};

/// W2 Drop(act(W1 x + b1)) + b2 for x [batch, tokens, channels] or [tokens, channels]. GELU on CUDA
/// goes through LibTorch's operations.
at::Tensor feed_forward(const at::Tensor& x, const Linear& first, const Linear& second, Pass& pass,
                        Activation activation = Activation::relu);

/// The same by plain tensor operations, whatever the pass's engine: the reference.
at::Tensor feed_forward_plain(const at::Tensor& x, const Linear& first, const Linear& second,
                              Pass& pass, Activation activation = Activation::relu);

/// y = LN1(x + Drop(SelfAttention(x)));  out = LN2(y + Drop(FeedForward(y))).
struct EncoderLayer {
    Attention self_attn;
    Linear linear1, linear2;
    LayerNorm norm1, norm2;

    static EncoderLayer make(const LayerSize& size, const at::TensorOptions& options);
    void visit(tensor::ParameterVisitor& v);
    void initialise(const base::Random& random);
    /// x [batch, tokens, channels] to the same shape.
    at::Tensor operator()(const at::Tensor& x, Pass& pass) const;
};

/// y1 = LN1(x + Drop(SelfAttention(x)));  y2 = LN2(y1 + Drop(CrossAttention(y1, memory)));
/// out = LN3(y2 + Drop(FeedForward(y2))).
struct DecoderLayer {
    Attention self_attn, multihead_attn;
    Linear linear1, linear2;
    LayerNorm norm1, norm2, norm3;

    static DecoderLayer make(const LayerSize& size, const at::TensorOptions& options);
    void visit(tensor::ParameterVisitor& v);
    void initialise(const base::Random& random);
    /// x [batch, tokens, channels] to the same shape; `memory` is [tokens, channels].
    at::Tensor operator()(const at::Tensor& x, const at::Tensor& memory, Pass& pass) const;
};

}  // namespace hodo::nn
