#include "hodo/nn/linear.hh"

#include <cmath>

#include "hodo/nn/fused_linear.hh"
#include "hodo/nn/initialise.hh"

namespace hodo::nn {

Linear Linear::make(std::int64_t in, std::int64_t out, const at::TensorOptions& options) {
    return {make_parameter({out, in}, options), make_parameter({out}, options)};
}

void Linear::visit(tensor::ParameterVisitor& v) {
    v("weight", weight);
    v("bias", bias);
}

void Linear::initialise(const base::Random& random) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(weight.size(1)));
    fill_uniform(weight, bound, random.child("weight"));
    fill_uniform(bias, bound, random.child("bias"));
}

at::Tensor Linear::operator()(const at::Tensor& x, const Pass& pass) const {
    if (fused_map_applies(x, *this, pass)) return map_fused(x, *this);
    if (pass.precision == tensor::Precision::float32) return at::linear(x, weight, bias);
    return at::linear(x.to(at::kBFloat16), weight.to(at::kBFloat16), bias.to(at::kBFloat16))
        .to(x.scalar_type());
}

at::Tensor Linear::along_tokens(const at::Tensor& x, const Pass& pass) const {
    if (fused_token_map_applies(x, *this, pass)) return map_tokens_fused(x, *this);
    return (*this)(x.transpose(1, 2), pass).transpose(1, 2).contiguous();
}

at::Tensor product(const at::Tensor& a, const at::Tensor& b, const Pass& pass) {
    if (pass.precision == tensor::Precision::float32) return at::matmul(a, b);
    return at::matmul(a.to(at::kBFloat16), b.to(at::kBFloat16)).to(a.scalar_type());
}

LayerNorm LayerNorm::make(std::int64_t channels, const at::TensorOptions& options) {
    return {make_parameter({channels}, options), make_parameter({channels}, options)};
}

void LayerNorm::visit(tensor::ParameterVisitor& v) {
    v("weight", weight);
    v("bias", bias);
}

void LayerNorm::initialise() {
    fill_constant(weight, 1.0);
    fill_constant(bias, 0.0);
}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
    return at::layer_norm(x, {x.size(-1)}, weight, bias, epsilon);
}

}  // namespace hodo::nn
