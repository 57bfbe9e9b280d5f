#pragma once
/// Dropout masks of one vector level: Philox4x32-10 in 64-bit lanes, one block of eight 16-bit
/// words in each.
///
/// The counter is {column block, row, place, step}. The first two rounds mix columns with columns
/// and rows with rows only, so that these parts are made once for many blocks: `MaskColumns` and
/// `MaskRow`. From the third round on everything depends on both.
///
/// Reference: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

#include "hodo/nn/kernels/tiles.hh"

namespace hodo::nn {
namespace {

/// Columns whose bits are made at a time.
constexpr std::int64_t mask_columns = 64;
constexpr int mask_groups = 8 / Wide::count;  // of blocks, one per lane

constexpr std::uint64_t philox_multiplier[2] = {0xD2511F53U, 0xCD9E8D57U};

/// Keys of the rounds, and what all blocks of a mask share.
struct MaskRounds {
    std::uint64_t key0[10], key1[10];
    std::uint64_t step, place_high, place_low;
    std::uint32_t first_row, threshold;

    MaskRounds() = default;
    explicit MaskRounds(const MaskStream& mask)
        : step(mask.step), first_row(mask.first_row), threshold(mask.threshold) {
        std::uint32_t first = mask.key[0], second = mask.key[1];
        for (int round = 0; round < 10; ++round) {
            key0[round] = first;
            key1[round] = second;
            first += 0x9E3779B9U;
            second += 0xBB67AE85U;
        }
        const std::uint64_t product = philox_multiplier[1] * mask.place;
        place_high = product >> 32;
        place_low = product & 0xFFFFFFFFU;
    }
};

/// What blocks of the same columns share: terms of the second and third round.
struct ColumnTerms {
    Wide second, third0, third2, third3;
};
inline ColumnTerms column_terms(const MaskRounds& m, Wide column_blocks) {
    const Wide first = column_blocks * spread(philox_multiplier[0]);
    const Wide mixed = exclusive_or(upper_half(first), spread(m.step), spread(m.key1[0])) *
                       spread(philox_multiplier[1]);
    const Wide last = exclusive_or(upper_half(mixed), spread(m.place_low), spread(m.key0[1])) *
                      spread(philox_multiplier[0]);
    return {first ^ spread(m.key1[1]), mixed ^ spread(m.key0[2]),
            upper_half(last) ^ spread(m.key1[2]), last};
}

/// What blocks of the same row share.
struct RowTerms {
    Wide high, low;
};
inline RowTerms row_terms(const MaskRounds& m, Wide rows) {
    const Wide product =
        exclusive_or(rows, spread(m.place_high), spread(m.key0[0])) * spread(philox_multiplier[0]);
    return {upper_half(product), product};
}

/// Blocks: word pairs 0 to 3 in the lower halves.
struct RandomBlocks {
    Wide pair[4];
};
inline RandomBlocks random_blocks(const MaskRounds& m, const ColumnTerms& columns,
                                  const RowTerms& rows) {
    const Wide multiplier0 = spread(philox_multiplier[0]);
    const Wide multiplier1 = spread(philox_multiplier[1]);
    Wide c1 = (rows.high ^ columns.second) * multiplier1;
    Wide c0 = upper_half(c1) ^ columns.third0;
    Wide c2 = rows.low ^ columns.third2;
    Wide c3 = columns.third3;
#pragma GCC unroll 7
    for (int round = 3; round < 10; ++round) {
        const Wide product0 = c0 * multiplier0, product1 = c2 * multiplier1;
        c0 = exclusive_or(upper_half(product1), c1, spread(m.key0[round]));
        c1 = product1;
        c2 = exclusive_or(upper_half(product0), c3, spread(m.key1[round]));
        c3 = product0;
    }
    return {{c0, c1, c2, c3}};
}

/// 64 columns of a mask, beginning at column 8 `first_block`.
struct MaskColumns {
    ColumnTerms terms[mask_groups];
    MaskColumns(const MaskRounds& m, std::uint32_t first_block) {
        for (int group = 0; group < mask_groups; ++group) {
            std::uint64_t blocks[Wide::count];
            for (int i = 0; i < Wide::count; ++i) {
                blocks[lane_of_block(i)] =
                    first_block + static_cast<std::uint32_t>(group * Wide::count + i);
            }
            terms[group] = column_terms(m, load(blocks));
        }
    }
};

/// The row of a mask.
inline RowTerms mask_row(const MaskRounds& m, std::uint32_t row) {
    const std::uint64_t product = (row ^ m.place_high ^ m.key0[0]) * philox_multiplier[0];
    return {spread(product >> 32), spread(product)};
}

/// Which of 64 columns of a row are kept: one bit each.
inline std::uint64_t kept_in_row(const MaskRounds& m, const MaskColumns& columns,
                                 const RowTerms& row) {
    std::uint64_t bits = 0;
#pragma GCC unroll 4
    for (int group = 0; group < mask_groups; ++group) {
        const RandomBlocks blocks = random_blocks(m, columns.terms[group], row);
        bits |= words_at_least(blocks.pair[0], blocks.pair[1], blocks.pair[2], blocks.pair[3],
                               m.threshold)
                << (8 * Wide::count * group);
    }
    return bits;
}

/// The bits of the lanes that begin at column `first`.
inline unsigned bits_of_lanes(std::uint64_t bits, std::int64_t first) {
    return static_cast<unsigned>(bits >> first) & ((1U << width) - 1U);
}

/// Sets those of up to 64 numbers (a multiple of the width) to zero whose bit is not set.
inline void keep_in_row(std::uint64_t bits, float* values, std::int64_t count) {
    for (std::int64_t c = 0; c < count; c += width) {
        store(values + c, keep(bits_of_lanes(bits, c), load(values + c)));
    }
}

/// Terms of 64 columns, to be spread one block after the other: for masks with one row per lane.
struct SpreadColumns {
    alignas(64) std::uint64_t terms[4][8];
    SpreadColumns(const MaskRounds& m, std::uint32_t first_block) {
        for (int i = 0; i < 8; i += Wide::count) {
            std::uint64_t blocks[Wide::count];
            for (int lane = 0; lane < Wide::count; ++lane) {
                blocks[lane] = first_block + static_cast<std::uint32_t>(i + lane);
            }
            const ColumnTerms made = column_terms(m, load(blocks));
            store(terms[0] + i, made.second);
            store(terms[1] + i, made.third0);
            store(terms[2] + i, made.third2);
            store(terms[3] + i, made.third3);
        }
    }
    ColumnTerms operator[](std::int64_t block) const {
        return {spread(terms[0][block]), spread(terms[1][block]), spread(terms[2][block]),
                spread(terms[3][block])};
    }
};

/// One row of a mask in each lane of a register of floats: `first`, `first` + step, ...
struct LaneRows {
    RowTerms even, odd;
    LaneRows(const MaskRounds& m, std::uint32_t first, std::uint32_t step) {
        std::uint64_t rows[2][Wide::count];
        for (std::uint32_t i = 0; i < Lanes::width; ++i) rows[i % 2][i / 2] = first + i * step;
        even = row_terms(m, load(rows[0]));
        odd = row_terms(m, load(rows[1]));
    }
};

/// Whether the elements of eight columns are kept: one bit per lane.
inline void kept_columns(const MaskRounds& m, const ColumnTerms& columns, const LaneRows& rows,
                         unsigned* bits) {
    const RandomBlocks even = random_blocks(m, columns, rows.even);
    const RandomBlocks odd = random_blocks(m, columns, rows.odd);
    const Words threshold = spread(m.threshold << 16);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        const Words pair = merge(even.pair[i], odd.pair[i]);
        bits[2 * i] = at_least(lower_half_up(pair), threshold);
        bits[2 * i + 1] = at_least(pair, threshold);
    }
}

}  // namespace
}  // namespace hodo::nn
