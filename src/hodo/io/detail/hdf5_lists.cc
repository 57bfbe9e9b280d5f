#include "hodo/io/detail/hdf5_lists.hh"

#include "hodo/base/error.hh"

#include <algorithm>
#include <cstring>

namespace hodo::io::detail {

namespace {

/// The column type that lists of a stored type become.
ColumnType list_type(DType type, std::string_view origin) {
    switch (type) {
        case DType::f64:
            return ColumnType::f64;
        case DType::f16:
        case DType::bf16:
        case DType::f32:
            return ColumnType::f32;
        case DType::c64:
        case DType::c128:
            base::fail("{}: holds lists of complex numbers", origin);
        default:
            return ColumnType::i64;
    }
}

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Appends lists as they are stored, then has the library turn all into numbers of type T.
template <class T>
void fill(Column& column, hid_t element, hid_t memory, const std::vector<HeapReference>& lists,
          std::string_view origin, const GlobalHeap& heap) {
    const std::size_t stored = H5Tget_size(element);
    std::vector<std::byte> bytes;
    std::size_t count = 0;
    for (const auto& reference : lists) {
        const auto list = heap.list(reference, stored, origin);
        bytes.insert(bytes.end(), list.begin(), list.end());
        count += reference.length;
        column.offsets[0].push_back(static_cast<std::int64_t>(count));
    }
    bytes.resize(count * std::max(stored, sizeof(T)));
    HODO_CHECK(H5Tconvert(element, memory, count, bytes.data(), nullptr, H5P_DEFAULT) >= 0,
               "{}: its numbers cannot be converted", origin);
    auto& values = column.values.emplace<std::vector<T>>(count);
    if (count > 0) std::memcpy(values.data(), bytes.data(), count * sizeof(T));
}

}  // namespace

std::vector<std::string> hdf5_texts(hid_t stored, std::size_t count, std::string_view origin,
                                    const GlobalHeap& heap, const Hdf5Read& read) {
    HODO_CHECK(H5Tget_class(stored) == H5T_STRING, "{}: holds no text", origin);
    std::vector<std::string> texts;
    if (count == 0) return texts;
    if (H5Tis_variable_str(stored) > 0) {
        for (const auto& reference : heap_references(count, origin, read)) {
            const auto text = text_of(heap.list(reference, 1, origin));
            texts.emplace_back(text.substr(0, text.find('\0')));
        }
        return texts;
    }
    const std::size_t size = H5Tget_size(stored);
    std::string block(count * size, '\0');
    HODO_CHECK(read(stored, block.data()) >= 0, "{}: its text cannot be read", origin);
    const bool padded_with_spaces = H5Tget_strpad(stored) == H5T_STR_SPACEPAD;
    for (std::size_t i = 0; i < count; ++i) {
        std::string text = block.substr(i * size, size);
        text.resize(std::min(text.find('\0'), text.size()));
        if (padded_with_spaces) text.resize(text.find_last_not_of(' ') + 1);
        texts.push_back(std::move(text));
    }
    return texts;
}

Column hdf5_lists(hid_t stored, std::size_t count, const std::string& name, std::string_view origin,
                  const GlobalHeap& heap, const Hdf5Read& read) {
    HODO_CHECK(H5Tget_class(stored) == H5T_VLEN, "{}: holds no lists of varying length", origin);
    const Hdf5Type element(H5Tget_super(stored));
    const ColumnType type = list_type(hdf5_to_dtype(element.get(), origin), origin);
    Column column{{name, type, 1}, {{0}}, {}};
    const auto lists = heap_references(count, origin, read);
    switch (type) {
        case ColumnType::f64:
            fill<double>(column, element.get(), H5T_NATIVE_DOUBLE, lists, origin, heap);
            break;
        case ColumnType::f32:
            fill<float>(column, element.get(), H5T_NATIVE_FLOAT, lists, origin, heap);
            break;
        default:
            fill<std::int64_t>(column, element.get(), H5T_NATIVE_INT64, lists, origin, heap);
    }
    return column;
}

}  // namespace hodo::io::detail
