#pragma once
/// The kernels of one vector level; included once by each source that is compiled for a level.

#include "hodo/nn/kernels/kernels.hh"
#include "hodo/nn/kernels/lanes.hh"

namespace hodo::nn {
namespace {

constexpr std::int64_t width = Lanes::width;
constexpr std::int64_t inner_block = 256;   // input rows of a panel that stay in the L1 cache
constexpr std::int64_t hidden_block = 128;  // hidden numbers of a feed-forward tile
constexpr std::int64_t key_block = 64;
static_assert(panel_width % (2 * width) == 0 && hidden_block % panel_width == 0);

inline std::int64_t smaller(std::int64_t a, std::int64_t b) {
    return a < b ? a : b;
}

/// How a tile of results begins: from a bias per column, or from what is there.
enum class Begin { bias, there };
enum class End { plain, relu };

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
            sum[r][j] = begin == Begin::bias ? load(task.bias + column)
                                             : load(task.c + r * task.c_row + column);
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
            const Lanes value = end == End::relu ? larger(sum[r][j], spread(0.0F)) : sum[r][j];
            store(task.c + r * task.c_row + j * width, value);
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
                    some_columns<Begin::bias, End::plain>(task, count, columns);
                } else {
                    some_columns<Begin::there, End::plain>(task, count, columns);
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
            some_columns<Begin::there, End::plain>(task, smaller(8, out - row), padded);
        }
    }
}

void feed_forward(ConstMatrixView x, std::int64_t rows, const PackedView& first,
                  const PackedView& second, MatrixView y, float* scratch) {
    const std::int64_t padded = round_up(second.out, channel_multiple);
    const std::int64_t hidden = round_up(first.out, panel_width);
    for (std::int64_t block = 0; block < hidden; block += hidden_block) {
        const std::int64_t size = smaller(hidden_block, hidden - block);
        const std::int64_t used = smaller(size, second.in - block);
        for (std::int64_t row = 0; row < rows; row += 8) {
            const std::int64_t count = smaller(8, rows - row);
            for (std::int64_t j = 0; j < size; j += panel_width) {
                const TileTask task{x.data + row * x.stride,
                                    x.stride,
                                    1,
                                    first.panels + (block + j) * first.in,
                                    panel_width,
                                    first.in,
                                    first.bias + block + j,
                                    scratch + j,
                                    hidden_block};
                some_columns<Begin::bias, End::relu>(task, count, panel_width);
            }
            for (std::int64_t c = 0; c < padded; c += panel_width) {
                const TileTask task{scratch,
                                    hidden_block,
                                    1,
                                    second.panels + c * second.in + block * panel_width,
                                    panel_width,
                                    used,
                                    second.bias + c,
                                    y.data + row * y.stride + c,
                                    y.stride};
                const std::int64_t columns = smaller(panel_width, padded - c);
                if (block == 0) {
                    some_columns<Begin::bias, End::plain>(task, count, columns);
                } else {
                    some_columns<Begin::there, End::plain>(task, count, columns);
                }
            }
        }
    }
}

/// Up to `width` queries (one per lane) of one head against all keys, in blocks of keys with a
/// running maximum m, sum l and weighted values. `pairs` holds [keys, 2 D]: key, then value.
template <int D>
inline void attend_lanes(const float* q, const float* pairs, std::int64_t keys, float* out) {
    Lanes query[D], value[D];
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) {
        query[c] = load(q + c * width);
        value[c] = spread(0.0F);
    }
    Lanes maximum = spread(-1e30F), sum = spread(0.0F);
    alignas(64) float scores[key_block * Lanes::width];
    for (std::int64_t first = 0; first < keys; first += key_block) {
        const std::int64_t count = smaller(key_block, keys - first);
        const float* pair = pairs + first * 2 * D;
        Lanes block_maximum = maximum;
        for (std::int64_t j = 0; j < count; ++j) {
            Lanes score = query[0] * spread(pair[j * 2 * D]);
#pragma GCC unroll 64
            for (int c = 1; c < D; ++c) {
                score = multiply_add(query[c], spread(pair[j * 2 * D + c]), score);
            }
            store(scores + j * width, score);
            block_maximum = larger(block_maximum, score);
        }
        const Lanes shrink = power_of_two(maximum - block_maximum);
        maximum = block_maximum;
        sum = sum * shrink;
#pragma GCC unroll 64
        for (int c = 0; c < D; ++c) value[c] = value[c] * shrink;
        for (std::int64_t j = 0; j < count; ++j) {
            const Lanes weight = power_of_two(load(scores + j * width) - maximum);
            sum = sum + weight;
#pragma GCC unroll 64
            for (int c = 0; c < D; ++c) {
                value[c] = multiply_add(weight, spread(pair[j * 2 * D + D + c]), value[c]);
            }
        }
    }
#pragma GCC unroll 64
    for (int c = 0; c < D; ++c) store(out + c * width, value[c]);
    store(out + D * width, sum);
}

/// All heads; head sizes between powers of two are padded with zeros to D.
template <int D>
void attend_heads(const AttentionTask& task, float* scratch) {
    const std::int64_t size = task.head_size;
    // Weights are powers of two, so the scores carry log2(e).
    const float scale = 1.44269504088896341F / __builtin_sqrtf(static_cast<float>(size));
    alignas(64) float q[D * Lanes::width];
    alignas(64) float out[(D + 1) * Lanes::width];
    for (std::int64_t head = 0; head < task.heads; ++head) {
        for (std::int64_t j = 0; j < task.keys; ++j) {
            const float* k = task.k.data + j * task.k.stride + head * size;
            const float* v = task.v.data + j * task.v.stride + head * size;
            float* pair = scratch + j * 2 * D;
            for (std::int64_t c = 0; c < D; ++c) {
                pair[c] = c < size ? k[c] : 0.0F;
                pair[D + c] = c < size ? v[c] : 0.0F;
            }
        }
        for (std::int64_t first = 0; first < task.queries; first += width) {
            const std::int64_t count = smaller(width, task.queries - first);
            for (std::int64_t lane = 0; lane < width; ++lane) {
                const float* row =
                    task.q.data + (first + smaller(lane, count - 1)) * task.q.stride + head * size;
                for (std::int64_t c = 0; c < D; ++c) {
                    q[c * width + lane] = c < size ? row[c] * scale : 0.0F;
                }
            }
            attend_lanes<D>(q, scratch, task.keys, out);
            for (std::int64_t lane = 0; lane < count; ++lane) {
                float* row = task.out.data + (first + lane) * task.out.stride + head * size;
                const float norm = 1.0F / out[D * width + lane];
                for (std::int64_t c = 0; c < size; ++c) row[c] = out[c * width + lane] * norm;
            }
        }
    }
}

void attend(const AttentionTask& task, float* scratch) {
    if (task.head_size <= 4) {
        attend_heads<4>(task, scratch);
    } else if (task.head_size <= 8) {
        attend_heads<8>(task, scratch);
    } else if (task.head_size <= 16) {
        attend_heads<16>(task, scratch);
    } else if (task.head_size <= 32) {
        attend_heads<32>(task, scratch);
    } else {
        attend_heads<64>(task, scratch);
    }
}

void add_norm(MatrixView x, ConstMatrixView change, std::int64_t rows, std::int64_t channels,
              const float* scale, const float* shift) {
    const std::int64_t padded = round_up(channels, channel_multiple);
    const float per_channel = 1.0F / static_cast<float>(channels);
    for (std::int64_t row = 0; row < rows; ++row) {
        float* out = x.data + row * x.stride;
        const float* delta = change.data + row * change.stride;
        Lanes total = spread(0.0F);
        for (std::int64_t c = 0; c < padded; c += width) {
            const Lanes value = load(out + c) + load(delta + c);
            store(out + c, value);
            total = total + value;
        }
        const float mean = sum_lanes(total) * per_channel;
        Lanes squares = spread(0.0F);
        for (std::int64_t c = 0; c < padded; c += width) {
            const Lanes centred = load(out + c) - spread(mean);
            store(out + c, centred);
            if (c + width > channels) {
                for (std::int64_t i = channels > c ? channels : c; i < c + width; ++i) out[i] = 0;
            }
            squares = multiply_add(load(out + c), load(out + c), squares);
        }
        const float variance = sum_lanes(squares) * per_channel;
        const Lanes factor = spread(1.0F / __builtin_sqrtf(variance + 1e-5F));
        for (std::int64_t c = 0; c < padded; c += width) {
            store(out + c, multiply_add(load(out + c) * factor, load(scale + c), load(shift + c)));
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

constexpr Kernels make_kernels(std::string_view name) {
    return {name, dense, along_rows, feed_forward, attend, add_norm, add_scaled};
}

}  // namespace
}  // namespace hodo::nn
