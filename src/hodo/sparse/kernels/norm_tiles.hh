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

/// Moments of eight columns.
inline void moments_of_eight(const float* x, std::int64_t rows, std::int64_t stride, double* mean,
                             double* squares) {
    Wide sum = {}, square = {};
    Narrow value;
    for (std::int64_t row = 0; row < rows; ++row) {
        __builtin_memcpy(&value, x + row * stride, sizeof value);
        sum += __builtin_convertvector(value, Wide);
    }
    const Wide middle = sum / static_cast<double>(rows);
    for (std::int64_t row = 0; row < rows; ++row) {
        __builtin_memcpy(&value, x + row * stride, sizeof value);
        const Wide difference = __builtin_convertvector(value, Wide) - middle;
        square += difference * difference;
    }
    __builtin_memcpy(mean, &middle, sizeof middle);
    __builtin_memcpy(squares, &square, sizeof square);
}

void moments(const float* x, std::int64_t rows, std::int64_t channels, double* mean,
             double* squares) {
    std::int64_t c = 0;
    for (; c + 8 <= channels; c += 8)
        moments_of_eight(x + c, rows, channels, mean + c, squares + c);
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
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* from = x + row * x_stride;
        float* to = y + row * y_stride;
        std::int64_t c = 0;
        for (; c + width <= channels; c += width) {
            store(to + c,
                  leaky(multiply_add(load(from + c), load(scale + c), load(shift + c)), leak));
        }
        for (; c < channels; ++c) to[c] = leaky(from[c] * scale[c] + shift[c], leak);
    }
}

/// Sums of eight columns, from `first`.
inline void norm_sums_of_eight(const NormGradient& task, std::int64_t first, double* sums,
                               double* products) {
    Wide sum = {}, product = {};
    Narrow mean, scale, shift;
    __builtin_memcpy(&mean, task.mean + first, sizeof mean);
    __builtin_memcpy(&scale, task.scale + first, sizeof scale);
    __builtin_memcpy(&shift, task.shift + first, sizeof shift);
    const Narrow zero = {}, leak = zero + task.leak;
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const std::int64_t place = row * task.channels + first;
        Narrow x, g;
        __builtin_memcpy(&x, task.x + place, sizeof x);
        __builtin_memcpy(&g, task.g + place, sizeof g);
        const Wide gradient =
            __builtin_convertvector(x * scale + shift > zero ? g : g * leak, Wide);
        sum += gradient;
        product += gradient * __builtin_convertvector(x - mean, Wide);
    }
    for (int c = 0; c < 8; ++c) {
        sums[first + c] += sum[c];
        products[first + c] += product[c];
    }
}

void norm_sums(const NormGradient& task, double* sums, double* products) {
    std::int64_t first = 0;
    for (; first + 8 <= task.channels; first += 8) norm_sums_of_eight(task, first, sums, products);
    for (; first < task.channels; ++first) {
        for (std::int64_t row = 0; row < task.rows; ++row) {
            const std::int64_t place = row * task.channels + first;
            const float g = task.g[place], x = task.x[place];
            const bool is_above = x * task.scale[first] + task.shift[first] > 0.0F;
            const auto gradient = static_cast<double>(is_above ? g : g * task.leak);
            sums[first] += gradient;
            products[first] += gradient * static_cast<double>(x - task.mean[first]);
        }
    }
}

void norm_gradient(const NormGradient& task, const float* of_gradient, const float* of_deviation,
                   const float* constant, float* grad_x) {
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const std::int64_t start = row * task.channels;
        const float *x = task.x + start, *g = task.g + start;
        const float* added = task.added == nullptr ? nullptr : task.added + row * task.added_stride;
        std::int64_t c = 0;
        for (; c + width <= task.channels; c += width) {
            const Lanes value = load(x + c), plain = load(g + c);
            const Lanes y = multiply_add(value, load(task.scale + c), load(task.shift + c));
            const Lanes gradient = y > spread(0.0F) ? plain : plain * spread(task.leak);
            Lanes result = load(constant + c);
            if (added != nullptr) result = result + load(added + c);
            const Lanes deviation = value - load(task.mean + c);
            result = multiply_add(deviation, load(of_deviation + c), result);
            store(grad_x + start + c, multiply_add(gradient, load(of_gradient + c), result));
        }
        for (; c < task.channels; ++c) {
            const float y = x[c] * task.scale[c] + task.shift[c];
            const float gradient = y > 0.0F ? g[c] : g[c] * task.leak;
            const float rest = added == nullptr ? constant[c] : constant[c] + added[c];
            grad_x[start + c] =
                gradient * of_gradient[c] + ((x[c] - task.mean[c]) * of_deviation[c] + rest);
        }
    }
}

}  // namespace
}  // namespace hodo::sparse
