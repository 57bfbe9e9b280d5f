#include "hodo/sparse/detail/norm_operators.hh"

#include <torch/csrc/autograd/custom_function.h>

namespace hodo::sparse {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor column_sums(const at::Tensor& values) {
    return values.sum(0, false, at::kDouble);
}

ColumnMoments moments(const at::Tensor& x) {
    const auto rows = static_cast<double>(x.size(0));
    const auto mean = column_sums(x) / rows;
    // In the type of x the mean is rounded: take off what the squares have too much.
    const auto centred = x - mean.to(x.scalar_type());
    const auto left = column_sums(centred) / rows;
    return {mean, (column_sums(centred * centred) / rows - left * left).clamp_min(0.0)};
}

struct NormFunction : torch::autograd::Function<NormFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                              const at::Tensor& weight, const at::Tensor& bias, double epsilon,
                              double leak, ColumnMoments& found) {
        found = moments(x);
        const auto type = x.scalar_type();
        const auto inverse = at::rsqrt(found.variance + epsilon);
        const auto scale = weight.to(at::kDouble) * inverse;
        const auto shift = bias.to(at::kDouble) - found.mean * scale;
        auto y = x * scale.to(type) + shift.to(type);
        if (leak != 1.0) y = at::leaky_relu(y, leak);
        context->save_for_backward({x, y, found.mean, inverse, scale});
        context->saved_data["leak"] = leak;
        return y;
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &y = saved[1], &mean = saved[2], &inverse = saved[3];
        const auto& scale = saved[4];
        const auto type = x.scalar_type();
        const double leak = context->saved_data["leak"].toDouble();
        const auto rows = static_cast<double>(x.size(0));
        const auto g =
            leak == 1.0 ? gradients[0] : at::where(y > 0, gradients[0], gradients[0] * leak);
        const auto deviation = x - mean.to(type);
        const auto sum = column_sums(g), product = column_sums(g * deviation);
        const auto of_deviation = scale * inverse * inverse * product / rows;
        const auto grad_x =
            g * scale.to(type) - deviation * of_deviation.to(type) - (scale * sum / rows).to(type);
        return {grad_x, (product * inverse).to(type), sum.to(type), {}, {}, {}};
    }
};

}  // namespace

at::Tensor norm_by_operators(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                             double epsilon, double leak, ColumnMoments& found) {
    return NormFunction::apply(x, weight, bias, epsilon, leak, found);
}

}  // namespace hodo::sparse
