#pragma once
/// Parquet files, through DuckDB's C interface.
///
/// DuckDB (library `libduckdb.so`, 65 MB) is opened the first time a Parquet function is called,
/// so programs that never touch Parquet do not pay for it; if it is missing the error names the
/// build option and exit code 3. Extensions are never fetched. Memory for reading is bounded by a
/// row group of at most 2048 rows with their lists of the selected columns. Files written here have
/// row groups of at most about 32 MB, so they are read and written in little memory however long
/// their lists are; foreign files may not be so kind.
///
/// Columns: structs are opened into dotted names ("photons.t"), lists are counted (a struct below a
/// list gives list columns), 8 and 16 bit and unsigned integers are widened to i64, decimals are
/// f64, dates and other types are text. Maps, unions and lists of more than two levels are left
/// out.
///
/// NULL handling on reading: a null struct or list is an empty list; a null floating-point value
/// is NaN; a null text is empty; a null integer or boolean is an error that names file, column
/// and row.

#include "hodo/io/table.hh"

#include <functional>
#include <memory>

namespace hodo::io {

/// Column names, types, rows and key-value metadata of one file, without reading its data.
TableSchema parquet_schema(const base::Path& file);

struct ParquetQuery {
    /// Dotted paths; selected fields only are decoded. Empty: all columns. "file_row_number" is
    /// the number of each row in its file (unless the file has a column of that name).
    std::vector<std::string> columns;
    std::string where;     ///< SQL condition over columns, or empty.
    std::string order_by;  ///< Column, or empty for file order.
    int threads = 1;
};

/// Reads one file in file order, chunk by chunk.
std::unique_ptr<TableReader> read_parquet(const base::Path& file, const ParquetQuery& query);

struct ParquetWriteOptions {
    KeyValues metadata;
    std::string compression = "zstd";  ///< zstd, snappy, gzip or uncompressed
};

/// Writes one Parquet file. Columns with a common dotted prefix become fields of one struct.
/// The file appears under its name only when `finish` returns (temporary name and rename). Rows are
/// compressed and written by a thread of the writer while more are appended; a failure there comes
/// out of the next call.
class ParquetWriter {
  public:
    ParquetWriter(const base::Path& file, std::vector<ColumnSpec> columns,
                  ParquetWriteOptions options = {});
    ~ParquetWriter();
    ParquetWriter(ParquetWriter&&) noexcept;
    ParquetWriter& operator=(ParquetWriter&&) noexcept;

    /// Appends rows; the chunk's columns must be those of the constructor, in any order.
    void append(const Chunk& chunk);
    std::int64_t rows() const;
    /// Bytes of all values appended, uncompressed; shards are cut by it.
    std::int64_t bytes() const;
    void finish();

  private:
    class Body;
    std::unique_ptr<Body> body_;
};

/// Writes `name-00000.parquet`, `name-00001.parquet`, ...: a new shard begins after 2048 rows or
/// 256 MB, so that readers stay within memory.
class ShardWriter {
  public:
    ShardWriter(const base::Path& directory, std::string stem, std::vector<ColumnSpec> columns,
                ParquetWriteOptions options = {}, std::int64_t max_rows = 2048,
                std::int64_t max_bytes = 256'000'000);
    ~ShardWriter();
    void append(const Chunk& chunk);
    /// Finishes the last shard and returns all files in order.
    std::vector<base::Path> finish();

  private:
    class Body;
    std::unique_ptr<Body> body_;
};

/// A row of an input file that goes into an output file.
struct RowReference {
    std::int64_t file = 0;  ///< Index into the list of input files.
    std::int64_t row = 0;
};

/// Copies rows of `inputs` with all their columns unchanged (nested types, order of columns) into
/// `output` in the order of `rows`, and adds `added` (whose rows correspond to `rows`) behind
/// them. Key-value metadata of the first input is kept (except "ARROW:schema", which describes the
/// old columns); `options.metadata` is added to it. An added column replaces an input column of the
/// same name; an added field of a struct of the input joins it. `rows` must be ascending by
/// (file, row). Inputs may differ in columns: absent ones become NULL. Memory is bounded by a row
/// group of the inputs.
void copy_parquet_rows(const std::vector<base::Path>& inputs, std::span<const RowReference> rows,
                       const std::vector<Column>& added, const base::Path& output,
                       ParquetWriteOptions options = {});

/// Whether this build found DuckDB, and its version ("v1.4.4"), for `hodo doctor`.
std::optional<std::string> duckdb_version();

}  // namespace hodo::io
