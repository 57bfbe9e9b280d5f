#pragma once
/// Feed-forward parts of one vector level, there and back; hidden numbers never leave the cache.

#include "hodo/nn/kernels/mask_tiles.hh"

namespace hodo::nn {
namespace {

constexpr std::int64_t hidden_block = 128;  // hidden numbers of a tile
constexpr std::int64_t gradient_rows = 32;  // rows of a tile on the way back
static_assert(hidden_block % panel_width == 0 && panel_width % 8 == 0);

/// Drop(relu(first(x))) for up to 8 rows and the hidden numbers [block, block + size).
inline void hidden_tile(ConstMatrixView x, std::int64_t rows, const PackedView& first,
                        std::int64_t block, std::int64_t size, const MaskStream& mask,
                        std::int64_t row, float* hidden) {
    for (std::int64_t j = 0; j < size; j += panel_width) {
        const TileTask task{x.data + row * x.stride,
                            x.stride,
                            1,
                            first.panels + (block + j) * first.in,
                            panel_width,
                            first.in,
                            first.bias + block + j,
                            hidden + j,
                            hidden_block};
        some_columns<Begin::bias, End::relu>(task, rows, panel_width);
    }
    if (mask.threshold == 0) return;
    for (std::int64_t r = 0; r < rows; ++r) {
        drop_in_row(mask, static_cast<std::uint32_t>(block / 8),
                    mask.first_row + static_cast<std::uint32_t>(row + r), hidden + r * hidden_block,
                    size);
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

void feed_forward(ConstMatrixView x, std::int64_t rows, const PackedView& first,
                  const PackedView& second, const MaskStream& mask, MatrixView y, float* scratch) {
    const std::int64_t hidden = round_up(first.out, panel_width);
    for (std::int64_t block = 0; block < hidden; block += hidden_block) {
        const std::int64_t size = smaller(hidden_block, hidden - block);
        for (std::int64_t row = 0; row < rows; row += 8) {
            const std::int64_t count = smaller(8, rows - row);
            hidden_tile(x, count, first, block, size, mask, row, scratch);
            output_tile(scratch, count, second, block, smaller(size, second.in - block), y, row);
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

void feed_forward_gradient(const FeedForwardGradient& task, float* scratch) {
    const std::int64_t hidden = round_up(task.first.out, panel_width);
    const std::int64_t padded = round_up(task.first.in, channel_multiple);
    float* value = scratch;
    float* gradient = scratch + gradient_rows * hidden_block;
    for (std::int64_t block = 0; block < hidden; block += hidden_block) {
        const std::int64_t size = smaller(hidden_block, hidden - block);
        const std::int64_t used = smaller(size, task.first.out - block);
        for (std::int64_t top = 0; top < task.rows; top += gradient_rows) {
            const std::int64_t rows = smaller(gradient_rows, task.rows - top);
            for (std::int64_t r = 0; r < rows; r += 8) {
                const std::int64_t count = smaller(8, rows - r);
                float* tile_value = value + r * hidden_block;
                float* tile_gradient = gradient + r * hidden_block;
                hidden_tile(task.x, count, task.first, block, size, task.mask, top + r, tile_value);
                for (std::int64_t j = 0; j < size; j += panel_width) {
                    const TileTask back{task.grad_y.data + (top + r) * task.grad_y.stride,
                                        task.grad_y.stride,
                                        1,
                                        task.back_second.panels + (block + j) * task.back_second.in,
                                        panel_width,
                                        task.back_second.in,
                                        task.back_second.bias + block + j,
                                        tile_gradient + j,
                                        hidden_block};
                    some_columns<Begin::bias, End::store>(back, count, panel_width);
                }
                for (std::int64_t i = 0; i < count * hidden_block; i += width) {
                    store(tile_gradient + i,
                          keep_where_positive(load(tile_value + i), load(tile_gradient + i)));
                }
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
