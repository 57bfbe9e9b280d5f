#pragma once
/// Tables: named, typed, possibly nested columns, read and written in chunks of rows.
///
/// A column is named by its dotted path: field `t` of struct column `photons` is "photons.t".
/// Lists are offsets over flat values (structure of arrays): row r of a one-level list column
/// holds values [offsets[0][r], offsets[0][r+1]).

#include "hodo/base/text.hh"
#include "hodo/io/array.hh"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace hodo::io {

/// Types of leaf values. Smaller integers widen to i64, booleans stay.
enum class ColumnType { f64, f32, i64, i32, boolean, text };

/// Name and type of one leaf column.
struct ColumnSpec {
    std::string name;
    ColumnType type = ColumnType::f64;
    int list_levels = 0;  ///< 0 scalar, 1 list, 2 list of lists
};

using KeyValues = std::vector<std::pair<std::string, std::string>>;

/// What a table file holds.
struct TableSchema {
    std::vector<ColumnSpec> columns;
    KeyValues metadata;  ///< Key-value metadata of the file (Parquet).
    std::int64_t rows = 0;

    bool has(std::string_view column) const;
    /// Whether any column lies under struct `name`.
    bool has_struct(std::string_view name) const;
};

/// One leaf column of one chunk.
struct Column {
    ColumnSpec spec;
    /// One vector per list level, outermost first; each begins with 0 and is one longer than the
    /// number of lists at that level.
    std::vector<std::vector<std::int64_t>> offsets;
    std::variant<std::vector<double>, std::vector<float>, std::vector<std::int64_t>,
                 std::vector<std::int32_t>, std::vector<std::uint8_t>, std::vector<std::string>>
        values;

    std::int64_t rows() const;
    /// Values in place; an error that names the column when the type differs.
    const std::vector<double>& doubles() const;
    const std::vector<float>& floats() const;
    const std::vector<std::int64_t>& integers() const;
    const std::vector<std::string>& texts() const;
    /// Values converted from any numeric type; integers must be whole numbers.
    std::vector<double> to_doubles() const;
    std::vector<std::int64_t> to_integers() const;
};

/// Consecutive rows.
struct Chunk {
    std::int64_t first_row = 0;  ///< Row number in its file.
    std::int64_t rows = 0;
    std::vector<Column> columns;

    const Column& column(std::string_view name) const;
};

/// A one-pass reader of chunks.
class TableReader {
  public:
    virtual ~TableReader() = default;
    virtual std::optional<Chunk> next() = 0;
};

}  // namespace hodo::io
