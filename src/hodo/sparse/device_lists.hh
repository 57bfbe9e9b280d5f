#pragma once
/// Pairs of a rulebook's direction on a device, in the forms in which its kernels read them. Each
/// form is made and copied when first asked for. Safe to use from several threads.

#include "hodo/sparse/cuda/launch.hh"
#include "hodo/sparse/rulebook.hh"
#include "hodo/tensor/torch.hh"

namespace hodo::sparse {

/// The same pairs by kernel cell: list k holds, as its pairs' `row` and `cell`, the other level's
/// row and the row itself, which ascends.
Neighbours lists_by_cell(const Neighbours& lists, std::int64_t cells);

/// Lists and what they point to.
struct CopiedLists {
    at::Tensor starts, pairs;
    cuda::Lists view() const;
};
CopiedLists copy_lists(const Neighbours& lists, at::Device device);

class DevicePairs {
  public:
    /// `book` must outlive this.
    DevicePairs(const Rulebook& book, Direction direction, at::Device device);

    cuda::BlockPairs by_block() const;
    cuda::Lists by_row() const;
    cuda::Lists by_cell() const;
    std::int64_t pairs() const;  ///< Their number.

    /// The copy that a rulebook keeps.
    static const DevicePairs& of(const Rulebook& book, Direction direction, at::Device device);

  private:
    struct CopiedBlocks {
        at::Tensor segments, segment_starts, pair_starts, others, own;
    };
    const Rulebook& book_;
    Direction direction_;
    at::Device device_;
    mutable std::once_flag blocks_made_, rows_made_, cells_made_;
    mutable CopiedBlocks blocks_;
    mutable CopiedLists rows_, cells_;
};

}  // namespace hodo::sparse
