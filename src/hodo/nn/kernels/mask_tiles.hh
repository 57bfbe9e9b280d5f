#pragma once
/// Dropout masks of one vector level: Philox4x32-10 in every lane.
///
/// Reference: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

#include "hodo/nn/kernels/tiles.hh"

namespace hodo::nn {
namespace {

/// The eight 16-bit words of one block per lane, as pairs: low half first.
struct RandomBlock {
    Words pair[4];
};

/// Blocks at the counters {column_block, row, place, step}.
inline RandomBlock random_block(const MaskStream& mask, Words column_block, Words row) {
    std::uint32_t key0 = mask.key[0], key1 = mask.key[1];
    Words c0 = column_block, c1 = row, c2 = spread(mask.place), c3 = spread(mask.step);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        Words high0, low0, high1, low1;
        multiply_wide(c0, 0xD2511F53U, high0, low0);
        multiply_wide(c2, 0xCD9E8D57U, high1, low1);
        c0 = high1 ^ c1 ^ spread(key0);
        c1 = low1;
        c2 = high0 ^ c3 ^ spread(key1);
        c3 = low0;
        key0 += 0x9E3779B9U;
        key1 += 0xBB67AE85U;
    }
    return {{c0, c1, c2, c3}};
}

/// 0, 1, 2, ... in the lanes.
inline Words lane_numbers() {
    std::uint32_t numbers[Lanes::width];
    for (std::uint32_t i = 0; i < Lanes::width; ++i) numbers[i] = i;
    return load(numbers);
}

/// Whether the elements of eight columns, beginning at column 8 `column_block`, are kept: one bit
/// per lane, where each lane is a row of the mask.
inline void kept_columns(const MaskStream& mask, std::uint32_t column_block, Words rows,
                         unsigned* bits) {
    const RandomBlock block = random_block(mask, spread(column_block), rows);
    const Words threshold = spread(mask.threshold), low_half = spread(std::uint32_t{0xFFFF});
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        bits[2 * i] = at_least(block.pair[i] & low_half, threshold);
        bits[2 * i + 1] = at_least(upper_half(block.pair[i]), threshold);
    }
}

/// Sets the dropped ones of `count` numbers (a multiple of 8) of one row to zero; the first is
/// column 8 `column_block`.
inline void drop_in_row(const MaskStream& mask, std::uint32_t column_block, std::uint32_t row,
                        float* values, std::int64_t count) {
    const Words threshold = spread(mask.threshold), low_half = spread(std::uint32_t{0xFFFF});
    for (std::int64_t first = 0; first < count; first += 8 * width) {
        const RandomBlock block = random_block(
            mask, lane_numbers() + spread(column_block + static_cast<std::uint32_t>(first / 8)),
            spread(row));
        Words kept = spread(std::uint32_t{0});  // per lane: one bit for each of its eight columns
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            const Words low_bit = spread(1U << (2 * i)), high_bit = spread(2U << (2 * i));
            kept = kept | bit_where_at_least(block.pair[i] & low_half, threshold, low_bit) |
                   bit_where_at_least(upper_half(block.pair[i]), threshold, high_bit);
        }
        std::uint32_t bytes[Lanes::width + 1];
        store(bytes, kept);
        const std::int64_t size = smaller(8 * width, count - first);
        for (std::int64_t c = 0; c < size; c += width) {
            const unsigned bits = (bytes[c / 8] | bytes[(c + width - 1) / 8] << 8) >> (c % 8);
            float* value = values + first + c;
            store(value, keep(bits & ((1U << width) - 1U), load(value)));
        }
    }
}

}  // namespace
}  // namespace hodo::nn
