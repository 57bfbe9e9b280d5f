#pragma once
/// Copies rows of DuckDB vectors into columns, with their NULLs as parquet.hh states.

#include "hodo/io/detail/duckdb_library.hh"
#include "hodo/io/table.hh"

#include <cstdint>
#include <string_view>

namespace hodo::io::detail {

/// Rows [begin, end) of a flat vector. `origin` (a file) and `first_row` (the row of its file that
/// the vector's row 0 is) stand in messages.
Column decode(duckdb_vector vector, const ColumnSpec& spec, std::int64_t begin, std::int64_t end,
              std::string_view origin, std::int64_t first_row);

/// How many leaf values row `row` of a vector holds.
std::int64_t values_in_row(duckdb_vector vector, const ColumnSpec& spec, std::int64_t row);

}  // namespace hodo::io::detail
