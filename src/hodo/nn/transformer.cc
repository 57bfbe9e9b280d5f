#include "hodo/nn/transformer.hh"

#include "hodo/nn/device_kernels.hh"
#include "hodo/nn/dropout.hh"
#include "hodo/nn/fused.hh"
#include "hodo/nn/residual.hh"

namespace hodo::nn {

namespace {

at::Tensor activated(const at::Tensor& x, Activation activation) {
    if (activation == Activation::relu) return at::relu(x);
    return at::gelu(x, activation == Activation::gelu ? "none" : "tanh");
}

/// Whether the kernels of a device cannot do a feed-forward part that those of the CPU can.
bool exceeds_device(const at::Tensor& x, Activation activation) {
    if (!x.is_cuda() || device_kernels() == nullptr) return false;
    return activation != Activation::relu || x.size(-1) > device_kernels()->largest_channels;
}

}  // namespace

at::Tensor feed_forward_plain(const at::Tensor& x, const Linear& first, const Linear& second,
                              Pass& pass, Activation activation) {
    return second(dropout(activated(first(x, pass), activation), pass), pass);
}

at::Tensor feed_forward(const at::Tensor& x, const Linear& first, const Linear& second, Pass& pass,
                        Activation activation) {
    if (!fused_applies(x, pass) || exceeds_device(x, activation)) {
        return feed_forward_plain(x, first, second, pass, activation);
    }
    const auto rows_per_entry = x.dim() == 2 ? 1 : x.size(1);
    const auto mask = pass.drops() ? next_mask(pass, rows_per_entry) : DropoutMask{};
    if (pass.precision == tensor::Precision::float32) {
        return feed_forward_fused(x, first, second, mask, activation);
    }
    const auto narrow = [](const Linear& map) {
        return Linear{map.weight.to(at::kBFloat16), map.bias.to(at::kBFloat16)};
    };
    return feed_forward_fused(x.to(at::kBFloat16), narrow(first), narrow(second), mask, activation)
        .to(x.scalar_type());
}

EncoderLayer EncoderLayer::make(const LayerSize& size, const at::TensorOptions& options) {
    return {Attention::make(size.channels, size.heads, options),
            Linear::make(size.channels, size.feedforward, options),
            Linear::make(size.feedforward, size.channels, options),
            LayerNorm::make(size.channels, options), LayerNorm::make(size.channels, options)};
}

void EncoderLayer::visit(tensor::ParameterVisitor& v) {
    v.group("self_attn", self_attn);
    v.group("linear1", linear1);
    v.group("linear2", linear2);
    v.group("norm1", norm1);
    v.group("norm2", norm2);
}

void EncoderLayer::initialise(const base::Random& random) {
    self_attn.initialise(random.child("self_attn"));
    linear1.initialise(random.child("linear1"));
    linear2.initialise(random.child("linear2"));
    norm1.initialise();
    norm2.initialise();
}

at::Tensor EncoderLayer::operator()(const at::Tensor& x, Pass& pass) const {
    const auto y = residual_norm(x, self_attn(x, pass), norm1, pass);
    return residual_norm(y, feed_forward(y, linear1, linear2, pass), norm2, pass);
}

DecoderLayer DecoderLayer::make(const LayerSize& size, const at::TensorOptions& options) {
    return {Attention::make(size.channels, size.heads, options),
            Attention::make(size.channels, size.heads, options),
            Linear::make(size.channels, size.feedforward, options),
            Linear::make(size.feedforward, size.channels, options),
            LayerNorm::make(size.channels, options),
            LayerNorm::make(size.channels, options),
            LayerNorm::make(size.channels, options)};
}

void DecoderLayer::visit(tensor::ParameterVisitor& v) {
    v.group("self_attn", self_attn);
    v.group("multihead_attn", multihead_attn);
    v.group("linear1", linear1);
    v.group("linear2", linear2);
    v.group("norm1", norm1);
    v.group("norm2", norm2);
    v.group("norm3", norm3);
}

void DecoderLayer::initialise(const base::Random& random) {
    self_attn.initialise(random.child("self_attn"));
    multihead_attn.initialise(random.child("multihead_attn"));
    linear1.initialise(random.child("linear1"));
    linear2.initialise(random.child("linear2"));
    norm1.initialise();
    norm2.initialise();
    norm3.initialise();
}

at::Tensor DecoderLayer::operator()(const at::Tensor& x, const at::Tensor& memory,
                                    Pass& pass) const {
    const auto y1 = residual_norm(x, self_attn(x, pass), norm1, pass);
    const auto remembered = multihead_attn.remember(memory, pass);
    const auto y2 = residual_norm(y1, multihead_attn(y1, remembered, pass), norm2, pass);
    return residual_norm(y2, feed_forward(y2, linear1, linear2, pass), norm3, pass);
}

}  // namespace hodo::nn
