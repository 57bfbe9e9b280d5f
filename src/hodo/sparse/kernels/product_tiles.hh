#pragma once
/// Kernels of products of one vector level.

#include "hodo/sparse/kernels/kernels.hh"
#include "hodo/sparse/kernels/lanes.hh"

namespace hodo::sparse {
namespace {

/// Part of a product: some columns of one cell's weights, for pairs of one segment.
struct ColumnTask {
    const float* x;
    std::int64_t x_stride, in;
    const float* weight;  ///< [in, panel]
    float* sums;          ///< [rows of the block, panel]
    std::int64_t panel;
    std::int64_t count;
    std::int64_t left;  ///< Pairs from here to the end of the block.
    const std::int32_t* others;
    const std::uint8_t* own;
};

/// Input channels whose steps stand one after the other without a branch.
constexpr int steps = 16;

/// So many pairs ahead the rows of input are called into the nearest cache: as long before their
/// use as a cache takes that other cores share. A pair of one register of columns takes little
/// time.
constexpr std::int64_t ahead = 8;
constexpr std::int64_t ahead_of_narrow = 32;

/// The pairs that are called when `rows` from `first` are multiplied, of `left` in the block.
inline const std::int32_t* called(const std::int32_t* others, std::int64_t first, int rows,
                                  std::int64_t left, std::int64_t distance) {
    return others + (first + distance + rows <= left ? first + distance : first);
}

inline void call_row(const float* row, std::int64_t count) {
    constexpr std::int64_t line = 16;
    for (std::int64_t i = 0; i < count; i += line) __builtin_prefetch(row + i);
}

template <int Rows, int Vectors>
struct Tile {
    const float* x[Rows];
    Lanes sums[Rows][Vectors];

    /// Adds input channel `i`, whose weights begin at `weight`.
    [[gnu::always_inline]] inline void add(const float* weight, std::int64_t i) {
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
    }
};

/// `Rows` pairs from `first` at once: their sums stay in registers while the weights pass by.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void multiply_pairs(const ColumnTask& task, std::int64_t first) {
    Tile<Rows, Vectors> tile;
    const std::uint8_t* own = task.own + first;
    const std::int32_t* next = called(task.others, first, Rows, task.left, ahead);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        call_row(task.x + next[r] * task.x_stride, task.in);
        tile.x[r] = task.x + task.others[first + r] * task.x_stride;
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            tile.sums[r][v] = load(task.sums + own[r] * task.panel + v * width);
        }
    }
    const float* weight = task.weight;
    std::int64_t i = 0;
    for (; i + steps <= task.in; i += steps) {
#pragma GCC unroll 16
        for (int step = 0; step < steps; ++step, weight += task.panel) tile.add(weight, i + step);
    }
    for (; i < task.in; ++i, weight += task.panel) tile.add(weight, i);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
            store(task.sums + own[r] * task.panel + v * width, tile.sums[r][v]);
        }
    }
}

/// Fewer than `Rows` pairs: the last of a segment.
template <int Rows, int Vectors>
inline void multiply_rest(const ColumnTask& task, std::int64_t first) {
    if constexpr (Rows > 1) {
        if (task.count - first == Rows - 1) {
            multiply_pairs<Rows - 1, Vectors>(task, first);
        } else {
            multiply_rest<Rows - 1, Vectors>(task, first);
        }
    }
}

template <int Rows, int Vectors>
inline void multiply_segment(const ColumnTask& task) {
    std::int64_t i = 0;
    for (; i + Rows <= task.count; i += Rows) multiply_pairs<Rows, Vectors>(task, i);
    multiply_rest<Rows, Vectors>(task, i);
}

/// Several pairs of one register each, with the weights of 16 input channels in registers.
template <int Rows>
[[gnu::always_inline]] inline void multiply_kept(const ColumnTask& task, const Lanes* weights,
                                                 std::int64_t channel, std::int64_t first) {
    const float* x[Rows];
    Lanes sums[Rows];
    const std::int32_t* next = called(task.others, first, Rows, task.left, ahead_of_narrow);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
        __builtin_prefetch(task.x + next[r] * task.x_stride + channel);
        x[r] = task.x + task.others[first + r] * task.x_stride + channel;
        sums[r] = load(task.sums + task.own[first + r] * task.panel);
    }
#pragma GCC unroll 16
    for (int i = 0; i < steps; ++i) {
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
            sums[r] = multiply_add(spread(x[r][i]), weights[i], sums[r]);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
        store(task.sums + task.own[first + r] * task.panel, sums[r]);
    }
}

/// One register of columns where there are registers for 16 rows of weights: these stay while the
/// pairs pass by.
inline void multiply_narrow(const ColumnTask& task) {
    std::int64_t channel = 0;
    for (; channel + steps <= task.in; channel += steps) {
        Lanes weights[steps];
#pragma GCC unroll 16
        for (int i = 0; i < steps; ++i) {
            weights[i] = load(task.weight + (channel + i) * task.panel);
        }
        std::int64_t i = 0;
        for (; i + 4 <= task.count; i += 4) multiply_kept<4>(task, weights, channel, i);
        for (; i < task.count; ++i) multiply_kept<1>(task, weights, channel, i);
    }
    if (channel == task.in) return;
    ColumnTask rest = task;
    rest.x += channel;
    rest.in -= channel;
    rest.weight += channel * task.panel;
    multiply_segment<8, 1>(rest);
}

/// All columns of a panel for one segment.
inline void multiply_panel(ColumnTask task) {
    if constexpr (registers == 32) {
        switch (task.panel / width) {
            case 1:
                return multiply_narrow(task);
            case 2:
                return multiply_segment<12, 2>(task);
            case 3:
                return multiply_segment<8, 3>(task);
            default:
                return multiply_segment<6, 4>(task);
        }
    } else {
        for (std::int64_t c = 0; c < task.panel; c += 2 * width) {
            multiply_segment<6, 2>(task);
            task.weight += 2 * width;
            task.sums += 2 * width;
        }
    }
}

/// What an epilogue does to a register or to one number of a column.
template <class Value>
struct Ending {
    Value bias, scale, shift;
    float leak;
    bool is_scaled;

    [[gnu::always_inline]] inline Value bracket(Value sum, Value residual) const {
        return sum + bias + residual;
    }
    [[gnu::always_inline]] inline Value result(Value bracket) const {
        return is_scaled ? leaky(bracket * scale + shift, leak) : bracket;
    }
};

template <class Value>
[[gnu::always_inline]] inline Value read(const float* p) {
    Value value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
}

/// Stores one register or number of each row of a block, from column `column` on.
template <class Value>
[[gnu::always_inline]] inline void finish_column(const ProductTask& task, const float* sums,
                                                 std::int64_t panel, std::int64_t column) {
    const Epilogue& e = task.epilogue;
    const Value zero = {};
    const auto parameter = [&](const float* values) {
        return values == nullptr ? zero : read<Value>(values + column);
    };
    const Ending<Value> ending{parameter(e.bias), parameter(e.scale), parameter(e.shift), e.leak,
                               e.scale != nullptr};
    float* y = task.y + column;
    const float* residual = e.residual == nullptr ? nullptr : e.residual + column;
    float* plain = e.plain == nullptr ? nullptr : e.plain + column;
    for (std::int64_t row = 0; row < task.block.rows; ++row) {
        const Value added = residual == nullptr ? zero : read<Value>(residual);
        const Value bracket = ending.bracket(read<Value>(sums), added);
        if (plain != nullptr) {
            __builtin_memcpy(plain, &bracket, sizeof bracket);
            plain += e.plain_stride;
        }
        const Value result = ending.result(bracket);
        __builtin_memcpy(y, &result, sizeof result);
        y += task.y_stride;
        sums += panel;
        if (residual != nullptr) residual += e.residual_stride;
    }
}

/// Stores columns [first, first + count) of a block from its sums.
inline void finish_rows(const ProductTask& task, const float* sums, std::int64_t panel,
                        std::int64_t first, std::int64_t count) {
    std::int64_t c = 0;
    for (; c + width <= count; c += width) {
        finish_column<Lanes>(task, sums + c, panel, first + c);
    }
    for (; c < count; ++c) finish_column<float>(task, sums + c, panel, first + c);
}

void product(const ProductTask& task, float* scratch) {
    const std::int64_t padded = padded_columns(task.columns);
    for (std::int64_t first = 0; first < padded; first += panel_columns) {
        const std::int64_t panel = padded - first < panel_columns ? padded - first : panel_columns;
        for (std::int64_t i = 0; i < task.block.rows * panel; i += width) {
            store(scratch + i, spread(0.0F));
        }
        ColumnTask columns{task.x, task.x_stride,     task.in,       nullptr, scratch, panel, 0,
                           0,      task.block.others, task.block.own};
        for (std::int64_t s = 0; s < task.block.segment_count; ++s) {
            columns.left += task.block.segments[s].count;
        }
        for (std::int64_t s = 0; s < task.block.segment_count; ++s) {
            const auto segment = task.block.segments[s];
            columns.weight = task.weight + segment.cell * task.in * padded + first * task.in;
            columns.count = segment.count;
            multiply_panel(columns);
            columns.others += segment.count;
            columns.own += segment.count;
            columns.left -= segment.count;
        }
        const std::int64_t used = task.columns - first;
        finish_rows(task, scratch, panel, first, used < panel ? used : panel);
    }
}

}  // namespace
}  // namespace hodo::sparse
