#pragma once
/// SQLite tables (GraphNeT's second storage form), read only.

#include "hodo/io/table.hh"

#include <memory>

namespace hodo::io {

std::vector<std::string> sqlite_tables(const base::Path& file);
TableSchema sqlite_schema(const base::Path& file, std::string_view table);
/// Reads `columns` of `table` ordered by `order_by` (or in row order when empty).
std::unique_ptr<TableReader> read_sqlite(const base::Path& file, std::string_view table,
                                         const std::vector<std::string>& columns,
                                         std::string_view order_by = {});

}  // namespace hodo::io
