#pragma once
/// Matrix products in tiles of registers: the ground of the other kernels.
///
/// This header and its siblings are included once by each source that is compiled for a vector
/// level.

#include "hodo/nn/kernels/kernels.hh"
#include "hodo/nn/kernels/lanes.hh"

namespace hodo::nn {
namespace {

constexpr std::int64_t width = Lanes::width;
constexpr std::int64_t inner_block = 256;  // input rows of a panel that stay in the L1 cache
static_assert(panel_width % (2 * width) == 0);

inline std::int64_t smaller(std::int64_t a, std::int64_t b) {
    return a < b ? a : b;
}

/// What a tile's sums begin with: a bias per column, or zero.
enum class Begin { bias, zero };
/// What becomes of a tile's sums: they are stored, stored where positive, or added to what is
/// there. Long sums are made of short ones, which keeps rounding errors small.
enum class End { store, relu, add };

/// Operands of a tile c [rows, 2 vectors] (+)= a [rows, inner] b [inner, 2 vectors].
struct TileTask {
    const float* a;
    std::int64_t a_row, a_inner;  // strides
    const float* b;
    std::int64_t b_row;
    std::int64_t inner;
    const float* bias;
    float* c;
    std::int64_t c_row;
};

/// One tile of `rows` x `vectors` registers; each element is summed over `inner` in order.
template <int rows, int vectors, Begin begin, End end>
inline void tile(const TileTask& task) {
    Lanes sum[rows][vectors];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) {
            const std::int64_t column = j * width;
            sum[r][j] = begin == Begin::bias ? load(task.bias + column) : spread(0.0F);
        }
    }
    const float* a = task.a;
    const float* b = task.b;
    for (std::int64_t i = 0; i < task.inner; ++i) {
        Lanes right[vectors];
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) right[j] = load(b + j * width);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
            const Lanes left = spread(a[r * task.a_row]);
#pragma GCC unroll 4
            for (int j = 0; j < vectors; ++j) {
                sum[r][j] = multiply_add(left, right[j], sum[r][j]);
            }
        }
        a += task.a_inner;
        b += task.b_row;
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) {
            float* target = task.c + r * task.c_row + j * width;
            Lanes value = sum[r][j];
            if (end == End::relu) value = larger(value, spread(0.0F));
            if (end == End::add) value = value + load(target);
            store(target, value);
        }
    }
}

/// `rows` rows of a tile, whatever their number up to 8.
template <Begin begin, End end>
inline void some_rows(TileTask task, std::int64_t rows) {
    while (rows >= Lanes::tile_rows) {
        tile<Lanes::tile_rows, 2, begin, end>(task);
        task.a += Lanes::tile_rows * task.a_row;
        task.c += Lanes::tile_rows * task.c_row;
        rows -= Lanes::tile_rows;
    }
    for (; rows > 0; --rows) {
        tile<1, 2, begin, end>(task);
        task.a += task.a_row;
        task.c += task.c_row;
    }
}

/// Columns [0, columns) of a tile of up to 8 rows, two vectors at a time; `columns` is a multiple
/// of the channel multiple. A single last vector is done alone.
template <Begin begin, End end>
inline void some_columns(TileTask task, std::int64_t rows, std::int64_t columns) {
    std::int64_t column = 0;
    for (; column + 2 * width <= columns; column += 2 * width) {
        some_rows<begin, end>(task, rows);
        task.b += 2 * width;
        task.c += 2 * width;
        if (begin == Begin::bias) task.bias += 2 * width;
    }
    if (column == columns) return;
    while (rows >= Lanes::tile_rows) {
        tile<Lanes::tile_rows, 1, begin, end>(task);
        task.a += Lanes::tile_rows * task.a_row;
        task.c += Lanes::tile_rows * task.c_row;
        rows -= Lanes::tile_rows;
    }
    for (; rows > 0; --rows) {
        tile<1, 1, begin, end>(task);
        task.a += task.a_row;
        task.c += task.c_row;
    }
}

void dense(ConstMatrixView x, std::int64_t rows, const PackedView& map, MatrixView y) {
    const std::int64_t padded = round_up(map.out, channel_multiple);
    for (std::int64_t first = 0; first < padded; first += panel_width) {
        const std::int64_t columns = smaller(panel_width, padded - first);
        const float* panel = map.panels + first * map.in;
        for (std::int64_t inner = 0; inner < map.in || inner == 0; inner += inner_block) {
            TileTask task{x.data + inner,
                          x.stride,
                          1,
                          panel + inner * panel_width,
                          panel_width,
                          smaller(inner_block, map.in - inner),
                          map.bias + first,
                          y.data + first,
                          y.stride};
            for (std::int64_t row = 0; row < rows; row += 8) {
                const std::int64_t count = smaller(8, rows - row);
                if (inner == 0) {
                    some_columns<Begin::bias, End::store>(task, count, columns);
                } else {
                    some_columns<Begin::zero, End::add>(task, count, columns);
                }
                task.a += 8 * x.stride;
                task.c += 8 * y.stride;
            }
        }
    }
}

void along_rows(const float* weight, const float* bias, std::int64_t in, std::int64_t out,
                ConstMatrixView x, std::int64_t channels, MatrixView y) {
    const std::int64_t padded = round_up(channels, channel_multiple);
    for (std::int64_t row = 0; row < out; ++row) {
        for (std::int64_t c = 0; c < padded; c += width) {
            store(y.data + row * y.stride + c, spread(c < channels ? bias[row] : 0.0F));
        }
        for (std::int64_t c = channels; c < padded; ++c) y.data[row * y.stride + c] = 0.0F;
    }
    for (std::int64_t inner = 0; inner < in; inner += inner_block) {
        for (std::int64_t row = 0; row < out; row += 8) {
            const TileTask task{weight + row * in + inner * 8,
                                1,
                                8,
                                x.data + inner * x.stride,
                                x.stride,
                                smaller(inner_block, in - inner),
                                nullptr,
                                y.data + row * y.stride,
                                y.stride};
            some_columns<Begin::zero, End::add>(task, smaller(8, out - row), padded);
        }
    }
}

/// The part of a product that sums over [inner, inner + count).
template <End end>
inline void product_block(const Product& task, std::int64_t inner, std::int64_t count) {
    for (std::int64_t column = 0; column < task.columns; column += panel_width) {
        TileTask part{task.a + inner * task.a_inner,
                      task.a_row,
                      task.a_inner,
                      task.b + inner * task.b_row + column / panel_width * task.b_panel,
                      task.b_row,
                      count,
                      nullptr,
                      task.c + column,
                      task.c_row};
        for (std::int64_t row = 0; row < task.rows; row += 8) {
            some_columns<Begin::zero, end>(part, smaller(8, task.rows - row),
                                           smaller(panel_width, task.columns - column));
            part.a += 8 * task.a_row;
            part.c += 8 * task.c_row;
        }
    }
}

void product(const Product& task) {
    if (task.row_bias != nullptr) {
        for (std::int64_t row = 0; row < task.rows; ++row) {
            for (std::int64_t c = 0; c < task.columns; c += width) {
                store(task.c + row * task.c_row + c, spread(task.row_bias[row]));
            }
        }
    }
    const bool adds = task.adds || task.row_bias != nullptr;
    for (std::int64_t inner = 0; inner < task.inner; inner += task.inner_at_a_time) {
        const std::int64_t count = smaller(task.inner_at_a_time, task.inner - inner);
        if (inner == 0 && !adds) {
            product_block<End::store>(task, inner, count);
        } else {
            product_block<End::add>(task, inner, count);
        }
    }
}

void add_scaled(float a, const float* x, float* y, std::int64_t size) {
    std::int64_t i = 0;
    for (; i + width <= size; i += width) {
        store(y + i, multiply_add(spread(a), load(x + i), load(y + i)));
    }
    for (; i < size; ++i) y[i] += a * x[i];
}

}  // namespace
}  // namespace hodo::nn
