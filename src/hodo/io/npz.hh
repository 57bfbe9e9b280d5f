#pragma once
/// NumPy files: .npy (one array) and .npz (a ZIP archive of them, stored or deflated).
///
/// Layout of npy: magic "\x93NUMPY", major and minor version byte, header length (uint16 in
/// version 1, uint32 in 2 and 3), a Python literal {'descr': '<f4', 'fortran_order': False,
/// 'shape': (3, 4), } padded with spaces to a multiple of 64 and ended by a newline, then the data.
/// Read: versions 1-3, either byte order, C and Fortran order (delivered row-major), dtypes of
/// io/array.hh, and fixed-length text ('S', 'U') by `read_npz_text`. Never read: object arrays
/// (they hold pickles); the error says so. Sizes are checked against the file, and those of packed
/// arrays against the memory that is free, before allocation.

#include "hodo/base/text.hh"
#include "hodo/io/array.hh"

#include <cstdint>
#include <limits>

namespace hodo::io {

inline constexpr std::uint64_t any_size = std::numeric_limits<std::uint64_t>::max();

Array read_npy(const base::Path& file);
/// All arrays of an archive in its order, without the ".npy" of their names.
NamedArrays read_npz(const base::Path& file);
/// Names only.
std::vector<std::string> npz_names(const base::Path& file);
/// One array; an error, without unpacking it, when it takes more than `limit` bytes.
Array read_npz(const base::Path& file, std::string_view name, std::uint64_t limit = any_size);
/// An array of fixed-length text of an archive.
std::vector<std::string> read_npz_text(const base::Path& file, std::string_view name);

/// Parses npy bytes in memory; `origin` stands in messages. For fuzzing and archives.
Array parse_npy(std::span<const std::byte> bytes, std::string_view origin);

/// The same for the bytes of an archive; the arrays own their data.
NamedArrays parse_npz(std::span<const std::byte> bytes, std::string_view origin);

void write_npy(const base::Path& file, const Array& array);
enum class Compression { none, deflate };
void write_npz(const base::Path& file, const NamedArrays& arrays,
               Compression compression = Compression::deflate);

}  // namespace hodo::io
