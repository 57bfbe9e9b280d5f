#include "hodo/nn/attention.hh"

#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/nn/dropout.hh"
#include "hodo/nn/initialise.hh"

namespace hodo::nn {

at::Tensor attend_plain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, Pass& pass) {
    const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(-1)));
    const auto scores = product(q * scale, k.transpose(-2, -1), pass);
    return product(dropout(at::softmax(scores, -1), pass), v, pass);
}

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, Pass& pass) {
    return attend_plain(q, k, v, pass);
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

at::Tensor Attention::split(const at::Tensor& x) const {
    return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

at::Tensor Attention::merge(const at::Tensor& x, const Pass& pass) const {
    return out_proj(x.transpose(1, 2).reshape({x.size(0), x.size(2), x.size(1) * x.size(3)}), pass);
}

at::Tensor Attention::operator()(const at::Tensor& x, Pass& pass) const {
    const auto packed = project(x, 0, 3, pass).chunk(3, -1);
    return merge(attend(split(packed[0]), split(packed[1]), split(packed[2]), pass), pass);
}

Memory Attention::remember(const at::Tensor& memory, const Pass& pass) const {
    const auto packed = project(memory.unsqueeze(0), 1, 2, pass).chunk(2, -1);
    return {split(packed[0]), split(packed[1])};
}

at::Tensor Attention::operator()(const at::Tensor& x, const Memory& memory, Pass& pass) const {
    return merge(attend(split(project(x, 0, 1, pass)), memory.keys, memory.values, pass), pass);
}

}  // namespace hodo::nn
