#include <algorithm>
#include <cmath>
#include <vector>

#include "hodo/base/random.hh"
#include "hodo/nn/kernels/variants.hh"

// The kernels as one would write them on a blackboard: the measure of the fast variants.

namespace hodo::nn {

namespace {

/// Element [output, input] of a packed map.
float element(const PackedView& map, std::int64_t output, std::int64_t input) {
    return map.panels[output / panel_width * panel_width * map.in + input * panel_width +
                      output % panel_width];
}

/// y = x W^T + b for one row.
void apply(const PackedView& map, const float* x, float* y) {
    for (std::int64_t o = 0; o < map.out; ++o) {
        double sum = map.bias[o];
        for (std::int64_t i = 0; i < map.in; ++i) {
            sum += static_cast<double>(x[i]) * static_cast<double>(element(map, o, i));
        }
        y[o] = static_cast<float>(sum);
    }
}

void clear_padding(float* row, std::int64_t used) {
    std::fill(row + used, row + round_up(used, channel_multiple), 0.0F);
}

void dense(ConstMatrixView x, std::int64_t rows, const PackedView& map, MatrixView y) {
    for (std::int64_t row = 0; row < rows; ++row) {
        apply(map, x.data + row * x.stride, y.data + row * y.stride);
        clear_padding(y.data + row * y.stride, map.out);
    }
}

void along_rows(const float* weight, const float* bias, std::int64_t in, std::int64_t out,
                ConstMatrixView x, std::int64_t channels, MatrixView y) {
    for (std::int64_t row = 0; row < out; ++row) {
        for (std::int64_t c = 0; c < channels; ++c) {
            double sum = bias[row];
            for (std::int64_t i = 0; i < in; ++i) {
                sum += static_cast<double>(weight[row / 8 * 8 * in + i * 8 + row % 8]) *
                       static_cast<double>(x.data[i * x.stride + c]);
            }
            y.data[row * y.stride + c] = static_cast<float>(sum);
        }
        clear_padding(y.data + row * y.stride, channels);
    }
}

/// Whether the mask keeps an element.
bool kept(const MaskStream& mask, std::int64_t row, std::int64_t column) {
    const auto block =
        base::philox4x32({static_cast<std::uint32_t>(column / 8),
                          mask.first_row + static_cast<std::uint32_t>(row), mask.place, mask.step},
                         {mask.key[0], mask.key[1]});
    const auto pair = block[static_cast<std::size_t>(column % 8 / 2)];
    return (column % 2 == 0 ? pair & 0xffffU : pair >> 16) >= mask.threshold;
}

/// Drop(relu(first(x))) for one row.
std::vector<float> hidden_numbers(const PackedView& first, const float* x, const MaskStream& mask,
                                  std::int64_t row) {
    std::vector<float> hidden(static_cast<std::size_t>(first.out));
    apply(first, x, hidden.data());
    for (std::int64_t j = 0; j < first.out; ++j) {
        auto& value = hidden[static_cast<std::size_t>(j)];
        if (value < 0.0F || !kept(mask, row, j)) value = 0.0F;
    }
    return hidden;
}

void feed_forward(ConstMatrixView x, std::int64_t rows, const PackedView& first,
                  const PackedView& second, const MaskStream& mask, MatrixView y, float*) {
    for (std::int64_t row = 0; row < rows; ++row) {
        const auto hidden = hidden_numbers(first, x.data + row * x.stride, mask, row);
        apply(second, hidden.data(), y.data + row * y.stride);
        clear_padding(y.data + row * y.stride, second.out);
    }
}

void feed_forward_gradient(const FeedForwardGradient& task, float*) {
    const auto padded = round_up(task.first.in, channel_multiple);
    std::vector<float> gradient(static_cast<std::size_t>(task.first.out));
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const float* x = task.x.data + row * task.x.stride;
        const float* grad_y = task.grad_y.data + row * task.grad_y.stride;
        const auto hidden = hidden_numbers(task.first, x, task.mask, row);
        apply(task.back_second, grad_y, gradient.data());
        for (std::size_t j = 0; j < hidden.size(); ++j) {
            if (hidden[j] <= 0.0F) gradient[j] = 0.0F;
            task.grad_first_bias[j] += gradient[j];
            const auto first = static_cast<std::int64_t>(j) * padded;
            for (std::int64_t c = 0; c < task.first.in; ++c) {
                task.grad_first[first + c] += gradient[j] * x[c];
                task.grad_second[first + c] += hidden[j] * grad_y[c];
            }
        }
        apply(task.back_first, gradient.data(), task.grad_x.data + row * task.grad_x.stride);
        clear_padding(task.grad_x.data + row * task.grad_x.stride, task.first.in);
    }
}

/// One head of an attention task in double precision.
struct Head {
    const AttentionTask& task;
    std::int64_t head;

    double product(ConstMatrixView a, std::int64_t i, ConstMatrixView b, std::int64_t j) const {
        double sum = 0.0;
        for (std::int64_t c = 0; c < task.head_size; ++c) {
            sum += static_cast<double>(a.data[i * a.stride + column() + c]) *
                   static_cast<double>(b.data[j * b.stride + column() + c]);
        }
        return sum;
    }
    std::int64_t column() const { return head * task.head_size; }
    double score(std::int64_t i, std::int64_t j) const {
        return product(task.q, i, task.k, j) / std::sqrt(static_cast<double>(task.head_size));
    }
    /// The factor of the mask: 0 or its scale.
    double factor(std::int64_t i, std::int64_t j) const {
        if (task.mask.threshold == 0) return 1.0;
        return kept(task.mask, head * task.queries + i, j) ? task.mask.scale : 0.0;
    }
};

void attend(const AttentionTask& task, float*) {
    std::vector<double> weight(static_cast<std::size_t>(task.keys));
    for (std::int64_t h = 0; h < task.heads; ++h) {
        const Head head{task, h};
        for (std::int64_t i = 0; i < task.queries; ++i) {
            for (std::int64_t j = 0; j < task.keys; ++j) {
                weight[static_cast<std::size_t>(j)] = head.score(i, j);
            }
            const double maximum = *std::max_element(weight.begin(), weight.end());
            double sum = 0.0;
            for (auto& w : weight) sum += w = std::exp(w - maximum);
            if (task.log_sums != nullptr) {
                task.log_sums[h * task.queries + i] =
                    static_cast<float>((maximum + std::log(sum)) / std::log(2.0));
            }
            float* out = task.out.data + i * task.out.stride + head.column();
            for (std::int64_t c = 0; c < task.head_size; ++c) {
                double value = 0.0;
                for (std::int64_t j = 0; j < task.keys; ++j) {
                    value +=
                        weight[static_cast<std::size_t>(j)] * head.factor(i, j) *
                        static_cast<double>(task.v.data[j * task.v.stride + head.column() + c]);
                }
                out[c] = static_cast<float>(value / sum);
            }
        }
    }
}

void attend_gradient(const AttentionGradient& gradient, float*) {
    const auto& task = gradient.task;
    const double scale = 1.0 / std::sqrt(static_cast<double>(task.head_size));
    const auto add = [&](MatrixView target, std::int64_t row, double weight, ConstMatrixView source,
                         std::int64_t from, std::int64_t column) {
        for (std::int64_t c = column; c < column + task.head_size; ++c) {
            target.data[row * target.stride + c] += static_cast<float>(
                weight * static_cast<double>(source.data[from * source.stride + c]));
        }
    };
    const auto clear = [&](MatrixView target, std::int64_t rows) {
        for (std::int64_t row = 0; row < rows; ++row) {
            std::fill_n(target.data + row * target.stride, task.heads * task.head_size, 0.0F);
        }
    };
    clear(gradient.grad_q, task.queries);
    clear(gradient.grad_k, task.keys);
    clear(gradient.grad_v, task.keys);
    for (std::int64_t h = 0; h < task.heads; ++h) {
        const Head head{task, h};
        for (std::int64_t i = 0; i < task.queries; ++i) {
            const double log_sum =
                static_cast<double>(task.log_sums[h * task.queries + i]) * std::log(2.0);
            const double delta = head.product(gradient.grad_out, i, task.out, i);
            for (std::int64_t j = 0; j < task.keys; ++j) {
                const double p = std::exp(head.score(i, j) - log_sum);
                const double dp = head.product(gradient.grad_out, i, task.v, j) * head.factor(i, j);
                const double ds = p * (dp - delta) * scale;
                add(gradient.grad_q, i, ds, task.k, j, head.column());
                add(gradient.grad_k, j, ds, task.q, i, head.column());
                add(gradient.grad_v, j, p * head.factor(i, j), gradient.grad_out, i, head.column());
            }
        }
    }
}

void add_norm(MatrixView x, ConstMatrixView change, std::int64_t rows, std::int64_t channels,
              const float* scale, const float* shift) {
    const auto count = static_cast<double>(channels);
    for (std::int64_t row = 0; row < rows; ++row) {
        float* value = x.data + row * x.stride;
        const float* delta = change.data + row * change.stride;
        double mean = 0.0, variance = 0.0;
        for (std::int64_t c = 0; c < channels; ++c) mean += value[c] += delta[c];
        mean /= count;
        for (std::int64_t c = 0; c < channels; ++c) variance += std::pow(value[c] - mean, 2);
        const double factor = 1.0 / std::sqrt(variance / count + 1e-5);
        for (std::int64_t c = 0; c < channels; ++c) {
            value[c] = static_cast<float>((value[c] - mean) * factor) * scale[c] + shift[c];
        }
        clear_padding(value, channels);
    }
}

void add_scaled(float a, const float* x, float* y, std::int64_t size) {
    for (std::int64_t i = 0; i < size; ++i) y[i] += a * x[i];
}

}  // namespace

const Kernels reference_kernels{
    "reference", dense,           along_rows, feed_forward, feed_forward_gradient,
    attend,      attend_gradient, add_norm,   add_scaled};

}  // namespace hodo::nn
