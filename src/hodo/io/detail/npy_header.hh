#pragma once
/// The header of a .npy file: element type, order and shape (layout in io/npz.hh).

#include "hodo/io/array.hh"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::io::detail {

/// What one element is.
struct NpyElement {
    enum class Kind { number, bytes_text, unicode_text };
    Kind kind = Kind::number;
    DType dtype = DType::f64;   ///< Numbers only.
    std::size_t size = 8;       ///< Bytes of one element.
    std::size_t swap_unit = 1;  ///< Bytes to be reversed together; 1 when already little-endian.
};

struct NpyHeader {
    NpyElement element;
    bool fortran_order = false;
    std::vector<std::int64_t> shape;
    std::size_t data = 0;  ///< Where the data begins.

    std::int64_t size() const;
};

/// Reads and checks the header: the data of `shape` must lie inside `bytes`, or the error says so.
NpyHeader parse_npy_header(std::span<const std::byte> bytes, std::string_view origin);
/// The same where `front` is only the beginning of `total` bytes.
NpyHeader parse_npy_header(std::span<const std::byte> front, std::uint64_t total,
                           std::string_view origin);

/// The header of a row-major array; data may follow at once.
std::string npy_header(DType dtype, const std::vector<std::int64_t>& shape);

}  // namespace hodo::io::detail
