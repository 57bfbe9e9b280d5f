#pragma once
/// HDF5 files: datasets and attributes by path. Serial; use from one thread at a time.

#include "hodo/base/text.hh"
#include "hodo/io/array.hh"
#include "hodo/io/json.hh"
#include "hodo/io/table.hh"

#include <memory>

namespace hodo::io {

class Hdf5File {
  public:
    static Hdf5File open(const base::Path& file);
    /// Paths of all datasets ("group/name"), sorted.
    std::vector<std::string> datasets() const;
    bool has(std::string_view path) const;
    Array read(std::string_view path) const;
    /// Rows [first, first + count) of the leading dimension.
    Array read_rows(std::string_view path, std::int64_t first, std::int64_t count) const;
    /// A dataset of one dimension whose rows are lists of varying length (HDF5's vlen type).
    Column read_lists(std::string_view path) const;
    Column read_lists(std::string_view path, std::int64_t first, std::int64_t count) const;
    /// Extent of the first dimension, whatever the elements are; 1 for a single value.
    std::int64_t rows(std::string_view path) const;
    std::vector<std::string> read_text(std::string_view path) const;
    /// Shape and type without data.
    Array describe(std::string_view path) const;
    /// Attributes of a dataset or group ("/" is the file): numbers, text and lists of them.
    Json attributes(std::string_view path) const;

  private:
    struct Body;
    std::shared_ptr<Body> body_;
};

/// Writes one HDF5 file, atomically at `finish`.
class Hdf5Writer {
  public:
    explicit Hdf5Writer(const base::Path& file);
    ~Hdf5Writer();
    void write(std::string_view path, const Array& array);
    void write_text(std::string_view path, const std::vector<std::string>& values);
    /// A dataset that grows along its first dimension; appends rows of `array`.
    void append(std::string_view path, const Array& array);
    void attribute(std::string_view path, std::string_view name, const Json& value);
    void finish();

  private:
    struct Body;
    std::unique_ptr<Body> body_;
};

}  // namespace hodo::io
