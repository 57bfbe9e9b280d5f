#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "hodo/base/threads.hh"
#include "hodo/sparse/detail/batch_norm.hh"
#include "hodo/sparse/detail/device.hh"
#include "hodo/sparse/detail/norm_operators.hh"
#include "hodo/sparse/detail/sums.hh"
#include "hodo/sparse/products.hh"

namespace hodo::sparse {

namespace {

/// Writes numbers to a tensor of any type on any device; without an operator of LibTorch, whose
/// calls take longer than the few numbers of a norm, where that can be.
void write(const std::vector<double>& values, const at::Tensor& tensor) {
    const auto type = tensor.scalar_type();
    if (tensor.is_cpu() && tensor.is_contiguous() && (type == at::kFloat || type == at::kDouble)) {
        for_type_of(tensor, [&](auto number) {
            std::copy(values.begin(), values.end(), tensor.data_ptr<decltype(number)>());
        });
        return;
    }
    const auto wide = at::empty({static_cast<std::int64_t>(values.size())}, at::kDouble);
    write(values, wide);
    tensor.copy_(wide);
}

}  // namespace

at::Tensor to_tensor(const std::vector<double>& values, const at::TensorOptions& options) {
    const auto tensor = at::empty({static_cast<std::int64_t>(values.size())}, options);
    write(values, tensor);
    return tensor;
}

std::vector<double> to_doubles(const at::Tensor& tensor) {
    const auto plain = tensor.to(at::kCPU).contiguous();
    std::vector<double> values;
    for_type_of(plain, [&](auto number) {
        const auto* first = plain.data_ptr<decltype(number)>();
        values.assign(first, first + plain.numel());
    });
    return values;
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t group_rows_count = 4096;   // rows that share a partial sum
constexpr std::int64_t smallest_share = 1 << 16;  // numbers that are worth another thread

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
    for (auto group = partial.begin(); group != partial.end(); group += numbers) {
        for (std::size_t i = 0; i < sums.size(); ++i) {
            sums[i] += group[static_cast<std::int64_t>(i)];
        }
    }
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
    static void apply(Rows<const float> x, std::int64_t rows, std::int64_t channels,
                      const float* scale, const float* shift, double leak, Rows<float> y) {
        kernels().scale_leaky(x.data, x.stride, rows, channels, scale, shift,
                              static_cast<float>(leak), y.data, y.stride);
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
    static void apply(Rows<const double> x, std::int64_t rows, std::int64_t channels,
                      const double* scale, const double* shift, double leak, Rows<double> y) {
        for (std::int64_t row = 0; row < rows; ++row) {
            for (std::int64_t c = 0; c < channels; ++c) {
                const double value = x.data[row * x.stride + c] * scale[c] + shift[c];
                y.data[row * y.stride + c] = value > 0.0 ? value : value * leak;
            }
        }
    }
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

/// y = leaky(x scale + shift); columns of one row lie side by side.
template <class T>
base::Work scaling(const at::Tensor& x, const std::vector<double>& scale,
                   const std::vector<double>& shift, double leak, const at::Tensor& y) {
    const auto channels = x.size(1);
    const Rows<const T> from{x.data_ptr<T>(), x.stride(0)};
    const Rows<T> to{y.data_ptr<T>(), y.stride(0)};
    return {x.size(0), smallest_share / std::max<std::int64_t>(1, channels),
            [from, to, channels, leak, scales = std::vector<T>(scale.begin(), scale.end()),
             shifts = std::vector<T>(shift.begin(), shift.end())](std::int64_t begin,
                                                                  std::int64_t end) {
                Steps<T>::apply({from.data + begin * from.stride, from.stride}, end - begin,
                                channels, scales.data(), shifts.data(), leak,
                                {to.data + begin * to.stride, to.stride});
            }};
}

base::Work scaling_of_any_type(const at::Tensor& x, const std::vector<double>& scale,
                               const std::vector<double>& shift, double leak, const at::Tensor& y) {
    base::Work work;
    for_type_of(x,
                [&](auto number) { work = scaling<decltype(number)>(x, scale, shift, leak, y); });
    return work;
}

/// The way back in double precision, by the formulas.
ParameterGradients wide_gradient(const ChannelMap& map, const at::Tensor& rows,
                                 const at::Tensor& gradient_of_y, const at::Tensor& grad_x) {
    const auto channels = rows.size(1), count = rows.numel();
    const double* x = rows.data_ptr<double>();
    const double* g = gradient_of_y.data_ptr<double>();
    const auto gradient = [&](std::int64_t i, std::size_t c) {
        return x[i] * map.scale[c] + map.shift[c] > 0.0 ? g[i] : g[i] * map.leak;
    };
    const auto deviation = [&](std::int64_t i, std::size_t c) {
        return (x[i] - map.mean[c]) * map.inverse[c];
    };
    ParameterGradients found{std::vector<double>(map.mean.size()),
                             std::vector<double>(map.mean.size())};
    for (std::int64_t i = 0; i < count; ++i) {
        const auto c = static_cast<std::size_t>(i % channels);
        found.bias[c] += gradient(i, c);
        found.weight[c] += gradient(i, c) * deviation(i, c);
    }
    const auto n = static_cast<double>(rows.size(0));
    for (std::int64_t i = 0; i < count; ++i) {
        const auto c = static_cast<std::size_t>(i % channels);
        grad_x.data_ptr<double>()[i] = map.scale[c] * (gradient(i, c) - found.bias[c] / n -
                                                       deviation(i, c) * found.weight[c] / n);
    }
    return found;
}

struct MapHolder : torch::CustomClassHolder {
    explicit MapHolder(ChannelMap m) : map(std::move(m)) {}
    ChannelMap map;
};

/// Batch normalisation on a device, where the moments stay.
at::Tensor train_on_device(BatchNorm& norm, const at::Tensor& x) {
    ColumnMoments found;
    const auto y = norm_by_operators(x, norm.weight, norm.bias, norm.epsilon, norm.leak, found);
    const at::NoGradGuard no_gradients;
    const auto one = [&](at::Tensor& running, const at::Tensor& batch, double factor) {
        running.copy_(running.to(at::kDouble) * norm.keep + batch * (1.0 - norm.keep) * factor);
    };
    one(norm.running_mean, found.mean, 1.0);
    const auto rows = static_cast<double>(x.size(0));
    if (x.size(0) > 1) one(norm.running_var, found.variance, rows / (rows - 1.0));
    return y;
}

/// y = leaky((x - mean) / deviation weight + bias) with the mean and variance of x's own rows.
struct NormFunction : torch::autograd::Function<NormFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& values,
                              const at::Tensor& weight, const at::Tensor& bias, double epsilon,
                              double leak, Moments& found) {
        const auto x = plain_rows(values);
        if (found.mean.empty()) found = row_moments(x);
        auto y = new_rows(x.size(0), x.size(1), x.options());
        auto map = channel_map(found, weight, bias, epsilon, leak);
        sparse::apply(map, x, y);
        context->save_for_backward({x});
        context->saved_data["map"] =
            c10::IValue::make_capsule(c10::make_intrusive<MapHolder>(std::move(map)));
        return y;
    }
    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto x = context->get_saved_variables()[0];
        const auto holder = context->saved_data["map"].toCapsule();
        const auto& map = static_cast<const MapHolder&>(*holder).map;
        const auto g = gradients[0].contiguous();
        const auto grad_x = new_rows(x.size(0), x.size(1), x.options());
        ParameterGradients found;
        if (x.scalar_type() == at::kDouble) {
            found = wide_gradient(map, x, g, grad_x);
        } else {
            const FloatMap narrow(map);
            const auto channels = x.size(1);
            const auto sums = sum_over_rows(
                x.size(0), 2 * channels, [&](std::int64_t begin, std::int64_t end, double* out) {
                    kernels().norm_sums(narrow.rows(x, g, begin, end), out, out + channels);
                });
            found = norm_gradient(map, sums, x, g, {}, grad_x);
        }
        return {grad_x,
                to_tensor(found.weight, x.options()),
                to_tensor(found.bias, x.options()),
                {},
                {},
                {}};
    }
};

}  // namespace

Moments row_moments(const at::Tensor& x) {
    Moments found;
    for_type_of(x, [&](auto number) { found = moments<decltype(number)>(x); });
    return found;
}

ChannelMap channel_map(const Moments& moments, const at::Tensor& weight, const at::Tensor& bias,
                       double epsilon, double leak) {
    ChannelMap map;
    map.mean = moments.mean;
    map.leak = leak;
    const auto w = to_doubles(weight), b = to_doubles(bias);
    for (std::size_t c = 0; c < w.size(); ++c) {
        map.inverse.push_back(1.0 / std::sqrt(moments.variance[c] + epsilon));
        map.scale.push_back(w[c] * map.inverse[c]);
        map.shift.push_back(b[c] - map.mean[c] * map.scale[c]);
    }
    return map;
}

FloatMap::FloatMap(const ChannelMap& map)
    : mean(map.mean.begin(), map.mean.end()),
      scale(map.scale.begin(), map.scale.end()),
      shift(map.shift.begin(), map.shift.end()),
      leak(static_cast<float>(map.leak)) {}

NormGradient FloatMap::rows(const at::Tensor& x, const at::Tensor& g, std::int64_t first,
                            std::int64_t end) const {
    const auto channels = x.size(1);
    return {x.data_ptr<float>() + first * channels,
            g.data_ptr<float>() + first * channels,
            end - first,
            channels,
            mean.data(),
            scale.data(),
            shift.data(),
            leak};
}

base::Work applying(const ChannelMap& map, const at::Tensor& x, const at::Tensor& y) {
    return scaling_of_any_type(x, map.scale, map.shift, map.leak, y);
}

void apply(const ChannelMap& map, const at::Tensor& x, const at::Tensor& y) {
    base::parallel_for(applying(map, x, y));
}

ParameterGradients norm_gradient(const ChannelMap& map, const std::vector<double>& sums,
                                 const at::Tensor& x, const at::Tensor& g, const at::Tensor& added,
                                 const at::Tensor& grad_x, const base::Work& meanwhile) {
    const auto rows = x.size(0), channels = x.size(1);
    std::vector<float> of_gradient, of_deviation, constant;
    ParameterGradients found;
    const auto n = static_cast<double>(rows);
    for (std::size_t c = 0; c < map.mean.size(); ++c) {
        const double sum = sums[c], product = sums[c + map.mean.size()];
        found.bias.push_back(sum);
        found.weight.push_back(product * map.inverse[c]);
        of_gradient.push_back(static_cast<float>(map.scale[c]));
        of_deviation.push_back(
            static_cast<float>(-map.scale[c] * map.inverse[c] * map.inverse[c] * product / n));
        constant.push_back(static_cast<float>(-map.scale[c] * sum / n));
    }
    const FloatMap narrow(map);
    const auto write_rows = [&](std::int64_t begin, std::int64_t end) {
        auto task = narrow.rows(x, g, begin, end);
        if (added.defined()) {
            task.added = added.data_ptr<float>() + begin * added.stride(0);
            task.added_stride = added.stride(0);
        }
        kernels().norm_gradient(task, of_gradient.data(), of_deviation.data(), constant.data(),
                                grad_x.data_ptr<float>() + begin * channels);
    };
    const auto grain = smallest_share / std::max<std::int64_t>(1, channels);
    base::parallel_for(std::array{meanwhile, base::Work{rows, grain, write_rows}});
    return found;
}

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

at::Tensor BatchNorm::train(const at::Tensor& x, const Moments* known) {
    if (x.size(0) == 0) return x;
    if (is_on_device(x)) return train_on_device(*this, x);
    Moments found = known == nullptr ? Moments() : *known;
    auto y = NormFunction::apply(x, weight, bias, epsilon, leak, found);
    note(*this, found, x.size(0));
    return y;
}

void note(BatchNorm& norm, const Moments& moments, std::int64_t rows) {
    const at::NoGradGuard no_gradients;
    const auto one = [&](at::Tensor& running, const std::vector<double>& batch, double factor) {
        auto values = to_doubles(running);
        for (std::size_t c = 0; c < values.size(); ++c) {
            values[c] = norm.keep * values[c] + (1.0 - norm.keep) * batch[c] * factor;
        }
        write(values, running);
    };
    one(norm.running_mean, moments.mean, 1.0);
    const auto n = static_cast<double>(rows);
    if (rows > 1) one(norm.running_var, moments.variance, n / (n - 1.0));
}

BatchNorm::Folded BatchNorm::folded() const {
    const auto w = to_doubles(weight), b = to_doubles(bias);
    const auto mean = to_doubles(running_mean), variance = to_doubles(running_var);
    std::vector<double> scale, shift;
    for (std::size_t c = 0; c < w.size(); ++c) {
        scale.push_back(w[c] / std::sqrt(variance[c] + epsilon));
        shift.push_back(b[c] - mean[c] * scale[c]);
    }
    return {to_tensor(scale, weight.options()), to_tensor(shift, weight.options())};
}

at::Tensor BatchNorm::evaluate(const at::Tensor& x) const {
    const bool learns = at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad());
    if (learns || is_on_device(x)) {
        const auto inverse = at::rsqrt(running_var.to(at::kDouble) + epsilon);
        const auto scale = weight.to(at::kDouble) * inverse;
        const auto shift = bias.to(at::kDouble) - running_mean.to(at::kDouble) * scale;
        const auto y = x * scale.to(weight.scalar_type()) + shift.to(weight.scalar_type());
        return leak == 1.0 ? y : at::leaky_relu(y, leak);
    }
    const auto plain = plain_rows(x);
    auto y = new_rows(plain.size(0), plain.size(1), plain.options());
    scale_into(plain, folded(), leak, y);
    return y;
}

void scale_into(const at::Tensor& x, const BatchNorm::Folded& by, double leak,
                const at::Tensor& y) {
    if (is_on_device(x)) {
        y.copy_(at::leaky_relu(x * by.scale + by.shift, leak));
        return;
    }
    base::parallel_for(scaling_of_any_type(x, to_doubles(by.scale), to_doubles(by.shift), leak, y));
}

}  // namespace hodo::sparse
