#pragma once
/// Normalisation kernels of one vector level: sums over rows in double precision.

#include "hodo/sparse/kernels/kernels.hh"

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

void scale_leaky(const float* x, std::int64_t rows, std::int64_t channels, const float* scale,
                 const float* shift, float leak, float* y) {
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* from = x + row * channels;
        float* to = y + row * channels;
        for (std::int64_t c = 0; c < channels; ++c) {
            const float value = from[c] * scale[c] + shift[c];
            to[c] = value > 0.0F ? value : value * leak;
        }
    }
}

void norm_sums(const NormGradient& task, double* sums, double* products) {
    for_chunks(task.channels, [&](std::int64_t c, std::int64_t count) {
        const auto gradient = [&](std::int64_t row, std::int64_t j) {
            const std::int64_t i = row * task.channels + c + j;
            return static_cast<double>(task.y[i] > 0.0F ? task.g[i] : task.g[i] * task.leak);
        };
        sum_chunk(task.rows, count, sums + c, gradient);
        sum_chunk(task.rows, count, products + c, [&](std::int64_t row, std::int64_t j) {
            const float deviation = task.x[row * task.channels + c + j] - task.mean[c + j];
            return gradient(row, j) * static_cast<double>(deviation);
        });
    });
}

void norm_gradient(const NormGradient& task, const float* of_gradient, const float* of_deviation,
                   const float* constant, float* grad_x) {
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const std::int64_t first = row * task.channels;
        for (std::int64_t c = 0; c < task.channels; ++c) {
            const float g = task.g[first + c];
            const float gradient = task.y[first + c] > 0.0F ? g : g * task.leak;
            grad_x[first + c] = gradient * of_gradient[c] +
                                (task.x[first + c] - task.mean[c]) * of_deviation[c] + constant[c];
        }
    }
}

}  // namespace
}  // namespace hodo::sparse
