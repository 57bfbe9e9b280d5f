#include "hodo/nn/attention.hh"

#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/nn/dropout.hh"
#include "hodo/nn/fused.hh"
#include "hodo/nn/initialise.hh"
#include "hodo/nn/kernels/kernels.hh"

namespace hodo::nn {

namespace {

/// [batch, tokens, d] to [batch, heads, tokens, D].
at::Tensor by_head(const at::Tensor& x, std::int64_t heads) {
    return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

}  // namespace

at::Tensor attend_plain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        std::int64_t heads, Pass& pass) {
    const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(-1) / heads));
    const auto scores =
        product(by_head(q * scale, heads), by_head(k, heads).transpose(-2, -1), pass);
    const auto weights = dropout(at::softmax(scores, -1), pass);
    return product(weights, by_head(v, heads), pass).transpose(1, 2).reshape(q.sizes());
}

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads,
                  Pass& pass) {
    if (!fused_applies(q, pass) || q.size(-1) / heads > largest_head) {
        return attend_plain(q, k, v, heads, pass);
    }
    const auto mask = pass.drops() ? next_mask(pass, heads * q.size(1)) : DropoutMask{};
    return attend_fused(q, k, v, heads, mask);
}

Attention Attention::make(std::int64_t channels, std::int64_t heads,
                          const at::TensorOptions& options) {
    HODO_DOOR(heads >= 1 && channels % heads == 0);
    return {make_parameter({3 * channels, channels}, options),
            make_parameter({3 * channels}, options), Linear::make(channels, channels, options),
            heads};
}

void Attention::visit(tensor::ParameterVisitor& v) {
    v("in_proj_weight", in_proj_weight);
    v("in_proj_bias", in_proj_bias);
    v.group("out_proj", out_proj);
}

void Attention::initialise(const base::Random& random) {
    const auto sum = static_cast<double>(in_proj_weight.size(0) + in_proj_weight.size(1));
    fill_uniform(in_proj_weight, std::sqrt(6.0 / sum), random.child("in_proj_weight"));
    fill_constant(in_proj_bias, 0.0);
    out_proj.initialise(random.child("out_proj"));
    fill_constant(out_proj.bias, 0.0);
}

at::Tensor Attention::project(const at::Tensor& x, std::int64_t first, std::int64_t count,
                              const Pass& pass) const {
    const auto channels = in_proj_weight.size(1);
    const Linear part{in_proj_weight.narrow(0, first * channels, count * channels),
                      in_proj_bias.narrow(0, first * channels, count * channels)};
    return part(x, pass);
}

at::Tensor Attention::operator()(const at::Tensor& x, Pass& pass) const {
    const auto packed = project(x, 0, 3, pass).chunk(3, -1);
    return out_proj(attend(packed[0], packed[1], packed[2], heads, pass), pass);
}

Memory Attention::remember(const at::Tensor& memory, const Pass& pass) const {
    const auto packed = project(memory.unsqueeze(0), 1, 2, pass).chunk(2, -1);
    return {packed[0], packed[1]};
}

at::Tensor Attention::operator()(const at::Tensor& x, const Memory& memory, Pass& pass) const {
    const auto q = project(x, 0, 1, pass);
    return out_proj(attend(q, memory.keys, memory.values, heads, pass), pass);
}

}  // namespace hodo::nn
