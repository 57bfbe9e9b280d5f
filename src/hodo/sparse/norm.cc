#include "hodo/sparse/norm.hh"

#include <torch/csrc/autograd/custom_function.h>

#include "hodo/sparse/detail/device.hh"
#include "hodo/sparse/detail/sums.hh"

namespace hodo::sparse {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// LibTorch's layer norm but for the gradients of scale and shift, which it sums up thread by
/// thread: here row by row, so that threads do not change them.
struct LayerNormFunction : torch::autograd::Function<LayerNormFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& values,
                              const at::Tensor& weight, const at::Tensor& bias, double epsilon) {
        const auto x = values.contiguous();
        const auto [y, mean, inverse] =
            at::native_layer_norm(x, {x.size(1)}, weight, bias, epsilon);
        context->save_for_backward({x, mean, inverse, weight, bias});
        return y;
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &mean = saved[1], &inverse = saved[2], &weight = saved[3];
        const auto g = gradients[0].contiguous();
        const auto of_x = std::get<0>(at::native_layer_norm_backward(
            g, x, {x.size(1)}, mean, inverse, weight, saved[4], {true, false, false}));
        const auto sums = at::zeros({2, x.size(1)}, at::kDouble);
        for_type_of(x, [&](auto number) {
            using T = decltype(number);
            add_rows(x.data_ptr<T>(), g.data_ptr<T>(), mean.data_ptr<T>(), inverse.data_ptr<T>(),
                     x.size(0), x.size(1), sums.data_ptr<double>());
        });
        return {of_x, sums[0].to(x.scalar_type()), sums[1].to(x.scalar_type()), {}};
    }

  private:
    /// sums [2, channels]: of g (x - mean) inverse, and of g.
    template <class T>
    static void add_rows(const T* x, const T* g, const T* mean, const T* inverse, std::int64_t rows,
                         std::int64_t channels, double* sums) {
        for (std::int64_t row = 0; row < rows; ++row, x += channels, g += channels) {
            const auto middle = static_cast<double>(mean[row]);
            const auto scale = static_cast<double>(inverse[row]);
            for (std::int64_t c = 0; c < channels; ++c) {
                const auto slope = static_cast<double>(g[c]);
                sums[c] += slope * (static_cast<double>(x[c]) - middle) * scale;
                sums[channels + c] += slope;
            }
        }
    }
};

}  // namespace

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      double epsilon) {
    const auto scale = weight.reshape({-1}), shift = bias.reshape({-1});
    if (x.size(0) == 0) return plus_row(times_row(x, scale), shift);
    if (is_on_device(x)) return at::layer_norm(x, {x.size(1)}, scale, shift, epsilon);
    return LayerNormFunction::apply(x, scale, shift, epsilon);
}

at::Tensor instance_norm(const SparseTensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         double epsilon) {
    const auto lists = event_lists(*x.coordinates);
    const auto lengths = list_lengths(*lists.there, x.features);
    const auto event_mean = [&](const at::Tensor& values) {
        return sum_over(lists, values) / lengths;
    };
    const auto spread = [&](const at::Tensor& values) { return sum_over(lists.turned(), values); };
    const auto centred = x.features - spread(event_mean(x.features));
    const auto inverse = at::rsqrt(event_mean(centred * centred) + epsilon);
    return plus_row(times_row(centred * spread(inverse), weight.reshape({-1})), bias.reshape({-1}));
}

at::Tensor global_response_norm(const SparseTensor& x, const at::Tensor& gamma,
                                const at::Tensor& beta, Scope scope, double epsilon) {
    const auto lists =
        scope == Scope::event ? event_lists(*x.coordinates) : batch_list(*x.coordinates);
    const auto squares = sum_over(lists, x.features * x.features);
    // The root's slope at 0 is taken as 0, so that an empty channel gives no infinite gradient.
    const auto zero = squares == 0;
    const auto length = at::sqrt(squares.masked_fill(zero, 1.0)).masked_fill(zero, 0.0);
    const auto response = length / (length.mean(1, true) + epsilon);
    const auto spread = sum_over(lists.turned(), response);
    return plus_row(times_row(x.features * spread, gamma.reshape({-1})), beta.reshape({-1})) +
           x.features;
}

}  // namespace hodo::sparse
