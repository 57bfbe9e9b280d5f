#pragma once
/// How work on a rulebook's blocks is cut into parts for threads.

#include "hodo/sparse/rulebook.hh"

#include <algorithm>

namespace hodo::sparse {

/// Multiply-adds that are worth another thread.
inline constexpr std::int64_t smallest_work = std::int64_t{1} << 21;

/// Parts of a whole that are worth a thread of their own.
inline std::int64_t grain_of(std::int64_t parts, std::int64_t pairs, std::int64_t work_per_pair) {
    const auto work =
        std::max<std::int64_t>(1, pairs * work_per_pair / std::max<std::int64_t>(1, parts));
    return std::max<std::int64_t>(1, smallest_work / work);
}

/// A block as kernels see it.
inline BlockView view(const Blocks& blocks, std::int64_t block) {
    const auto first = blocks.segment_starts[static_cast<std::size_t>(block)];
    const auto end = blocks.segment_starts[static_cast<std::size_t>(block) + 1];
    const auto pair = blocks.pair_starts[static_cast<std::size_t>(block)];
    return {blocks.segments.data() + first, end - first, blocks.others.data() + pair,
            blocks.own.data() + pair, std::min(block_rows, blocks.rows - block * block_rows)};
}

/// The segments of a block whose cells are in [first, end).
inline BlockView with_cells(BlockView block, std::int64_t first, std::int64_t end) {
    const auto drop = [&] {
        block.others += block.segments->count;
        block.own += block.segments->count;
        ++block.segments;
        --block.segment_count;
    };
    while (block.segment_count > 0 && block.segments->cell < first) drop();
    std::int64_t kept = 0;
    while (kept < block.segment_count && block.segments[kept].cell < end) ++kept;
    block.segment_count = kept;
    return block;
}

/// Calls rows of numbers that will soon be needed into the second nearest cache.
inline void call_rows(const float* first, std::int64_t stride, std::int64_t rows,
                      std::int64_t columns) {
    constexpr std::int64_t line = 16;
    if (first == nullptr) return;
    for (std::int64_t row = 0; row < rows; ++row, first += stride) {
        for (std::int64_t c = 0; c < columns; c += line) __builtin_prefetch(first + c, 0, 2);
    }
}

}  // namespace hodo::sparse
