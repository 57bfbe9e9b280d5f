#include "hodo/sparse/norm.hh"

#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "hodo/base/threads.hh"
#include "hodo/sparse/detail/device.hh"
#include "hodo/sparse/detail/norm_operators.hh"
#include "hodo/sparse/detail/sums.hh"
#include "hodo/sparse/kernels/kernels.hh"

namespace hodo::sparse {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t group_rows_count = 4096;   // rows that share a partial sum
constexpr std::int64_t smallest_share = 1 << 19;  // numbers that are worth another thread

/// The sum over all rows of what `part(begin, end, sums)` adds to `numbers` sums, group by group.
template <class Part>
std::vector<double> sum_over_rows(std::int64_t rows, std::int64_t numbers, const Part& part) {
    const auto groups = (rows + group_rows_count - 1) / group_rows_count;
    std::vector<double> partial(static_cast<std::size_t>(groups * numbers));
    base::parallel_for(
        groups,
        std::max<std::int64_t>(
            1, smallest_share / std::max<std::int64_t>(1, numbers * group_rows_count)),
        [&](std::int64_t begin, std::int64_t end) {
            for (auto group = begin; group < end; ++group) {
                part(group * group_rows_count, std::min(rows, (group + 1) * group_rows_count),
                     partial.data() + group * numbers);
            }
        });
    std::vector<double> sums(static_cast<std::size_t>(numbers));
    for (std::size_t i = 0; i < partial.size(); ++i) sums[i % sums.size()] += partial[i];
    return sums;
}

/// What normalising needs of rows of one type: float32 by the kernels.
template <class T>
struct Steps;

template <>
struct Steps<float> {
    static void sums(const float* x, std::int64_t rows, std::int64_t channels, double* out) {
        kernels().column_sums(x, rows, channels, out);
    }
    static void squares(const float* x, std::int64_t rows, std::int64_t channels,
                        const double* mean, double* out) {
        kernels().column_squares(x, rows, channels, mean, out);
    }
    static void apply(const float* x, std::int64_t rows, std::int64_t channels, const float* scale,
                      const float* shift, double leak, float* y) {
        kernels().scale_leaky(x, rows, channels, scale, shift, static_cast<float>(leak), y);
    }
};

template <>
struct Steps<double> {
    static void sums(const double* x, std::int64_t rows, std::int64_t channels, double* out) {
        for (std::int64_t i = 0; i < rows * channels; ++i) out[i % channels] += x[i];
    }
    static void squares(const double* x, std::int64_t rows, std::int64_t channels,
                        const double* mean, double* out) {
        for (std::int64_t i = 0; i < rows * channels; ++i) {
            const double difference = x[i] - mean[i % channels];
            out[i % channels] += difference * difference;
        }
    }
    static void apply(const double* x, std::int64_t rows, std::int64_t channels,
                      const double* scale, const double* shift, double leak, double* y) {
        for (std::int64_t i = 0; i < rows * channels; ++i) {
            const double value = x[i] * scale[i % channels] + shift[i % channels];
            y[i] = value > 0.0 ? value : value * leak;
        }
    }
};

struct Moments {
    std::vector<double> mean, variance;
};

template <class T>
Moments moments(const at::Tensor& x) {
    const auto rows = x.size(0), channels = x.size(1);
    const T* data = x.data_ptr<T>();
    const auto over = [&](const auto& step) {
        auto sums =
            sum_over_rows(rows, channels, [&](std::int64_t begin, std::int64_t end, double* out) {
                step(data + begin * channels, end - begin, out);
            });
        for (auto& sum : sums) sum /= static_cast<double>(rows);
        return sums;
    };
    Moments found;
    found.mean = over([&](const T* part, std::int64_t count, double* out) {
        Steps<T>::sums(part, count, channels, out);
    });
    found.variance = over([&](const T* part, std::int64_t count, double* out) {
        Steps<T>::squares(part, count, channels, found.mean.data(), out);
    });
    return found;
}

template <class T>
void scale_rows(const at::Tensor& x, const std::vector<T>& scale, const std::vector<T>& shift,
                double leak, const at::Tensor& y) {
    const auto channels = x.size(1);
    base::parallel_for(x.size(0), smallest_share / std::max<std::int64_t>(1, channels),
                       [&](std::int64_t begin, std::int64_t end) {
                           Steps<T>::apply(x.data_ptr<T>() + begin * channels, end - begin,
                                           channels, scale.data(), shift.data(), leak,
                                           y.data_ptr<T>() + begin * channels);
                       });
}

/// Row-wise pieces of the gradient, see `NormGradient`.
void gradient_sums(const NormGradient& task, double* sums, double* products) {
    kernels().norm_sums(task, sums, products);
}

struct GradientTensors {
    at::Tensor x, y, g, grad_x;
    std::vector<double> mean, inverse, scale;  ///< inverse = 1 / deviation, scale = weight inverse
    double leak;
};

struct ParameterGradients {
    std::vector<double> weight, bias;
};

ParameterGradients run_gradient(const GradientTensors& t, float) {
    const auto rows = t.x.size(0), channels = t.x.size(1);
    const std::vector<float> mean(t.mean.begin(), t.mean.end());
    const auto task = [&](std::int64_t begin, std::int64_t end) {
        const auto first = begin * channels;
        return NormGradient{t.x.data_ptr<float>() + first,
                            t.y.data_ptr<float>() + first,
                            t.g.data_ptr<float>() + first,
                            end - begin,
                            channels,
                            mean.data(),
                            static_cast<float>(t.leak)};
    };
    const auto both =
        sum_over_rows(rows, 2 * channels, [&](std::int64_t begin, std::int64_t end, double* out) {
            gradient_sums(task(begin, end), out, out + channels);
        });
    std::vector<float> of_gradient, of_deviation, constant;
    ParameterGradients found;
    const auto n = static_cast<double>(rows);
    for (std::size_t c = 0; c < t.mean.size(); ++c) {
        const double sum = both[c], product = both[c + t.mean.size()];
        found.bias.push_back(sum);
        found.weight.push_back(product * t.inverse[c]);
        of_gradient.push_back(static_cast<float>(t.scale[c]));
        of_deviation.push_back(
            static_cast<float>(-t.scale[c] * t.inverse[c] * t.inverse[c] * product / n));
        constant.push_back(static_cast<float>(-t.scale[c] * sum / n));
    }
    base::parallel_for(rows, smallest_share / std::max<std::int64_t>(1, channels),
                       [&](std::int64_t begin, std::int64_t end) {
                           kernels().norm_gradient(task(begin, end), of_gradient.data(),
                                                   of_deviation.data(), constant.data(),
                                                   t.grad_x.data_ptr<float>() + begin * channels);
                       });
    return found;
}

ParameterGradients run_gradient(const GradientTensors& t, double) {
    const auto channels = t.x.size(1), count = t.x.numel();
    const double *x = t.x.data_ptr<double>(), *y = t.y.data_ptr<double>();
    const double* g = t.g.data_ptr<double>();
    const auto gradient = [&](std::int64_t i) { return y[i] > 0.0 ? g[i] : g[i] * t.leak; };
    const auto deviation = [&](std::int64_t i, std::size_t c) {
        return (x[i] - t.mean[c]) * t.inverse[c];
    };
    ParameterGradients found{std::vector<double>(t.mean.size()),
                             std::vector<double>(t.mean.size())};
    for (std::int64_t i = 0; i < count; ++i) {
        const auto c = static_cast<std::size_t>(i % channels);
        found.bias[c] += gradient(i);
        found.weight[c] += gradient(i) * deviation(i, c);
    }
    const auto n = static_cast<double>(t.x.size(0));
    for (std::int64_t i = 0; i < count; ++i) {
        const auto c = static_cast<std::size_t>(i % channels);
        t.grad_x.data_ptr<double>()[i] =
            t.scale[c] * (gradient(i) - found.bias[c] / n - deviation(i, c) * found.weight[c] / n);
    }
    return found;
}

at::Tensor to_tensor(const std::vector<double>& values, const at::TensorOptions& options) {
    auto tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kDouble);
    std::copy(values.begin(), values.end(), tensor.data_ptr<double>());
    return tensor.to(options.dtype());
}

std::vector<double> to_doubles(const at::Tensor& tensor) {
    const auto plain = tensor.detach().to(at::kDouble).contiguous();
    return {plain.data_ptr<double>(), plain.data_ptr<double>() + plain.numel()};
}

/// y = leaky((x - mean) / deviation weight + bias) with the mean and variance of x's own rows.
struct NormFunction : torch::autograd::Function<NormFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& values,
                              const at::Tensor& weight, const at::Tensor& bias, double epsilon,
                              double leak, Moments& found) {
        const auto x = plain_rows(values);
        auto y = new_rows(x.size(0), x.size(1), x.options());
        std::vector<double> inverse, scale;
        for_type_of(x, [&](auto number) {
            using T = decltype(number);
            found = moments<T>(x);
            std::vector<T> scales, shifts;
            const auto w = to_doubles(weight), b = to_doubles(bias);
            for (std::size_t c = 0; c < w.size(); ++c) {
                inverse.push_back(1.0 / std::sqrt(found.variance[c] + epsilon));
                scale.push_back(w[c] * inverse[c]);
                scales.push_back(static_cast<T>(scale[c]));
                shifts.push_back(static_cast<T>(b[c] - found.mean[c] * scale[c]));
            }
            scale_rows<T>(x, scales, shifts, leak, y);
        });
        context->save_for_backward({x, y});
        context->saved_data["mean"] = found.mean;
        context->saved_data["inverse"] = inverse;
        context->saved_data["scale"] = scale;
        context->saved_data["leak"] = leak;
        return y;
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto numbers = [&](const char* name) {
            return context->saved_data[name].toDoubleVector();
        };
        const GradientTensors t{saved[0],
                                saved[1],
                                gradients[0].contiguous(),
                                new_rows(saved[0].size(0), saved[0].size(1), saved[0].options()),
                                numbers("mean"),
                                numbers("inverse"),
                                numbers("scale"),
                                context->saved_data["leak"].toDouble()};
        ParameterGradients found;
        for_type_of(t.x, [&](auto number) { found = run_gradient(t, number); });
        return {t.grad_x,
                to_tensor(found.weight, t.x.options()),
                to_tensor(found.bias, t.x.options()),
                {},
                {},
                {}};
    }
};

}  // namespace

BatchNorm BatchNorm::make(std::int64_t channels, const at::TensorOptions& options) {
    const auto learns = [](at::Tensor tensor) { return tensor.set_requires_grad(true); };
    return {learns(at::ones({channels}, options)), learns(at::zeros({channels}, options)),
            at::zeros({channels}, options), at::ones({channels}, options)};
}

void BatchNorm::visit(tensor::ParameterVisitor& v) {
    v("weight", weight);
    v("bias", bias);
    v("running_mean", running_mean);
    v("running_var", running_var);
}

at::Tensor BatchNorm::train(const at::Tensor& x) {
    if (x.size(0) == 0) return x;
    ColumnMoments found;
    at::Tensor y;
    if (is_on_device(x)) {
        y = norm_by_operators(x, weight, bias, epsilon, leak, found);
    } else {
        Moments on_cpu;
        y = NormFunction::apply(x, weight, bias, epsilon, leak, on_cpu);
        const auto doubles = at::TensorOptions().dtype(at::kDouble);
        found = {to_tensor(on_cpu.mean, doubles), to_tensor(on_cpu.variance, doubles)};
    }
    const at::NoGradGuard no_gradients;
    const auto note = [&](at::Tensor& running, const at::Tensor& batch, double factor) {
        running.copy_(running.to(at::kDouble) * keep + batch * (1.0 - keep) * factor);
    };
    note(running_mean, found.mean, 1.0);
    const auto rows = static_cast<double>(x.size(0));
    if (x.size(0) > 1) note(running_var, found.variance, rows / (rows - 1.0));
    return y;
}

BatchNorm::Folded BatchNorm::folded() const {
    const auto inverse = at::rsqrt(running_var.to(at::kDouble) + epsilon);
    const auto scale = weight.to(at::kDouble) * inverse;
    const auto shift = bias.to(at::kDouble) - running_mean.to(at::kDouble) * scale;
    return {scale.to(weight.scalar_type()), shift.to(weight.scalar_type())};
}

at::Tensor BatchNorm::evaluate(const at::Tensor& x) const {
    const auto [scale, shift] = folded();
    const bool learns = at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad());
    if (learns || is_on_device(x)) {
        const auto y = x * scale + shift;
        return leak == 1.0 ? y : at::leaky_relu(y, leak);
    }
    const auto plain = plain_rows(x);
    auto y = new_rows(plain.size(0), plain.size(1), plain.options());
    for_type_of(plain, [&](auto number) {
        using T = decltype(number);
        const auto scales = to_doubles(scale), shifts = to_doubles(shift);
        scale_rows<T>(plain, {scales.begin(), scales.end()}, {shifts.begin(), shifts.end()}, leak,
                      y);
    });
    return y;
}

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      double epsilon) {
    return at::layer_norm(x, {x.size(1)}, weight.reshape({-1}), bias.reshape({-1}), epsilon);
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
    return centred * spread(inverse) * weight.reshape({-1}) + bias.reshape({-1});
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
    return x.features * spread * gamma.reshape({-1}) + beta.reshape({-1}) + x.features;
}

}  // namespace hodo::sparse
