#pragma once
/// Normalisation kernels of one vector level: sums over rows in double precision.

#include "hodo/sparse/kernels/kernels.hh"
#include "hodo/sparse/kernels/lanes.hh"

namespace hodo::sparse {
namespace {

constexpr std::int64_t chunk = 16;

/// Calls `part` for chunks of channels: with a constant number where it can be.
template <class Part>
inline void for_chunks(std::int64_t channels, const Part& part) {
    std::int64_t c = 0;
    for (; c + chunk <= channels; c += chunk) part(c, chunk);
    if (c < channels) part(c, channels - c);
}

template <class Term>
[[gnu::always_inline]] inline void sum_chunk(std::int64_t rows, std::int64_t count, double* sums,
                                             const Term& term) {
    double partial[chunk] = {};
    if (count == chunk) {
        for (std::int64_t row = 0; row < rows; ++row) {
            for (std::int64_t j = 0; j < chunk; ++j) partial[j] += term(row, j);
        }
    } else {
        for (std::int64_t row = 0; row < rows; ++row) {
            for (std::int64_t j = 0; j < count; ++j) partial[j] += term(row, j);
        }
    }
    for (std::int64_t j = 0; j < count; ++j) sums[j] += partial[j];
}

/// Eight numbers in single and in double precision.
typedef float Narrow __attribute__((vector_size(32)));
typedef double Wide __attribute__((vector_size(64)));

void column_sums(const float* x, std::int64_t rows, std::int64_t channels, double* sums) {
    for_chunks(channels, [&](std::int64_t c, std::int64_t count) {
        const float* a = x + c;
        sum_chunk(rows, count, sums + c, [&](std::int64_t row, std::int64_t j) {
            return static_cast<double>(a[row * channels + j]);
        });
    });
}

void column_squares(const float* x, std::int64_t rows, std::int64_t channels, const double* mean,
                    double* squares) {
    for_chunks(channels, [&](std::int64_t c, std::int64_t count) {
        const float* a = x + c;
        sum_chunk(rows, count, squares + c, [&](std::int64_t row, std::int64_t j) {
            const double difference = static_cast<double>(a[row * channels + j]) - mean[c + j];
            return difference * difference;
        });
    });
}

/// So many rows are added in single precision before their sum enters a sum in double precision.
constexpr std::int64_t rows_at_once = 16;

/// Calls `part(column, Registers<n>)` for whole registers of columns, a few side by side; returns
/// the first column that is left.
template <class Part>
inline std::int64_t for_panels(std::int64_t channels, const Part& part) {
    constexpr int most = registers == 32 ? 4 : 2;
    std::int64_t c = 0;
    for (; c + most * width <= channels; c += most * width) part(c, Registers<most>{});
    const std::int64_t left = (channels - c) / width;
    if (left == 3) part(c, Registers<3>{});
    if (left == 2) part(c, Registers<2>{});
    if (left == 1) part(c, Registers<1>{});
    return c + left * width;
}

/// sums[c] += values of one register.
inline void add_wide(Lanes values, double* sums) {
    float numbers[width];
    store(numbers, values);
    for (int c = 0; c < width; ++c) sums[c] += static_cast<double>(numbers[c]);
}

/// Moments of eight columns, summed in double precision, even and odd rows apart.
inline void moments_of_eight(const float* x, std::int64_t rows, std::int64_t stride, double* mean,
                             double* squares) {
    const std::int64_t even_rows = rows / 2 * 2;
    Narrow value;
    Wide sums[2] = {}, square[2] = {};
    for (std::int64_t row = 0; row < even_rows; row += 2) {
        for (int odd = 0; odd < 2; ++odd) {
            __builtin_memcpy(&value, x + (row + odd) * stride, sizeof value);
            sums[odd] += __builtin_convertvector(value, Wide);
        }
    }
    Narrow last = {};
    if (even_rows < rows) __builtin_memcpy(&last, x + even_rows * stride, sizeof last);
    const Wide left = __builtin_convertvector(last, Wide);
    const Wide middle = (sums[0] + sums[1] + left) / static_cast<double>(rows);
    for (std::int64_t row = 0; row < even_rows; row += 2) {
        for (int odd = 0; odd < 2; ++odd) {
            __builtin_memcpy(&value, x + (row + odd) * stride, sizeof value);
            const Wide apart = __builtin_convertvector(value, Wide) - middle;
            square[odd] += apart * apart;
        }
    }
    Wide all = square[0] + square[1];
    if (even_rows < rows) all += (left - middle) * (left - middle);
    __builtin_memcpy(mean, &middle, sizeof middle);
    __builtin_memcpy(squares, &all, sizeof all);
}

void moments(const float* x, std::int64_t rows, std::int64_t channels, double* mean,
             double* squares) {
    std::int64_t c = 0;
    for (; c + 8 <= channels; c += 8) {
        moments_of_eight(x + c, rows, channels, mean + c, squares + c);
    }
    for (; c < channels; ++c) {
        double sum = 0.0, square = 0.0;
        for (std::int64_t row = 0; row < rows; ++row) {
            sum += static_cast<double>(x[row * channels + c]);
        }
        mean[c] = sum / static_cast<double>(rows);
        for (std::int64_t row = 0; row < rows; ++row) {
            const double difference = static_cast<double>(x[row * channels + c]) - mean[c];
            square += difference * difference;
        }
        squares[c] = square;
    }
}

void scale_leaky(const float* x, std::int64_t x_stride, std::int64_t rows, std::int64_t channels,
                 const float* scale, const float* shift, float leak, float* y,
                 std::int64_t y_stride) {
    const std::int64_t left = for_panels(channels, [&](std::int64_t first, auto panel) {
        constexpr int count = panel.count;
        Lanes scales[count], shifts[count];
        for (int v = 0; v < count; ++v) {
            scales[v] = load(scale + first + v * width);
            shifts[v] = load(shift + first + v * width);
        }
        for (std::int64_t row = 0; row < rows; ++row) {
            const float* from = x + row * x_stride + first;
            float* to = y + row * y_stride + first;
#pragma GCC unroll 4
            for (int v = 0; v < count; ++v) {
                const Lanes value = multiply_add(load(from + v * width), scales[v], shifts[v]);
                store(to + v * width, leaky(value, leak));
            }
        }
    });
    if (left == channels) return;
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t c = left; c < channels; ++c) {
            y[row * y_stride + c] = leaky(x[row * x_stride + c] * scale[c] + shift[c], leak);
        }
    }
}

/// g where y > 0, else g leak.
inline Lanes back_through_leaky(Lanes y, Lanes g, Lanes leak) {
    return y > spread(0.0F) ? g : g * leak;
}
inline float back_through_leaky(float y, float g, float leak) {
    return y > 0.0F ? g : g * leak;
}

/// Sums of a few registers of columns, from `first`.
template <int count>
inline void norm_sums_of_panel(const NormGradient& task, std::int64_t first, double* sums,
                               double* products) {
    Lanes mean[count], scale[count], shift[count];
    for (int v = 0; v < count; ++v) {
        mean[v] = load(task.mean + first + v * width);
        scale[v] = load(task.scale + first + v * width);
        shift[v] = load(task.shift + first + v * width);
    }
    const Lanes leak = spread(task.leak);
    for (std::int64_t begin = 0; begin < task.rows; begin += rows_at_once) {
        const std::int64_t end =
            begin + rows_at_once < task.rows ? begin + rows_at_once : task.rows;
        Lanes sum[count] = {}, product[count] = {};
        for (std::int64_t row = begin; row < end; ++row) {
            const float* x = task.x + row * task.channels + first;
            const float* g = task.g + row * task.channels + first;
#pragma GCC unroll 4
            for (int v = 0; v < count; ++v) {
                const Lanes value = load(x + v * width);
                const Lanes y = multiply_add(value, scale[v], shift[v]);
                const Lanes gradient = back_through_leaky(y, load(g + v * width), leak);
                sum[v] = sum[v] + gradient;
                product[v] = multiply_add(gradient, value - mean[v], product[v]);
            }
        }
        for (int v = 0; v < count; ++v) {
            add_wide(sum[v], sums + first + v * width);
            add_wide(product[v], products + first + v * width);
        }
    }
}

void norm_sums(const NormGradient& task, double* sums, double* products) {
    std::int64_t first = for_panels(task.channels, [&](std::int64_t column, auto panel) {
        norm_sums_of_panel<panel.count>(task, column, sums, products);
    });
    for (; first < task.channels; ++first) {
        for (std::int64_t row = 0; row < task.rows; ++row) {
            const std::int64_t place = row * task.channels + first;
            const float x = task.x[place], y = x * task.scale[first] + task.shift[first];
            const auto gradient =
                static_cast<double>(back_through_leaky(y, task.g[place], task.leak));
            sums[first] += gradient;
            products[first] += gradient * static_cast<double>(x - task.mean[first]);
        }
    }
}

/// Numbers of channels that turn gradients of y into those of x.
struct GradientMap {
    const float *of_gradient, *of_deviation, *constant;
};

/// A few registers of columns, from `first`.
template <int count>
inline void norm_gradient_of_panel(const NormGradient& task, const GradientMap& map,
                                   std::int64_t first, float* grad_x) {
    Lanes mean[count], scale[count], shift[count], of_gradient[count], of_deviation[count],
        constant[count];
    for (int v = 0; v < count; ++v) {
        const std::int64_t c = first + v * width;
        mean[v] = load(task.mean + c), scale[v] = load(task.scale + c);
        shift[v] = load(task.shift + c), of_gradient[v] = load(map.of_gradient + c);
        of_deviation[v] = load(map.of_deviation + c), constant[v] = load(map.constant + c);
    }
    const Lanes leak = spread(task.leak);
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const std::int64_t start = row * task.channels + first;
        const float* added =
            task.added == nullptr ? nullptr : task.added + row * task.added_stride + first;
#pragma GCC unroll 4
        for (int v = 0; v < count; ++v) {
            const std::int64_t place = start + v * width;
            const Lanes value = load(task.x + place);
            const Lanes y = multiply_add(value, scale[v], shift[v]);
            const Lanes gradient = back_through_leaky(y, load(task.g + place), leak);
            Lanes result = constant[v];
            if (added != nullptr) result = result + load(added + v * width);
            result = multiply_add(value - mean[v], of_deviation[v], result);
            store(grad_x + place, multiply_add(gradient, of_gradient[v], result));
        }
    }
}

void norm_gradient(const NormGradient& task, const float* of_gradient, const float* of_deviation,
                   const float* constant, float* grad_x) {
    const GradientMap map{of_gradient, of_deviation, constant};
    const std::int64_t left = for_panels(task.channels, [&](std::int64_t first, auto panel) {
        norm_gradient_of_panel<panel.count>(task, map, first, grad_x);
    });
    if (left == task.channels) return;
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const std::int64_t start = row * task.channels;
        const float *x = task.x + start, *g = task.g + start;
        const float* added = task.added == nullptr ? nullptr : task.added + row * task.added_stride;
        for (std::int64_t c = left; c < task.channels; ++c) {
            const float y = x[c] * task.scale[c] + task.shift[c];
            const float gradient = back_through_leaky(y, g[c], task.leak);
            const float rest = added == nullptr ? constant[c] : constant[c] + added[c];
            grad_x[start + c] =
                gradient * of_gradient[c] + ((x[c] - task.mean[c]) * of_deviation[c] + rest);
        }
    }
}

}  // namespace
}  // namespace hodo::sparse
