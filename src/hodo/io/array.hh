#pragma once
/// Arrays as files hold them: element type, shape, bytes. Row-major, contiguous, little-endian.
///
/// The common currency of npy, npz, HDF5, PyTorch and safetensors files. The bytes may be owned
/// memory or a mapped file; `owner` keeps either alive.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hodo::io {

enum class DType : std::uint8_t {
    f64,
    f32,
    f16,
    bf16,
    i64,
    i32,
    i16,
    i8,
    u64,
    u32,
    u16,
    u8,
    boolean,
    c64,
    c128
};

std::size_t item_size(DType type);
/// "float32", "int64", "bfloat16", "bool", "complex64", ...
std::string_view name(DType type);

template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<double>() {
    return DType::f64;
}
template <>
constexpr DType dtype_of<float>() {
    return DType::f32;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
    return DType::i64;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
    return DType::i32;
}
template <>
constexpr DType dtype_of<std::int16_t>() {
    return DType::i16;
}
template <>
constexpr DType dtype_of<std::int8_t>() {
    return DType::i8;
}
template <>
constexpr DType dtype_of<std::uint64_t>() {
    return DType::u64;
}
template <>
constexpr DType dtype_of<std::uint32_t>() {
    return DType::u32;
}
template <>
constexpr DType dtype_of<std::uint16_t>() {
    return DType::u16;
}
template <>
constexpr DType dtype_of<std::uint8_t>() {
    return DType::u8;
}
template <>
constexpr DType dtype_of<bool>() {
    return DType::boolean;
}

struct Array {
    DType dtype = DType::f64;
    std::vector<std::int64_t> shape;  ///< Empty for a scalar.
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;

    /// Number of elements.
    std::int64_t size() const;

    /// The elements in place; an error that names both types when `T` is not the stored type.
    template <class T>
    std::span<const T> as() const {
        require(dtype_of<T>());
        return {reinterpret_cast<const T*>(bytes.data()), static_cast<std::size_t>(size())};
    }
    /// The elements converted (any numeric or bool type, f16 and bf16 included).
    std::vector<double> doubles() const;
    std::vector<float> floats() const;
    std::vector<std::int64_t> integers() const;

  private:
    void require(DType wanted) const;
};

/// An array that owns a copy of `values`.
template <class T>
Array make_array(std::span<const T> values, std::vector<std::int64_t> shape) {
    auto copy = std::make_shared<std::vector<std::byte>>(values.size_bytes());
    if (!values.empty()) {
        std::copy_n(reinterpret_cast<const std::byte*>(values.data()), values.size_bytes(),
                    copy->data());
    }
    Array array{dtype_of<T>(), std::move(shape), std::span<const std::byte>(*copy), copy};
    return array;
}
template <class T>
Array make_array(const std::vector<T>& values) {
    return make_array(std::span<const T>(values), {static_cast<std::int64_t>(values.size())});
}

/// A named array; files keep the order.
struct NamedArray {
    std::string name;
    Array array;
};
using NamedArrays = std::vector<NamedArray>;

/// The array called `name`; an error that names the nearest known name and `origin` (a file).
const Array& find(const NamedArrays& arrays, std::string_view name, std::string_view origin);

}  // namespace hodo::io
