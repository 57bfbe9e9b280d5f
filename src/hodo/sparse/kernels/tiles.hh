#pragma once
/// Convolution kernels of one vector level.

#include "hodo/sparse/kernels/kernels.hh"
#include "hodo/sparse/kernels/lanes.hh"

namespace hodo::sparse {
namespace {

/// Part of a product: some columns of one cell's weights.
struct ColumnTask {
    const float* x;
    std::int64_t x_stride, in;
    const float* weight;  ///< [in, weight_stride]
    std::int64_t weight_stride;
    float* sums;  ///< [rows of the block, panel_columns]
};

/// `Rows` pairs at once: their sums stay in registers while `in` rows of weights pass by.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void multiply_pairs(const ColumnTask& task,
                                                  const std::int32_t* others,
                                                  const std::uint8_t* own) {
    const float* x[Rows];
    Lanes sums[Rows][Vectors];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        x[r] = task.x + others[r] * task.x_stride;
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            sums[r][v] = load(task.sums + own[r] * panel_columns + v * width);
        }
    }
    const float* weight = task.weight;
    for (std::int64_t i = 0; i < task.in; ++i) {
        Lanes columns[Vectors];
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) columns[v] = load(weight + v * width);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            const Lanes value = spread(x[r][i]);
#pragma GCC unroll 4
            for (int v = 0; v < Vectors; ++v) {
                sums[r][v] = multiply_add(value, columns[v], sums[r][v]);
            }
        }
        weight += task.weight_stride;
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            store(task.sums + own[r] * panel_columns + v * width, sums[r][v]);
        }
    }
}

template <int Vectors>
inline void multiply_segment(const ColumnTask& task, std::int64_t count, const std::int32_t* others,
                             const std::uint8_t* own) {
    constexpr int rows = Vectors == 1 || registers == 32 ? 8 : 4;
    std::int64_t i = 0;
    for (; i + rows <= count; i += rows) multiply_pairs<rows, Vectors>(task, others + i, own + i);
    if (rows == 8 && i + 4 <= count) {
        multiply_pairs<4, Vectors>(task, others + i, own + i);
        i += 4;
    }
    if (i + 2 <= count) {
        multiply_pairs<2, Vectors>(task, others + i, own + i);
        i += 2;
    }
    if (i < count) multiply_pairs<1, Vectors>(task, others + i, own + i);
}

/// What an epilogue does to a register or to one number.
template <class Value, class Load>
[[gnu::always_inline]] inline Value finished(const Epilogue& e, Value value, std::int64_t column,
                                             const float* residual, float* plain,
                                             const Load& read) {
    if (e.bias != nullptr) value = value + read(e.bias + column);
    if (residual != nullptr) value = value + read(residual + column);
    if (plain != nullptr) __builtin_memcpy(plain + column, &value, sizeof value);
    if (e.scale == nullptr) return value;
    value = value * read(e.scale + column) + read(e.shift + column);
    return leaky(value, e.leak);
}

/// Stores columns [first, first + count) of a block from its sums.
inline void finish_rows(const ProductTask& task, const float* sums, std::int64_t first,
                        std::int64_t count) {
    const Epilogue& e = task.epilogue;
    for (std::int64_t row = 0; row < task.block.rows; ++row) {
        const float* sum = sums + row * panel_columns;
        float* y = task.y + row * task.y_stride;
        const float* residual =
            e.residual == nullptr ? nullptr : e.residual + row * e.residual_stride;
        float* plain = e.plain == nullptr ? nullptr : e.plain + row * e.plain_stride;
        std::int64_t c = 0;
        for (; c + width <= count; c += width) {
            store(y + first + c, finished(e, load(sum + c), first + c, residual, plain,
                                          [](const float* p) { return load(p); }));
        }
        for (; c < count; ++c) {
            y[first + c] =
                finished(e, sum[c], first + c, residual, plain, [](const float* p) { return *p; });
        }
    }
}

void product(const ProductTask& task, float* scratch) {
    const std::int64_t padded = padded_columns(task.columns);
    for (std::int64_t first = 0; first < padded; first += panel_columns) {
        const std::int64_t panel = padded - first < panel_columns ? padded - first : panel_columns;
        for (std::int64_t i = 0; i < task.block.rows * panel_columns; i += width) {
            store(scratch + i, spread(0.0F));
        }
        const std::int32_t* others = task.block.others;
        const std::uint8_t* own = task.block.own;
        for (std::int64_t s = 0; s < task.block.segment_count; ++s) {
            const auto segment = task.block.segments[s];
            ColumnTask columns{
                task.x,  task.x_stride,
                task.in, task.weight + segment.cell * task.in * padded + first * task.in,
                panel,   scratch};
            std::int64_t c = 0;
            for (; c + 2 * width <= panel; c += 2 * width) {
                multiply_segment<2>(columns, segment.count, others, own);
                columns.weight += 2 * width;
                columns.sums += 2 * width;
            }
            if (c < panel) multiply_segment<1>(columns, segment.count, others, own);
            others += segment.count;
            own += segment.count;
        }
        const std::int64_t used = task.columns - first;
        finish_rows(task, scratch, first, used < panel ? used : panel);
    }
}

/// grad[Channels, Vectors] += sum over pairs of x[other, channel] g[own, column].
template <int Channels, int Vectors>
[[gnu::always_inline]] inline void add_outer(const WeightTask& task, const float* x, const float* g,
                                             float* grad, std::int64_t grad_stride,
                                             std::int64_t count, const std::int32_t* others,
                                             const std::uint8_t* own) {
    Lanes sums[Channels][Vectors];
#pragma GCC unroll 16
    for (int i = 0; i < Channels; ++i) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) sums[i][v] = load(grad + i * grad_stride + v * width);
    }
    for (std::int64_t pair = 0; pair < count; ++pair) {
        const float* row = x + others[pair] * task.x_stride;
        Lanes columns[Vectors];
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            columns[v] = load(g + own[pair] * task.g_stride + v * width);
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
                        std::int64_t count, const std::int32_t* others, const std::uint8_t* own) {
    constexpr int most = registers == 32 ? (Vectors == 1 ? 16 : 8) : (Vectors == 1 ? 8 : 4);
    std::int64_t i = 0;
    for (; i + most <= task.in; i += most) {
        add_outer<most, Vectors>(task, task.x + i, g, grad + i * stride, stride, count, others,
                                 own);
    }
    for (; i + 4 <= task.in; i += 4) {
        add_outer<4, Vectors>(task, task.x + i, g, grad + i * stride, stride, count, others, own);
    }
    for (; i < task.in; ++i) {
        add_outer<1, Vectors>(task, task.x + i, g, grad + i * stride, stride, count, others, own);
    }
}

void weight_gradient(const WeightTask& task) {
    const std::int64_t padded = padded_columns(task.columns);
    const std::int32_t* others = task.block.others;
    const std::uint8_t* own = task.block.own;
    for (std::int64_t s = 0; s < task.block.segment_count; ++s) {
        const auto segment = task.block.segments[s];
        float* grad = task.grad + segment.cell * task.in * padded;
        std::int64_t c = 0;
        for (; c + 2 * width <= padded; c += 2 * width) {
            add_columns<2>(task, task.g + c, grad + c, padded, segment.count, others, own);
        }
        if (c < padded) {
            add_columns<1>(task, task.g + c, grad + c, padded, segment.count, others, own);
        }
        others += segment.count;
        own += segment.count;
    }
}

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
