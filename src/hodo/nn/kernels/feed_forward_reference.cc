#include "hodo/nn/kernels/reference.hh"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

#include "hodo/base/random.hh"

namespace hodo::nn {

bool is_kept(const MaskStream& mask, std::int64_t row, std::int64_t column) {
    const auto block =
        base::philox4x32({static_cast<std::uint32_t>(column / 8),
                          mask.first_row + static_cast<std::uint32_t>(row), mask.place, mask.step},
                         {mask.key[0], mask.key[1]});
    const auto pair = block[static_cast<std::size_t>(column % 8 / 2)];
    return (column % 2 == 0 ? pair & 0xffffU : pair >> 16) >= mask.threshold;
}

float read_number(Storage storage, ConstRows rows, std::int64_t row, std::int64_t column) {
    const auto place = row * rows.stride + column;
    if (storage == Storage::float32) return static_cast<const float*>(rows.data)[place];
    const std::uint32_t bits = static_cast<const std::uint16_t*>(rows.data)[place];
    return std::bit_cast<float>(bits << 16);
}

void write_number(Storage storage, Rows rows, std::int64_t row, std::int64_t column, double value) {
    const auto place = row * rows.stride + column;
    const auto number = static_cast<float>(value);
    if (storage == Storage::float32) {
        static_cast<float*>(rows.data)[place] = number;
        return;
    }
    const auto bits = std::bit_cast<std::uint32_t>(number);
    const auto rounded =
        std::isnan(number) ? bits | 0x400000U : bits + 0x7FFFU + ((bits >> 16) & 1U);
    static_cast<std::uint16_t*>(rows.data)[place] = static_cast<std::uint16_t>(rounded >> 16);
}

ActivatedNumber activated(Activation activation, double x) {
    if (activation == Activation::relu) return {std::max(x, 0.0), x > 0.0 ? 1.0 : 0.0};
    if (activation == Activation::gelu) {
        const double below = 0.5 * std::erfc(-x / std::numbers::sqrt2);
        const double bell = std::exp(-x * x / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
        return {x * below, below + x * bell};
    }
    const double factor = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    const double t = std::tanh(factor * (x + 0.044715 * x * x * x));
    const double rise = factor * (1.0 + 3 * 0.044715 * x * x);
    return {x * (1.0 + t) / 2, (1.0 + t + x * (1.0 - t * t) * rise) / 2};
}

namespace {

double at(const float* values, std::int64_t place) {
    return static_cast<double>(values[place]);
}

/// One row of a feed-forward part.
struct Row {
    const FeedForwardTask& task;
    std::vector<double> x, hidden, slopes;

    Row(const FeedForwardTask& all, std::int64_t row) : task(all), x(numbers(all.x, row)) {
        for (std::int64_t j = 0; j < task.hidden; ++j) {
            double sum = at(task.bias1, j);
            for (std::int64_t c = 0; c < task.channels; ++c) {
                sum += at(task.weight1, j * task.channels + c) * x[static_cast<std::size_t>(c)];
            }
            const auto made = activated(task.activation, sum);
            hidden.push_back(made.value * factor(row, j));
            slopes.push_back(made.slope * factor(row, j));
        }
    }
    std::vector<double> numbers(ConstRows rows, std::int64_t row) const {
        std::vector<double> result;
        for (std::int64_t c = 0; c < task.channels; ++c) {
            result.push_back(static_cast<double>(read_number(task.storage, rows, row, c)));
        }
        return result;
    }
    /// The factor of the mask: 0 or its scale.
    double factor(std::int64_t row, std::int64_t j) const {
        if (task.mask.threshold == 0) return 1.0;
        return is_kept(task.mask, row, j) ? static_cast<double>(task.mask.scale) : 0.0;
    }
};

/// Adds `value` to a sum kept as a float.
void add(float* sums, std::int64_t place, double value) {
    sums[place] = static_cast<float>(at(sums, place) + value);
}

}  // namespace

void feed_forward_reference(const FeedForwardTask& task) {
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const Row values(task, row);
        for (std::int64_t c = 0; c < task.channels; ++c) {
            double sum = at(task.bias2, c);
            for (std::int64_t j = 0; j < task.hidden; ++j) {
                sum += at(task.weight2, c * task.hidden + j) *
                       values.hidden[static_cast<std::size_t>(j)];
            }
            write_number(task.storage, task.y, row, c, sum);
        }
    }
}

void feed_forward_gradient_reference(const FeedForwardTaskGradient& gradient) {
    const auto& task = gradient.task;
    const auto channels = task.channels, hidden = task.hidden;
    std::fill_n(gradient.grad_weight1, hidden * channels, 0.0F);
    std::fill_n(gradient.grad_weight2, hidden * channels, 0.0F);
    std::fill_n(gradient.grad_bias1, hidden, 0.0F);
    std::fill_n(gradient.grad_bias2, channels, 0.0F);
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const Row values(task, row);
        const auto grad_y = values.numbers(gradient.grad_y, row);
        std::vector<double> grad_x(static_cast<std::size_t>(channels));
        for (std::int64_t c = 0; c < channels; ++c) {
            add(gradient.grad_bias2, c, grad_y[static_cast<std::size_t>(c)]);
        }
        for (std::int64_t j = 0; j < hidden; ++j) {
            const double value = values.hidden[static_cast<std::size_t>(j)];
            double back = 0.0;
            for (std::int64_t c = 0; c < channels; ++c) {
                const double g = grad_y[static_cast<std::size_t>(c)];
                back += at(task.weight2, c * hidden + j) * g;
                add(gradient.grad_weight2, c * hidden + j, value * g);
            }
            back *= values.slopes[static_cast<std::size_t>(j)];
            add(gradient.grad_bias1, j, back);
            for (std::int64_t c = 0; c < channels; ++c) {
                const auto channel = static_cast<std::size_t>(c);
                add(gradient.grad_weight1, j * channels + c, back * values.x[channel]);
                grad_x[channel] += back * at(task.weight1, j * channels + c);
            }
        }
        for (std::int64_t c = 0; c < channels; ++c) {
            write_number(task.storage, gradient.grad_x, row, c,
                         grad_x[static_cast<std::size_t>(c)]);
        }
    }
}

}  // namespace hodo::nn
