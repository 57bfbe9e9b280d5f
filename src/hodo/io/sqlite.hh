#pragma once
/// SQLite tables (GraphNeT's second storage form), read only.
///
/// Declared types decide: INT and BOOL are i64, CHAR, CLOB and TEXT are text, all others f64. NULL
/// is NaN or empty text; a NULL or fraction in an integer column, or text in a column of numbers,
/// is an error that names file, column and row.

#include "hodo/io/table.hh"

#include <memory>

namespace hodo::io {

std::vector<std::string> sqlite_tables(const base::Path& file);
TableSchema sqlite_schema(const base::Path& file, std::string_view table);
/// Reads `columns` (empty: all) of `table` ordered by `order_by` (or in row order when empty).
std::unique_ptr<TableReader> read_sqlite(const base::Path& file, std::string_view table,
                                         const std::vector<std::string>& columns,
                                         std::string_view order_by = {});

}  // namespace hodo::io
