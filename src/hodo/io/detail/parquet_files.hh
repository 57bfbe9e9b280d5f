#pragma once
/// Parquet files as DuckDB's SQL names them, and what its errors about them mean.

#include "hodo/io/detail/duckdb_session.hh"
#include "hodo/io/table.hh"

#include <span>
#include <string>

namespace hodo::io::detail {

enum class RowNumbers { none, add };

/// An error when `file` is absent, a folder, unreadable, or does not begin and end like Parquet.
void check_parquet(const base::Path& file);

/// The table expression that reads `files` one after the other; columns are united by name. With
/// `RowNumbers::add` there is a further column file_row_number.
std::string parquet_table(std::span<const base::Path> files, RowNumbers numbers);

/// Throws the error that `error` means for somebody reading `file`.
[[noreturn]] void fail_reading(const base::Path& file, const EngineError& error);

/// Rows of a file by its footer.
std::int64_t parquet_rows(Session& session, const base::Path& file);
/// Bytes of its columns once unpacked, by its footer.
std::int64_t parquet_bytes(Session& session, const base::Path& file);
/// Key-value metadata of its footer.
KeyValues parquet_metadata(Session& session, const base::Path& file);

}  // namespace hodo::io::detail
