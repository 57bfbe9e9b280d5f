#pragma once
/// Feed-forward parts of 17 to 32 channels with ReLU and without dropout by the tile registers of
/// AMX; see matrix_tiles.hh.
///
/// Rows go in groups of 32, hidden numbers in bricks of 32. While the tiles multiply one group, the
/// vector units finish the group before it: ReLU, the parts for the next product, and the
/// sums so far. What one group and its neighbours need stays in the L1 cache.

#if defined(__AMX_BF16__)

#include "hodo/nn/kernels/feed_forward_tiles.hh"
#include "hodo/nn/kernels/matrix_tiles.hh"

namespace hodo::nn {
namespace {

constexpr std::int64_t matrix_rows = 512;  // rows whose parts are kept
constexpr std::int64_t matrix_groups = matrix_rows / brick_side;
constexpr std::int64_t step_rows = 8;  // rows that are finished between two products
constexpr std::int64_t brick_steps = brick_side / step_rows;

/// What one call works on, on its thread's stack: 130 KB.
struct MatrixWork {
    alignas(64) std::uint32_t rows[matrix_groups * brick_words];
    alignas(64) std::uint32_t first[brick_words], second[brick_words], hidden_parts[brick_words];
    alignas(64) float hidden[2][brick_side * brick_side];  // of two neighbouring groups
    alignas(64) float sums[2][brick_side * brick_side];    // of the second map
};

/// One call's maps and result.
struct MatrixTask {
    const PackedView &first, &second;
    MatrixView y;
};

/// Some groups of rows with one brick of hidden numbers.
struct MatrixRows {
    const MatrixTask& task;
    MatrixWork& work;
    std::int64_t top, count;  // rows
    std::int64_t block;       // first hidden number

    std::int64_t groups() const { return round_up(count, brick_side) / brick_side; }
    std::int64_t first_row(std::int64_t group) const { return top + group * brick_side; }
    std::int64_t rows(std::int64_t group) const {
        return smaller(brick_side, count - group * brick_side);
    }
};

/// relu(...) of some rows of a group's hidden numbers, as parts.
inline void finish_hidden(MatrixWork& work, std::int64_t group, std::int64_t step) {
    if (step >= brick_steps) return;
    const float* hidden = work.hidden[group % 2] + step * step_rows * brick_side;
    std::uint32_t* parts = work.hidden_parts + step * step_rows * 16;
    const Lanes none = spread(0.0F);
#pragma GCC unroll 8
    for (std::int64_t r = 0; r < step_rows; ++r) {
        split_pair(larger(load(hidden + r * brick_side), none),
                   larger(load(hidden + r * brick_side + 16), none), parts + 16 * r);
    }
}

/// Adds the second map's sums to some rows of the result.
inline void add_sums(const MatrixRows& some, std::int64_t group, std::int64_t step) {
    const float* sums = some.work.sums[group % 2];
    const std::int64_t end = smaller(some.rows(group), (step + 1) * step_rows);
    for (std::int64_t r = step * step_rows; r < end; ++r) {
        float* y = some.task.y.data + (some.first_row(group) + r) * some.task.y.stride;
        const float* before = some.block == 0 ? some.task.second.bias : y;
        for (std::int64_t c = 0; c < brick_side; c += width) {
            store(y + c, load(before + c) + load(sums + r * brick_side + c));
        }
    }
}

inline void multiply_rows(const MatrixRows& some) {
    MatrixWork& work = some.work;
    const auto first_product = [&](std::int64_t group, auto between) {
        begin_sums(some.task.first.bias + some.block);
        add_product(work.rows + group * brick_words, work.first, between);
        store_sums(work.hidden[group % 2], brick_side);
    };
    first_product(0, [] {});
    for (std::int64_t group = 0; group < some.groups(); ++group) {
        std::int64_t step = 0;
        const auto finish_some = [&] { finish_hidden(work, group, step++); };
        if (group + 1 < some.groups()) {
            first_product(group + 1, finish_some);
        } else {
            while (step < brick_steps) finish_some();
        }
        step = 0;
        clear_sums();
        add_product(work.hidden_parts, work.second, [&] {
            if (group > 0) add_sums(some, group - 1, step++);
        });
        store_sums(work.sums[group % 2], brick_side);
    }
    for (std::int64_t step = 0; step < brick_steps; ++step) {
        add_sums(some, some.groups() - 1, step);
    }
}

/// Whether the tiles fit: otherwise vectors do the work.
inline bool fits_matrix_tiles(const FeedForwardCall& call) {
    return call.activation == Activation::relu && call.mask.threshold == 0 &&
           round_up(call.first.in, channel_multiple) == brick_side &&
           call.second.out == call.first.in && call.second.in == call.first.out;
}

void feed_forward_by_matrix(const FeedForwardCall& call, float* scratch) {
    if (!fits_matrix_tiles(call)) return feed_forward(call, scratch);
    const PackedView &first = call.first, &second = call.second;
    MatrixWork work;
    const MatrixTask task{first, second, call.y};
    const TileScope tiles;
    for (std::int64_t top = 0; top < call.rows; top += matrix_rows) {
        const std::int64_t count = smaller(matrix_rows, call.rows - top);
        for (std::int64_t r = 0; r < count; r += brick_side) {
            make_left_brick(call.x.data + (top + r) * call.x.stride, call.x.stride,
                            smaller(brick_side, count - r),
                            work.rows + r / brick_side * brick_words);
        }
        for (std::int64_t block = 0; block < first.out; block += brick_side) {
            make_right_brick(first.panels + block * first.in, first.in, work.first);
            make_right_brick(second.panels + block * panel_width, second.in - block, work.second);
            multiply_rows({task, work, top, count, block});
        }
    }
}

}  // namespace
}  // namespace hodo::nn

#endif
