#pragma once
/// metrics.csv: step,epoch,set,<scalars>, one row per record.
///
/// Columns appear in the order in which scalars are first reported; a scalar that comes up later
/// adds a column to the whole file. A scalar that a row does not have is an empty cell. Numbers are
/// the shortest that read back to the same value.

#include "hodo/base/text.hh"
#include "hodo/train/scalars.hh"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::train {

/// A file of lines that grows at its end and can be cut back to its first lines.
class LineFile {
  public:
    explicit LineFile(base::Path path);
    void append(std::string_view line);
    /// Keeps the first `lines` lines.
    void cut(std::int64_t lines);
    /// Replaces the content.
    void rewrite(const std::vector<std::string>& lines);
    /// To the disk: what was appended survives the machine.
    void synchronise();
    std::int64_t lines() const { return lines_; }
    const base::Path& path() const { return path_; }

  private:
    void open();
    base::Path path_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
    std::int64_t lines_ = 0;
};

class MetricsFile {
  public:
    /// Continues `path` if it exists. Call `cut` before appending to a file of an earlier session.
    explicit MetricsFile(const base::Path& path);
    void append(std::int64_t step, std::int64_t epoch, std::string_view set,
                const Scalars& scalars);
    /// Back to the first `rows` rows and these columns.
    void cut(std::int64_t rows, const std::vector<std::string>& columns);
    void synchronise() { file_.synchronise(); }
    std::int64_t rows() const;
    const std::vector<std::string>& columns() const { return columns_; }

  private:
    void set_columns(std::vector<std::string> columns, std::int64_t rows);
    std::string header() const;
    LineFile file_;
    std::vector<std::string> columns_;
};

/// The shortest decimal text that reads back to `value`.
std::string shortest(double value);

}  // namespace hodo::train
