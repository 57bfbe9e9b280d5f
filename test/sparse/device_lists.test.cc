#include "hodo/sparse/device_lists.hh"

#include <gtest/gtest.h>

#include <set>

#include "sparse/cases.hh"

namespace hodo::sparse {
namespace {

using Triplet = std::array<std::int64_t, 3>;  // output row, input row, cell

std::set<Triplet> pairs_of(const Neighbours& lists) {
    std::set<Triplet> pairs;
    for (std::int64_t row = 0; row < lists.rows(); ++row) {
        for (const auto& pair : lists.of(row)) pairs.insert({row, pair.row, pair.cell});
    }
    return pairs;
}

/// A copy on the CPU can be read here.
TEST(DeviceLists, EveryFormHoldsThePairsOfTheRulebook) {
    const auto fine = group_rows(test::random_voxels(700, 9, 2, "lists")).voxels;
    Maps maps;
    for (const auto& [name, spec] : test::kernel_cases()) {
        SCOPED_TRACE(name);
        const auto coarse = maps.coarser(fine, spec.kernel, spec.stride, spec.sites);
        const auto book = maps.rulebook(coarse, fine, spec.kernel);
        for (const auto direction : {Direction::there, Direction::back}) {
            const auto expected = pairs_of(book->neighbours(direction));
            const auto& copy = DevicePairs::of(*book, direction, at::kCPU);
            std::set<Triplet> by_row, by_cell, by_block;
            const auto rows = copy.by_row(), cells = copy.by_cell();
            ASSERT_EQ(rows.count, book->neighbours(direction).rows());
            ASSERT_EQ(cells.count, book->cells());
            for (std::int64_t row = 0; row < rows.count; ++row) {
                for (auto p = rows.starts[row]; p < rows.starts[row + 1]; ++p) {
                    by_row.insert({row, rows.pairs[p].row, rows.pairs[p].with});
                }
            }
            for (std::int64_t cell = 0; cell < cells.count; ++cell) {
                for (auto p = cells.starts[cell]; p < cells.starts[cell + 1]; ++p) {
                    by_cell.insert({cells.pairs[p].with, cells.pairs[p].row, cell});
                }
            }
            const auto blocks = copy.by_block();
            for (std::int64_t first = 0; first < blocks.rows; first += blocks.block_rows) {
                const auto block = first / blocks.block_rows;
                auto pair = blocks.pair_starts[block];
                for (auto s = blocks.segment_starts[block]; s < blocks.segment_starts[block + 1];
                     ++s) {
                    const auto [cell, count] = blocks.segments[s];
                    std::set<int> own;
                    for (std::int32_t i = 0; i < count; ++i, ++pair) {
                        own.insert(blocks.own[pair]);
                        by_block.insert({first + blocks.own[pair], blocks.others[pair], cell});
                    }
                    EXPECT_EQ(std::ssize(own), count) << "a row twice under one cell";
                }
                EXPECT_EQ(pair, blocks.pair_starts[block + 1]);
            }
            EXPECT_EQ(by_row, expected);
            EXPECT_EQ(by_cell, expected);
            EXPECT_EQ(by_block, expected);
            EXPECT_EQ(copy.pairs(), std::ssize(expected));
        }
    }
}

TEST(DeviceLists, ACopyIsMadeOnce) {
    const auto voxels = group_rows(test::random_voxels(50, 5, 1, "once")).voxels;
    const Rulebook book(voxels, voxels, {{3, 3, 3}});
    const auto& first = DevicePairs::of(book, Direction::there, at::kCPU);
    EXPECT_EQ(&first, &DevicePairs::of(book, Direction::there, at::kCPU));
    EXPECT_EQ(&first, &DevicePairs::of(book, Direction::back, at::kCPU))
        << "the way back is the same";
    EXPECT_EQ(first.by_row().pairs, first.by_row().pairs);
}

}  // namespace
}  // namespace hodo::sparse
