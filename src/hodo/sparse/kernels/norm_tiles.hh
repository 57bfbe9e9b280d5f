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
        std::int64_t c = 0;
        for (; c + width <= channels; c += width) {
            store(to + c,
                  leaky(multiply_add(load(from + c), load(scale + c), load(shift + c)), leak));
        }
        for (; c < channels; ++c) to[c] = leaky(from[c] * scale[c] + shift[c], leak);
    }
}

/// Eight numbers in single and in double precision.
typedef float Narrow __attribute__((vector_size(32)));
typedef double Wide __attribute__((vector_size(64)));

/// Sums of eight columns, from `first`.
inline void norm_sums_of_eight(const NormGradient& task, std::int64_t first, double* sums,
                               double* products) {
    Wide sum = {}, product = {};
    Narrow mean;
    __builtin_memcpy(&mean, task.mean + first, sizeof mean);
    const Narrow zero = {}, leak = zero + task.leak;
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const std::int64_t place = row * task.channels + first;
        Narrow x, y, g;
        __builtin_memcpy(&x, task.x + place, sizeof x);
        __builtin_memcpy(&y, task.y + place, sizeof y);
        __builtin_memcpy(&g, task.g + place, sizeof g);
        const Wide gradient = __builtin_convertvector(y > zero ? g : g * leak, Wide);
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
            const float g = task.g[place];
            const double gradient = static_cast<double>(task.y[place] > 0.0F ? g : g * task.leak);
            sums[first] += gradient;
            products[first] += gradient * static_cast<double>(task.x[place] - task.mean[first]);
        }
    }
}

void norm_gradient(const NormGradient& task, const float* of_gradient, const float* of_deviation,
                   const float* constant, float* grad_x) {
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const std::int64_t start = row * task.channels;
        const float *x = task.x + start, *y = task.y + start, *g = task.g + start;
        std::int64_t c = 0;
        for (; c + width <= task.channels; c += width) {
            const Lanes plain = load(g + c);
            const Lanes gradient = load(y + c) > spread(0.0F) ? plain : plain * spread(task.leak);
            const Lanes deviation = load(x + c) - load(task.mean + c);
            store(grad_x + start + c, multiply_add(gradient, load(of_gradient + c),
                                                   multiply_add(deviation, load(of_deviation + c),
                                                                load(constant + c))));
        }
        for (; c < task.channels; ++c) {
            const float gradient = y[c] > 0.0F ? g[c] : g[c] * task.leak;
            grad_x[start + c] =
                gradient * of_gradient[c] + ((x[c] - task.mean[c]) * of_deviation[c] + constant[c]);
        }
    }
}

}  // namespace
}  // namespace hodo::sparse
