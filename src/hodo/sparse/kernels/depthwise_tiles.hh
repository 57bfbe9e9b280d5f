#pragma once
/// Kernels of depthwise convolutions of one vector level.

#include "hodo/sparse/kernels/kernels.hh"
#include "hodo/sparse/kernels/lanes.hh"

namespace hodo::sparse {
namespace {

/// Channels [first, first + Vectors width) of one row.
template <int Vectors>
[[gnu::always_inline]] inline void depthwise_columns(const DepthwiseTask& task, std::int64_t row,
                                                     std::int64_t first) {
    Lanes sums[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) sums[v] = spread(0.0F);
    for (std::int64_t i = task.starts[row]; i < task.starts[row + 1]; ++i) {
        const Pair pair = task.pairs[i];
        const std::int64_t cell = task.last_cell < 0 ? pair.cell : task.last_cell - pair.cell;
        const float* x = task.x + pair.row * task.channels + first;
        const float* weight = task.weight + cell * task.channels + first;
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            sums[v] = multiply_add(load(x + v * width), load(weight + v * width), sums[v]);
        }
    }
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
        store(task.y + row * task.channels + first + v * width, sums[v]);
    }
}

void depthwise(const DepthwiseTask& task) {
    for (std::int64_t row = 0; row < task.rows; ++row) {
        std::int64_t c = 0;
        for (; c + 4 * width <= task.channels; c += 4 * width) depthwise_columns<4>(task, row, c);
        for (; c + width <= task.channels; c += width) depthwise_columns<1>(task, row, c);
        for (; c < task.channels; ++c) {
            float sum = 0.0F;
            for (std::int64_t i = task.starts[row]; i < task.starts[row + 1]; ++i) {
                const Pair pair = task.pairs[i];
                const std::int64_t cell =
                    task.last_cell < 0 ? pair.cell : task.last_cell - pair.cell;
                sum = __builtin_fmaf(task.x[pair.row * task.channels + c],
                                     task.weight[cell * task.channels + c], sum);
            }
            task.y[row * task.channels + c] = sum;
        }
    }
}

void depthwise_weight_gradient(const DepthwiseWeightTask& task) {
    for (std::int64_t row = 0; row < task.rows; ++row) {
        const float* g = task.g + row * task.channels;
        for (std::int64_t i = task.starts[row]; i < task.starts[row + 1]; ++i) {
            const Pair pair = task.pairs[i];
            const float* x = task.x + pair.row * task.channels;
            float* grad = task.grad + pair.cell * task.channels;
            std::int64_t c = 0;
            for (; c + width <= task.channels; c += width) {
                store(grad + c, multiply_add(load(x + c), load(g + c), load(grad + c)));
            }
            for (; c < task.channels; ++c) grad[c] = __builtin_fmaf(x[c], g[c], grad[c]);
        }
    }
}

}  // namespace
}  // namespace hodo::sparse
