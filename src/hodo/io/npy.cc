#include <algorithm>

#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/detail/npy_header.hh"
#include "hodo/io/mapped_file.hh"
#include "hodo/io/npz.hh"

namespace hodo::io {

namespace {

using detail::NpyElement;
using detail::NpyHeader;

/// Copies `source` with the bytes of each unit of `unit` bytes reversed.
void copy_swapped(std::span<const std::byte> source, std::size_t unit, std::byte* target) {
    for (std::size_t i = 0; i + unit <= source.size(); i += unit) {
        std::reverse_copy(source.begin() + static_cast<std::ptrdiff_t>(i),
                          source.begin() + static_cast<std::ptrdiff_t>(i + unit), target + i);
    }
}

/// Copies elements stored with the first index fastest into row-major order.
void copy_transposed(const std::byte* source, const NpyHeader& header, std::byte* target) {
    const std::size_t dimensions = header.shape.size();
    const std::size_t size = header.element.size;
    std::vector<std::size_t> strides(dimensions);
    std::size_t stride = size;
    for (std::size_t d = 0; d < dimensions; ++d) {
        strides[d] = stride;
        stride *= static_cast<std::size_t>(header.shape[d]);
    }
    std::vector<std::int64_t> index(dimensions, 0);
    std::size_t place = 0;
    for (std::int64_t i = 0, count = header.size(); i < count; ++i) {
        std::copy_n(source + place, size, target + static_cast<std::size_t>(i) * size);
        for (std::size_t d = dimensions; d-- > 0;) {
            place += strides[d];
            if (++index[d] < header.shape[d]) break;
            place -= strides[d] * static_cast<std::size_t>(header.shape[d]);
            index[d] = 0;
        }
    }
}

/// An array that owns a row-major, little-endian copy of the data.
Array copy_data(std::span<const std::byte> bytes, const NpyHeader& header) {
    const NpyElement& element = header.element;
    const std::size_t length = static_cast<std::size_t>(header.size()) * element.size;
    const auto data = bytes.subspan(header.data, length);
    auto copy = std::make_shared<std::vector<std::byte>>(data.begin(), data.end());
    if (element.swap_unit > 1) copy_swapped(data, element.swap_unit, copy->data());
    if (header.fortran_order && header.shape.size() > 1) {
        const std::vector<std::byte> columns = *copy;
        copy_transposed(columns.data(), header, copy->data());
    }
    if (element.dtype == DType::boolean) {
        for (std::byte& value : *copy) value = static_cast<std::byte>(value != std::byte{0});
    }
    return {element.dtype, header.shape, std::span<const std::byte>(*copy), copy};
}

}  // namespace

Array parse_npy(std::span<const std::byte> bytes, std::string_view origin) {
    const NpyHeader header = detail::parse_npy_header(bytes, origin);
    HODO_CHECK(header.element.kind == NpyElement::Kind::number,
               "{}: holds text where numbers are needed", origin);
    return copy_data(bytes, header);
}

Array read_npy(const base::Path& file) {
    return parse_npy(map_file(file).bytes, file.string());
}

void write_npy(const base::Path& file, const Array& array) {
    AtomicFile output(file);
    output.write(detail::npy_header(array.dtype, array.shape));
    output.write(array.bytes);
    output.commit();
}

}  // namespace hodo::io
