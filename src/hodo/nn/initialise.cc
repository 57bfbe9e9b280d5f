#include "hodo/nn/initialise.hh"

#include <ATen/core/grad_mode.h>

namespace hodo::nn {

namespace {

template <class Draw>
void fill(at::Tensor& parameter, Draw&& draw) {
    const at::NoGradGuard no_gradients;
    at::Tensor values = at::empty(parameter.sizes(), at::TensorOptions().dtype(at::kDouble));
    double* value = values.data_ptr<double>();
    for (std::int64_t i = 0; i < values.numel(); ++i) value[i] = draw();
    parameter.copy_(values);
}

}  // namespace

void fill_uniform(at::Tensor& parameter, double bound, base::Random random) {
    fill(parameter, [&] { return random.uniform(-bound, bound); });
}

void fill_normal(at::Tensor& parameter, double width, base::Random random) {
    fill(parameter, [&] { return width * random.normal(); });
}

void fill_constant(at::Tensor& parameter, double value) {
    const at::NoGradGuard no_gradients;
    parameter.fill_(value);
}

at::Tensor make_parameter(at::IntArrayRef shape, const at::TensorOptions& options) {
    return at::empty(shape, options).requires_grad_(true);
}

}  // namespace hodo::nn
