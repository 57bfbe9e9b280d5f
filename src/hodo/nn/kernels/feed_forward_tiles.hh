#pragma once
/// Feed-forward parts of one vector level, there and back; hidden numbers never leave the cache.

#include "hodo/nn/kernels/activation_tiles.hh"
#include "hodo/nn/kernels/mask_tiles.hh"

namespace hodo::nn {
namespace {

constexpr std::int64_t hidden_block = 128;  // hidden numbers of a tile
constexpr std::int64_t gradient_rows = 32;  // rows of a tile on the way back
static_assert(hidden_block % panel_width == 0 && panel_width % 8 == 0);

/// The mask of the hidden numbers of a block.
struct HiddenMask {
    MaskRounds rounds;
    MaskColumns columns[hidden_block / mask_columns];
    HiddenMask(const MaskRounds& m, std::int64_t block)
        : rounds(m),
          columns{{m, static_cast<std::uint32_t>(block / 8)},
                  {m, static_cast<std::uint32_t>((block + mask_columns) / 8)}} {}
};
static_assert(hidden_block == 2 * mask_columns);

/// What makes the hidden numbers of a feed-forward part.
struct HiddenMaker {
    ConstMatrixView x;
    const PackedView& first;
    Activation activation;
};

/// Drop(act(first(x))) for up to 8 rows and the hidden numbers [block, block + size). With other
/// activations than ReLU their slopes too, dropped alike, unless null.
inline void hidden_tile(const HiddenMaker& maker, std::int64_t rows, std::int64_t block,
                        std::int64_t size, const HiddenMask& mask, std::int64_t row, float* hidden,
                        float* slopes) {
    const PackedView& first = maker.first;
    for (std::int64_t j = 0; j < size; j += panel_width) {
        const TileTask task{maker.x.data + row * maker.x.stride,
                            maker.x.stride,
                            1,
                            first.panels + (block + j) * first.in,
                            panel_width,
                            first.in,
                            first.bias + block + j,
                            hidden + j,
                            hidden_block};
        if (maker.activation == Activation::relu) {
            some_columns<Begin::bias, End::relu>(task, rows, panel_width);
        } else {
            some_columns<Begin::bias, End::store>(task, rows, panel_width);
        }
    }
    if (maker.activation != Activation::relu) {
        for (std::int64_t r = 0; r < rows; ++r) {
            activate(maker.activation, hidden + r * hidden_block, size,
                     slopes == nullptr ? nullptr : slopes + r * hidden_block);
        }
    }
    if (mask.rounds.threshold == 0) return;
    for (std::int64_t r = 0; r < rows; ++r) {
        const auto number = mask.rounds.first_row + static_cast<std::uint32_t>(row + r);
        const RowTerms terms = mask_row(mask.rounds, number);
        for (std::int64_t j = 0; j < size; j += mask_columns) {
            const std::uint64_t bits =
                kept_in_row(mask.rounds, mask.columns[j / mask_columns], terms);
            const std::int64_t count = smaller(mask_columns, size - j);
            keep_in_row(bits, hidden + r * hidden_block + j, count);
            if (maker.activation == Activation::relu || slopes == nullptr) continue;
            keep_in_row(bits, slopes + r * hidden_block + j, count);
        }
    }
}

/// y (+)= the part of the map that reads the inputs [block, block + used); up to 8 rows.
inline void output_tile(const float* hidden, std::int64_t rows, const PackedView& map,
                        std::int64_t block, std::int64_t used, MatrixView y, std::int64_t row) {
    const std::int64_t padded = round_up(map.out, channel_multiple);
    for (std::int64_t c = 0; c < padded; c += panel_width) {
        const TileTask task{hidden,
                            hidden_block,
                            1,
                            map.panels + c * map.in + block * panel_width,
                            panel_width,
                            used,
                            map.bias + c,
                            y.data + row * y.stride + c,
                            y.stride};
        const std::int64_t columns = smaller(panel_width, padded - c);
        if (block == 0) {
            some_columns<Begin::bias, End::store>(task, rows, columns);
        } else {
            some_columns<Begin::zero, End::add>(task, rows, columns);
        }
    }
}

void feed_forward(const FeedForwardCall& call, float* scratch) {
    const std::int64_t hidden = round_up(call.first.out, panel_width);
    const HiddenMaker maker{call.x, call.first, call.activation};
    const MaskRounds rounds(call.mask);
    for (std::int64_t block = 0; block < hidden; block += hidden_block) {
        const std::int64_t size = smaller(hidden_block, hidden - block);
        const HiddenMask mask(rounds, block);
        for (std::int64_t row = 0; row < call.rows; row += 8) {
            const std::int64_t count = smaller(8, call.rows - row);
            hidden_tile(maker, count, block, size, mask, row, scratch, nullptr);
            output_tile(scratch, count, call.second, block, smaller(size, call.second.in - block),
                        call.y, row);
        }
    }
}

/// sums [size, channels] += left^T right over `rows` rows; left is a tile of hidden numbers.
inline void outer_sums(const float* left, ConstMatrixView right, std::int64_t rows,
                       std::int64_t size, std::int64_t padded, float* sums) {
    for (std::int64_t j = 0; j < size; j += 8) {
        const TileTask task{left + j, 1,       hidden_block,      right.data, right.stride,
                            rows,     nullptr, sums + j * padded, padded};
        some_columns<Begin::zero, End::add>(task, smaller(8, size - j), padded);
    }
}

/// grad_hidden = act' Drop(back_second(grad_y)) for up to 8 rows from `row` on.
inline void hidden_gradient_tile(const FeedForwardGradient& task, std::int64_t rows,
                                 std::int64_t block, std::int64_t size, std::int64_t row,
                                 const float* value, const float* slopes, float* gradient) {
    const PackedView& back = task.back_second;
    for (std::int64_t j = 0; j < size; j += panel_width) {
        const TileTask part{task.grad_y.data + row * task.grad_y.stride,
                            task.grad_y.stride,
                            1,
                            back.panels + (block + j) * back.in,
                            panel_width,
                            back.in,
                            back.bias + block + j,
                            gradient + j,
                            hidden_block};
        some_columns<Begin::bias, End::store>(part, rows, panel_width);
    }
    if (task.activation == Activation::relu) {
        for (std::int64_t i = 0; i < rows * hidden_block; i += width) {
            store(gradient + i, keep_where_positive(load(value + i), load(gradient + i)));
        }
        return;
    }
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t i = r * hidden_block; i < r * hidden_block + size; i += width) {
            store(gradient + i, load(slopes + i) * load(gradient + i));
        }
    }
}

void feed_forward_gradient(const FeedForwardGradient& task, float* scratch) {
    const std::int64_t hidden = round_up(task.first.out, panel_width);
    const std::int64_t padded = round_up(task.first.in, channel_multiple);
    const HiddenMaker maker{task.x, task.first, task.activation};
    const MaskRounds rounds(task.mask);
    float* value = scratch;
    float* gradient = value + gradient_rows * hidden_block;
    float* slopes = gradient + gradient_rows * hidden_block;
    for (std::int64_t block = 0; block < hidden; block += hidden_block) {
        const std::int64_t size = smaller(hidden_block, hidden - block);
        const std::int64_t used = smaller(size, task.first.out - block);
        const HiddenMask mask(rounds, block);
        for (std::int64_t top = 0; top < task.rows; top += gradient_rows) {
            const std::int64_t rows = smaller(gradient_rows, task.rows - top);
            for (std::int64_t r = 0; r < rows; r += 8) {
                const std::int64_t count = smaller(8, rows - r);
                float* tile_value = value + r * hidden_block;
                float* tile_gradient = gradient + r * hidden_block;
                hidden_tile(maker, count, block, size, mask, top + r, tile_value, slopes);
                hidden_gradient_tile(task, count, block, size, top + r, tile_value, slopes,
                                     tile_gradient);
                output_tile(tile_gradient, count, task.back_first, block, used, task.grad_x,
                            top + r);
            }
            const ConstMatrixView x{task.x.data + top * task.x.stride, task.x.stride};
            const ConstMatrixView grad_y{task.grad_y.data + top * task.grad_y.stride,
                                         task.grad_y.stride};
            outer_sums(gradient, x, rows, used, padded, task.grad_first + block * padded);
            outer_sums(value, grad_y, rows, used, padded, task.grad_second + block * padded);
            for (std::int64_t r = 0; r < rows; ++r) {
                add_scaled(1.0F, gradient + r * hidden_block, task.grad_first_bias + block, used);
            }
        }
    }
}

}  // namespace
}  // namespace hodo::nn
