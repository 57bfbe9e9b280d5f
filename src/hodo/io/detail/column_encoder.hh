#pragma once
/// Copies rows of columns into DuckDB vectors.

#include "hodo/io/detail/column_types.hh"

#include <cstdint>
#include <vector>

namespace hodo::io::detail {

/// Rows [begin, end) of the columns below `tree` into rows [0, end - begin) of `vector`.
void encode(const FieldTree& tree, const std::vector<const Column*>& columns, std::int64_t begin,
            std::int64_t end, duckdb_vector vector);

}  // namespace hodo::io::detail
