#pragma once
/// Kernels of gradients of weights of one vector level.

#include "hodo/sparse/kernels/kernels.hh"
#include "hodo/sparse/kernels/lanes.hh"
#include "hodo/sparse/kernels/product_tiles.hh"

namespace hodo::sparse {
namespace {

/// The pairs of one segment.
struct Pairs {
    std::int64_t count;
    std::int64_t left;  ///< From here to the end of the block.
    const std::int32_t* others;
    const std::uint8_t* own;
};

/// grad[Channels, Vectors] += sum over pairs of x[other, channel] g[own, column].
template <int Channels, int Vectors>
[[gnu::always_inline]] inline void add_outer(const WeightTask& task, const float* x, const float* g,
                                             float* grad, std::int64_t grad_stride,
                                             const Pairs& pairs) {
    Lanes sums[Channels][Vectors];
#pragma GCC unroll 16
    for (int i = 0; i < Channels; ++i) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) sums[i][v] = load(grad + i * grad_stride + v * width);
    }
    for (std::int64_t pair = 0; pair < pairs.count; ++pair) {
        const float* row = x + pairs.others[pair] * task.x_stride;
        const auto next = *called(pairs.others, pair, 1, pairs.left, ahead_of_narrow);
        __builtin_prefetch(x + next * task.x_stride);
        Lanes columns[Vectors];
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            columns[v] = load(g + pairs.own[pair] * task.g_stride + v * width);
        }
#pragma GCC unroll 16
        for (int i = 0; i < Channels; ++i) {
            const Lanes value = spread(row[i]);
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) {
                sums[i][v] = multiply_add(value, columns[v], sums[i][v]);
            }
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < Channels; ++i) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) store(grad + i * grad_stride + v * width, sums[i][v]);
    }
}

template <int Vectors>
inline void add_columns(const WeightTask& task, const float* g, float* grad, std::int64_t stride,
                        const Pairs& pairs) {
    constexpr int registers_of_sums = registers == 32 ? 24 : 8;
    constexpr int channels = registers_of_sums / Vectors;
    constexpr int most = channels >= 16 ? 16 : channels >= 8 ? 8 : channels;
    std::int64_t i = 0;
    for (; i + most <= task.in; i += most) {
        add_outer<most, Vectors>(task, task.x + i, g, grad + i * stride, stride, pairs);
    }
    for (; i + 4 <= task.in; i += 4) {
        add_outer<4, Vectors>(task, task.x + i, g, grad + i * stride, stride, pairs);
    }
    const auto rest = [&](auto channels_left) {
        add_outer<channels_left.count, Vectors>(task, task.x + i, g, grad + i * stride, stride,
                                                pairs);
    };
    if (task.in - i == 3) rest(Registers<3>{});
    if (task.in - i == 2) rest(Registers<2>{});
    if (task.in - i == 1) rest(Registers<1>{});
}

void weight_gradient(const WeightTask& task) {
    const std::int64_t padded = padded_columns(task.columns);
    Pairs pairs{0, 0, task.block.others, task.block.own};
    for (std::int64_t s = 0; s < task.block.segment_count; ++s) {
        pairs.left += task.block.segments[s].count;
    }
    for (std::int64_t s = 0; s < task.block.segment_count; ++s) {
        const auto segment = task.block.segments[s];
        float* grad = task.grad + segment.cell * task.in * padded;
        pairs.count = segment.count;
        std::int64_t c = 0;
        if constexpr (registers == 32) {
            for (; c + 3 * width <= padded && c + 4 * width != padded; c += 3 * width) {
                add_columns<3>(task, task.g + c, grad + c, padded, pairs);
            }
        }
        for (; c + 2 * width <= padded; c += 2 * width) {
            add_columns<2>(task, task.g + c, grad + c, padded, pairs);
        }
        if (c < padded) add_columns<1>(task, task.g + c, grad + c, padded, pairs);
        pairs.others += segment.count;
        pairs.own += segment.count;
        pairs.left -= segment.count;
    }
}

}  // namespace
}  // namespace hodo::sparse
