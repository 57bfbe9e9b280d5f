#pragma once
/// Rows of columns: check, weigh, take and join them.

#include "hodo/io/table.hh"

#include <cstdint>
#include <vector>

namespace hodo::io::detail {

/// Checks that `column` has as many levels of offsets as it states, that they are ascending, and
/// that there are as many values as they mark. The error names the column.
void check_column(const Column& column, std::int64_t rows);

/// Bytes of the values, list ends and texts of rows [begin, end).
std::int64_t bytes_of(const Column& column, std::int64_t begin, std::int64_t end);

/// A chunk of these columns without rows.
Chunk empty_block(const std::vector<ColumnSpec>& specs);

/// Appends rows [begin, end) of `from` to `to`, which is of the same type.
void append_rows(Column& to, const Column& from, std::int64_t begin, std::int64_t end);

/// Rows [begin, end) of a chunk.
Chunk slice(const Chunk& chunk, std::int64_t begin, std::int64_t end);

}  // namespace hodo::io::detail
