#include "hodo/nn/fused_linear.hh"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/nn/packed.hh"

namespace hodo::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Rows of a result worth a part of a section of their own.
constexpr std::int64_t rows_of_part = 64;
/// Rows of a small map that add up their weight gradients together, and how many groups there are
/// at most; fixed, so that sums do not depend on threads.
constexpr std::int64_t smallest_group = 256, largest_group_count = 16;
/// The weights of a small map stay in the cache; those of a large one are read once. The way is
/// chosen by the map alone, so that a row has the same bits whatever the number of rows.
constexpr std::int64_t largest_small_side = 256, smallest_large_map = 1 << 18;

float* data(const at::Tensor& tensor) {
    return tensor.data_ptr<float>();
}

bool is_even(std::int64_t size) {
    return size % channel_multiple == 0;
}

bool lies_here(const at::Tensor& tensor) {
    return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat;
}

bool kernels_apply(const at::Tensor& x, const Linear& map, const Pass& pass) {
    return pass.engine == Engine::fused && pass.precision == tensor::Precision::float32 &&
           lies_here(x) && lies_here(map.weight) && lies_here(map.bias) && x.numel() > 0;
}

/// Calls work(first, count) for parts of [0, rows), which threads share.
template <class Work>
void each_part(std::int64_t rows, std::int64_t size, const Work& work) {
    const auto parts = (rows + size - 1) / size;
    base::parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto part = begin; part < end; ++part) {
            work(part * size, std::min(size, rows - part * size));
        }
    });
}

/// sums[i] = the sum of row i of a matrix, columns in order.
void sum_rows(const float* matrix, std::int64_t rows, std::int64_t columns, float* sums) {
    for (std::int64_t i = 0; i < rows; ++i) {
        const float* row = matrix + i * columns;
        for (std::int64_t c = 0; c < columns; ++c) sums[i] += row[c];
    }
}

/// A small map, as a rule of many rows.
struct SmallMap : torch::autograd::Function<SmallMap> {
    static PackedLinear pack(const at::Tensor& weight, const at::Tensor& bias) {
        const auto span = [](const at::Tensor& t) {
            return std::span<const float>(data(t), static_cast<std::size_t>(t.numel()));
        };
        return PackedLinear(WeightSpan{span(weight), span(bias), weight.size(0), weight.size(1)});
    }

    static void apply_map(const PackedLinear& map, const at::Tensor& x, const at::Tensor& y) {
        base::parallel_for(x.size(0), smallest_group, [&](std::int64_t begin, std::int64_t end) {
            kernels().dense({data(x) + begin * map.in(), map.in()}, end - begin, map.view(),
                            {data(y) + begin * map.out(), map.out()});
        });
    }

    static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                              const at::Tensor& weight, const at::Tensor& bias) {
        const auto x = input.contiguous();
        const auto y = at::empty({x.size(0), weight.size(0)}, x.options());
        apply_map(pack(weight.contiguous(), bias.contiguous()), x, y);
        context->save_for_backward({x, weight});
        return y;
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &weight = saved[1];
        const auto grad_y = gradients[0].contiguous();
        const auto count = x.size(0), in = weight.size(1), out = weight.size(0);
        at::Tensor grad_x;
        if (context->needs_input_grad(0)) {
            grad_x = at::empty(x.sizes(), x.options());
            const auto back = weight.transpose(0, 1).contiguous();
            apply_map(pack(back, at::zeros({in}, x.options())), grad_y, grad_x);
        }
        const auto groups =
            std::clamp<std::int64_t>(count / smallest_group, 1, largest_group_count);
        const auto sums = at::empty({groups, out, in}, x.options());
        const auto bias_sums = at::zeros({groups, out}, x.options());
        base::parallel_for(groups, 1, [&](std::int64_t begin, std::int64_t end) {
            for (auto group = begin; group < end; ++group) {
                const auto first = count * group / groups;
                Product task;
                task.a = data(grad_y) + first * out;
                task.a_row = 1;
                task.a_inner = out;
                task.b = data(x) + first * in;
                task.b_row = in;
                task.c = data(sums) + group * out * in;
                task.c_row = in;
                task.rows = out;
                task.inner = count * (group + 1) / groups - first;
                task.columns = in;
                task.inner_at_a_time = 64;
                kernels().product(task);
                for (std::int64_t row = 0; row < task.inner; ++row) {
                    kernels().add_scaled(1.0F, task.a + row * out, data(bias_sums) + group * out,
                                         out);
                }
            }
        });
        return {grad_x, sums.sum(0), bias_sums.sum(0)};
    }
};

/// A large map, as a rule of few rows: its weights pass by once.
struct LargeMap : torch::autograd::Function<LargeMap> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                              const at::Tensor& map, const at::Tensor& bias) {
        const auto x = input.contiguous(), weight = map.contiguous(), shift = bias.contiguous();
        const auto rows = x.size(0), in = weight.size(1), out = weight.size(0);
        const auto padded = round_up(rows, channel_multiple);
        // Rows in the lanes: [in, rows] to [out, rows].
        const auto columns = at::zeros({in, padded}, x.options());
        columns.narrow(1, 0, rows).copy_(x.transpose(0, 1));
        const auto result = at::empty({out, padded}, x.options());
        each_part(out, rows_of_part, [&](std::int64_t first, std::int64_t count) {
            Product task;
            task.a = data(weight) + first * in;
            task.a_row = in;
            task.b = data(columns);
            task.b_row = padded;
            task.c = data(result) + first * padded;
            task.c_row = padded;
            task.rows = count;
            task.inner = in;
            task.columns = padded;
            task.row_bias = data(shift) + first;
            kernels().product(task);
        });
        context->save_for_backward({x, weight});
        return result.narrow(1, 0, rows).transpose(0, 1).contiguous();
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &weight = saved[1];
        const auto grad_y = gradients[0].contiguous();
        const auto rows = x.size(0), in = weight.size(1), out = weight.size(0);
        at::Tensor grad_x;
        if (context->needs_input_grad(0)) {
            grad_x = at::empty(x.sizes(), x.options());
            each_part(in, 4 * rows_of_part, [&](std::int64_t first, std::int64_t count) {
                Product task;
                task.a = data(grad_y);
                task.a_row = out;
                task.b = data(weight) + first;
                task.b_row = in;
                task.c = data(grad_x) + first;
                task.c_row = in;
                task.rows = rows;
                task.inner = out;
                task.columns = count;
                task.inner_at_a_time = 8;  // whole rows of weights, one after the other
                kernels().product(task);
            });
        }
        const auto grad_weight = at::empty(weight.sizes(), weight.options());
        each_part(out, rows_of_part, [&](std::int64_t begin, std::int64_t count) {
            for (auto first = begin; first < begin + count; first += 8) {
                Product task;
                task.a = data(grad_y) + first;
                task.a_row = 1;
                task.a_inner = out;
                task.b = data(x);
                task.b_row = in;
                task.c = data(grad_weight) + first * in;
                task.c_row = in;
                task.rows = std::min<std::int64_t>(8, begin + count - first);
                task.inner = rows;
                task.columns = in;
                kernels().product(task);
            }
        });
        return {grad_x, grad_weight, grad_y.sum(0)};
    }
};

/// A map along the tokens of every entry.
struct TokenMap : torch::autograd::Function<TokenMap> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                              const at::Tensor& map, const at::Tensor& bias) {
        const auto x = input.contiguous(), weight = map.contiguous(), shift = bias.contiguous();
        const auto y = at::empty({x.size(0), weight.size(0), x.size(2)}, x.options());
        multiply(weight, 1, x, y, data(shift));
        context->save_for_backward({x, weight});
        return y;
    }

    /// y[b] = W x[b] + bias, or with the transposed W when `inner_stride` is its row's length.
    static void multiply(const at::Tensor& weight, std::int64_t inner_stride, const at::Tensor& x,
                         const at::Tensor& y, const float* bias) {
        const auto entries = x.size(0), in = x.size(1), out = y.size(1), channels = x.size(2);
        const auto row_stride = inner_stride == 1 ? in : 1;
        const auto parts = (out + rows_of_part - 1) / rows_of_part;
        // Entries follow each other for the same rows of weights, which stay in the cache.
        base::parallel_for(parts * entries, 1, [&](std::int64_t begin, std::int64_t end) {
            for (auto i = begin; i < end; ++i) {
                const auto entry = i % entries, first = i / entries * rows_of_part;
                Product task;
                task.a = data(weight) + first * row_stride;
                task.a_row = row_stride;
                task.a_inner = inner_stride;
                task.b = data(x) + entry * in * channels;
                task.b_row = channels;
                task.c = data(y) + (entry * out + first) * channels;
                task.c_row = channels;
                task.rows = std::min(rows_of_part, out - first);
                task.inner = in;
                task.columns = channels;
                task.row_bias = bias == nullptr ? nullptr : bias + first;
                kernels().product(task);
            }
        });
    }

    /// x [batch, in, channels] as panels of tokens: [in / panel, batch channels, panel].
    static AlignedFloats token_panels(const at::Tensor& x) {
        const auto entries = x.size(0), in = x.size(1), channels = x.size(2);
        AlignedFloats panels(round_up(in, panel_width) * entries * channels);
        base::parallel_for(entries, 1, [&](std::int64_t begin, std::int64_t end) {
            for (auto entry = begin; entry < end; ++entry) {
                for (std::int64_t t = 0; t < in; ++t) {
                    const float* from = data(x) + (entry * in + t) * channels;
                    float* to = panels.data() +
                                (t / panel_width * entries + entry) * channels * panel_width +
                                t % panel_width;
                    for (std::int64_t c = 0; c < channels; ++c) to[c * panel_width] = from[c];
                }
            }
        });
        return panels;
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &weight = saved[1];
        const auto grad_y = gradients[0].contiguous();
        const auto entries = x.size(0), in = x.size(1), channels = x.size(2);
        const auto out = weight.size(0);
        const auto grad_x = at::empty(x.sizes(), x.options());
        multiply(weight, in, grad_y, grad_x, nullptr);
        const auto panels = token_panels(x);
        const auto grad_weight = at::empty(weight.sizes(), weight.options());
        const auto grad_bias = at::zeros({out}, weight.options());
        each_part(out, rows_of_part, [&](std::int64_t first, std::int64_t count) {
            for (std::int64_t entry = 0; entry < entries; ++entry) {
                Product task;
                task.a = data(grad_y) + (entry * out + first) * channels;
                task.a_row = channels;
                task.b = panels.data() + entry * channels * panel_width;
                task.b_row = panel_width;
                task.b_panel = entries * channels * panel_width;
                task.c = data(grad_weight) + first * in;
                task.c_row = in;
                task.rows = count;
                task.inner = channels;
                task.columns = in;
                task.adds = entry > 0;
                kernels().product(task);
                sum_rows(task.a, count, channels, data(grad_bias) + first);
            }
        });
        return {grad_x, grad_weight, grad_bias};
    }
};

bool is_small(const Linear& map) {
    const auto in = map.weight.size(1), out = map.weight.size(0);
    return is_even(in) && is_even(out) && std::max(in, out) <= largest_small_side;
}

bool is_large(const Linear& map) {
    return is_even(map.weight.size(1)) && map.weight.numel() >= smallest_large_map;
}

}  // namespace

bool fused_map_applies(const at::Tensor& x, const Linear& map, const Pass& pass) {
    return kernels_apply(x, map, pass) && (is_small(map) || is_large(map));
}

at::Tensor map_fused(const at::Tensor& x, const Linear& map) {
    HODO_DOOR(x.size(-1) == map.weight.size(1));
    const auto rows = x.reshape({-1, x.size(-1)});
    auto sizes = x.sizes().vec();
    sizes.back() = map.weight.size(0);
    const auto y = is_small(map) ? SmallMap::apply(rows, map.weight, map.bias)
                                 : LargeMap::apply(rows, map.weight, map.bias);
    return y.reshape(sizes);
}

bool fused_token_map_applies(const at::Tensor& x, const Linear& map, const Pass& pass) {
    return kernels_apply(x, map, pass) && x.dim() == 3 && is_even(x.size(2)) && is_even(x.size(1));
}

at::Tensor map_tokens_fused(const at::Tensor& x, const Linear& map) {
    HODO_DOOR(x.size(1) == map.weight.size(1));
    return TokenMap::apply(x, map.weight, map.bias);
}

}  // namespace hodo::nn
