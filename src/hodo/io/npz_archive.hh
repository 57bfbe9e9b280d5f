#pragma once
/// Archives of arrays read and written one member at a time, for arrays that are large or many, and
/// the object arrays that numpy keeps as pickles.
///
/// An object array here is a list of numeric arrays of differing sizes: an npy member of type '|O'
/// whose data is a pickle of ndarrays. It is interpreted, never executed (io/pickle.hh), and
/// written so that `numpy.load(..., allow_pickle=True)` takes it.
///
/// These are arrays of events, which readers copy into rows: one of more than 4 GiB, or of more
/// than a third of the memory that is free, is refused before it is unpacked.

#include "hodo/base/text.hh"
#include "hodo/io/array.hh"
#include "hodo/io/zip.hh"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hodo::io {

/// A Python value in an object array: None, an integer, a float, text, an array of float64 or
/// int64, or a tuple of values.
struct ObjectValue {
    ObjectValue();
    ObjectValue(std::int64_t number);
    ObjectValue(double number);
    ObjectValue(std::string text);
    ObjectValue(Array array);
    ObjectValue(std::vector<ObjectValue> tuple);

    std::variant<std::monostate, std::int64_t, double, std::string, Array, std::vector<ObjectValue>>
        value;
};

/// An archive open for reading.
class NpzArchive {
  public:
    static constexpr std::uint64_t largest_array = std::uint64_t{4} << 30;
    static NpzArchive open(const base::Path& file);
    /// Reads an archive in memory; `origin` stands in messages.
    static NpzArchive parse(Blob content, std::string_view origin);

    /// In the archive's order, without the ".npy" of the members.
    std::vector<std::string> names() const;
    bool has(std::string_view name) const;
    /// An array of real numbers; shares the unpacked bytes where their order allows it.
    Array read(std::string_view name, std::uint64_t limit = largest_array) const;
    /// The arrays of an object array of one dimension. A member that is not one is an error.
    std::vector<Array> read_objects(std::string_view name,
                                    std::uint64_t limit = largest_array) const;
    const std::string& origin() const { return archive_.origin(); }

  private:
    explicit NpzArchive(ZipReader archive) : archive_(std::move(archive)) {}
    const ZipMember& member(std::string_view name) const;
    ZipReader archive_;
};

/// An archive being written, deflated.
class NpzWriter {
  public:
    explicit NpzWriter(const base::Path& file) : archive_(file) {}
    void add(std::string_view name, const Array& array);
    /// An object array of float64 or int64 arrays.
    void add_objects(std::string_view name, const std::vector<Array>& arrays);
    /// An object array of the shape with these values, in rows.
    void add_values(std::string_view name, std::span<const ObjectValue> values,
                    std::span<const std::int64_t> shape);
    /// Completes the file and gives it its name.
    void commit() { archive_.commit(); }

  private:
    ZipWriter archive_;
};

}  // namespace hodo::io
