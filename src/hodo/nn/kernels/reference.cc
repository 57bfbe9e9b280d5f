#include "hodo/nn/kernels/reference.hh"

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

void product(const Product& task) {
    for (std::int64_t row = 0; row < task.rows; ++row) {
        for (std::int64_t column = 0; column < task.columns; ++column) {
            const float* b = task.b + column / panel_width * task.b_panel + column % panel_width;
            float& c = task.c[row * task.c_row + column];
            double sum = task.adds ? static_cast<double>(c) : 0.0;
            if (task.row_bias != nullptr) sum = static_cast<double>(task.row_bias[row]);
            for (std::int64_t i = 0; i < task.inner; ++i) {
                sum += static_cast<double>(task.a[row * task.a_row + i * task.a_inner]) *
                       static_cast<double>(b[i * task.b_row]);
            }
            c = static_cast<float>(sum);
        }
    }
}

/// Drop(act(first(x))) for one row, and the slopes act' where it is kept.
struct HiddenRow {
    std::vector<float> values, slopes;

    HiddenRow(const PackedView& first, const float* x, const MaskStream& mask, std::int64_t row,
              Activation activation)
        : values(static_cast<std::size_t>(first.out)), slopes(values.size()) {
        apply(first, x, values.data());
        for (std::size_t j = 0; j < values.size(); ++j) {
            const auto made = activated(activation, static_cast<double>(values[j]));
            const bool kept = is_kept(mask, row, static_cast<std::int64_t>(j));
            values[j] = kept ? static_cast<float>(made.value) : 0.0F;
            slopes[j] = kept ? static_cast<float>(made.slope) : 0.0F;
        }
    }
};

void feed_forward(const FeedForwardCall& call, float*) {
    for (std::int64_t row = 0; row < call.rows; ++row) {
        const HiddenRow hidden(call.first, call.x.data + row * call.x.stride, call.mask, row,
                               call.activation);
        apply(call.second, hidden.values.data(), call.y.data + row * call.y.stride);
        clear_padding(call.y.data + row * call.y.stride, call.second.out);
    }
}

void feed_forward_gradient(const FeedForwardGradient& task, float*) {
    const auto padded = round_up(task.first.in, channel_multiple);
    std::vector<float> gradient(static_cast<std::size_t>(task.first.out));
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const float* x = task.x.data + row * task.x.stride;
        const float* grad_y = task.grad_y.data + row * task.grad_y.stride;
        const HiddenRow hidden(task.first, x, task.mask, row, task.activation);
        apply(task.back_second, grad_y, gradient.data());
        for (std::size_t j = 0; j < gradient.size(); ++j) {
            gradient[j] *= hidden.slopes[j];
            task.grad_first_bias[j] += gradient[j];
            const auto first = static_cast<std::int64_t>(j) * padded;
            for (std::int64_t c = 0; c < task.first.in; ++c) {
                task.grad_first[first + c] += gradient[j] * x[c];
                task.grad_second[first + c] += hidden.values[j] * grad_y[c];
            }
        }
        apply(task.back_first, gradient.data(), task.grad_x.data + row * task.grad_x.stride);
        clear_padding(task.grad_x.data + row * task.grad_x.stride, task.first.in);
    }
}

void scalar_means(const float* slopes, std::int64_t queries, const float* numbers,
                  std::int64_t keys, float* means) {
    for (std::int64_t i = 0; i < queries; ++i) {
        const auto score = [&](std::int64_t j) {
            return static_cast<double>(slopes[i]) * static_cast<double>(numbers[j]);
        };
        double largest = score(0), weights = 0.0, products = 0.0;
        for (std::int64_t j = 0; j < keys; ++j) largest = std::max(largest, score(j));
        for (std::int64_t j = 0; j < keys; ++j) {
            const double weight = std::exp2(score(j) - largest);
            weights += weight;
            products += weight * static_cast<double>(numbers[j]);
        }
        means[i] = static_cast<float>(products / weights);
    }
}

void chebyshev_sums(const float* series, std::int64_t terms, const float* x, std::int64_t count,
                    float middle, float per_half, float* sums) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double y = (static_cast<double>(x[i]) - static_cast<double>(middle)) *
                         static_cast<double>(per_half);
        double before = 1.0, now = y, sum = static_cast<double>(series[0]);
        for (std::int64_t k = 1; k < terms; ++k) {
            sum += static_cast<double>(series[k]) * now;
            const double next = 2 * y * now - before;
            before = now;
            now = next;
        }
        sums[i] = static_cast<float>(sum);
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

void read_rows(Storage storage, ConstRows source, std::int64_t rows, std::int64_t columns,
               MatrixView target) {
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t c = 0; c < columns; ++c) {
            target.data[row * target.stride + c] = read_number(storage, source, row, c);
        }
        clear_padding(target.data + row * target.stride, columns);
    }
}

void write_rows(Storage storage, ConstMatrixView source, std::int64_t rows, std::int64_t columns,
                Rows target) {
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t c = 0; c < columns; ++c) {
            write_number(storage, target, row, c, source.data[row * source.stride + c]);
        }
    }
}

}  // namespace

const Kernels reference_kernels{"reference",      dense,
                                along_rows,       product,
                                feed_forward,     feed_forward_gradient,
                                attend_reference, attend_gradient_reference,
                                scalar_means,     chebyshev_sums,
                                add_norm,         add_scaled,
                                read_rows,        write_rows};

}  // namespace hodo::nn
