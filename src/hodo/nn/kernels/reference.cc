#include <algorithm>
#include <cmath>
#include <vector>

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

void feed_forward(ConstMatrixView x, std::int64_t rows, const PackedView& first,
                  const PackedView& second, MatrixView y, float*) {
    std::vector<float> hidden(static_cast<std::size_t>(first.out));
    for (std::int64_t row = 0; row < rows; ++row) {
        apply(first, x.data + row * x.stride, hidden.data());
        for (auto& value : hidden) value = std::max(value, 0.0F);
        apply(second, hidden.data(), y.data + row * y.stride);
        clear_padding(y.data + row * y.stride, second.out);
    }
}

void attend(const AttentionTask& task, float*) {
    std::vector<double> weight(static_cast<std::size_t>(task.keys));
    const double scale = 1.0 / std::sqrt(static_cast<double>(task.head_size));
    for (std::int64_t head = 0; head < task.heads; ++head) {
        const auto column = head * task.head_size;
        for (std::int64_t i = 0; i < task.queries; ++i) {
            const float* q = task.q.data + i * task.q.stride + column;
            for (std::int64_t j = 0; j < task.keys; ++j) {
                double score = 0.0;
                for (std::int64_t c = 0; c < task.head_size; ++c) {
                    score += static_cast<double>(q[c]) *
                             static_cast<double>(task.k.data[j * task.k.stride + column + c]);
                }
                weight[static_cast<std::size_t>(j)] = score * scale;
            }
            const double maximum = *std::max_element(weight.begin(), weight.end());
            double sum = 0.0;
            for (auto& w : weight) sum += w = std::exp(w - maximum);
            for (std::int64_t c = 0; c < task.head_size; ++c) {
                double value = 0.0;
                for (std::int64_t j = 0; j < task.keys; ++j) {
                    value += weight[static_cast<std::size_t>(j)] *
                             static_cast<double>(task.v.data[j * task.v.stride + column + c]);
                }
                task.out.data[i * task.out.stride + column + c] = static_cast<float>(value / sum);
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

const Kernels reference_kernels{"reference", dense,    along_rows, feed_forward,
                                attend,      add_norm, add_scaled};

}  // namespace hodo::nn
