#pragma once
/// Blocks straight from coordinates: what `make_blocks(find_neighbours(...))` makes, without the
/// lists in between.

#include "hodo/sparse/rulebook.hh"

namespace hodo::sparse {

/// Whether `direct_blocks` knows the kernel: symmetric, of size 3 without dilation along z
/// (or of one cell) and not too large.
bool has_direct_blocks(const Kernel& kernel);

/// The pairs of a level with itself.
Blocks direct_blocks(const Coordinates& level, const Kernel& kernel);

}  // namespace hodo::sparse
