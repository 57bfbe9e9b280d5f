#pragma once
/// Writes one Parquet file from rows that are made while it is written.
///
/// DuckDB pulls the rows through a table function, so nothing but the row group in progress is
/// held. Row groups end at 122,880 rows or 32 MB: readers hold one of them.

#include "hodo/io/detail/duckdb_session.hh"
#include "hodo/io/parquet.hh"

#include <string>
#include <vector>

namespace hodo::io::detail {

/// Rows for a file, asked for by one thread.
class RowSource {
  public:
    virtual ~RowSource() = default;
    virtual std::size_t columns() const = 0;
    virtual std::string name(std::size_t column) const = 0;
    virtual duckdb_logical_type type(std::size_t column) const = 0;
    /// Fills vectors of `chunk` and sets its size; size 0 ends the file. May throw.
    virtual void fill(duckdb_data_chunk chunk) = 0;
};

/// Writes all rows of `source` in their order to `output` (not atomically: see AtomicFile).
/// What `source` throws comes out; DuckDB's failures are `EngineError`.
void write_rows(RowSource& source, const base::Path& output, const ParquetWriteOptions& options);

}  // namespace hodo::io::detail
