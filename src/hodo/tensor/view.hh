#pragma once
/// The seam: columns and arrays become tensors and come back, without a copy where types match.
///
/// `view` and `from_array` share memory; `copy` and `to_array(tensor)` of a tensor that is not on
/// the CPU or not contiguous do not. Element types: those of io/array.hh that LibTorch knows
/// (all but u64, u32 and u16, which are errors that say so).

#include "hodo/io/array.hh"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace at {
class Tensor;
}

namespace hodo::tensor {

using Shape = std::vector<std::int64_t>;

/// A tensor that shares the array's bytes and keeps its owner alive. Read only: the bytes may be
/// a mapped file, so writing to the tensor is a mistake of the caller.
at::Tensor from_array(const io::Array& array);
/// An array that shares the memory of a contiguous CPU tensor, else owns a contiguous copy.
io::Array to_array(const at::Tensor& tensor);

namespace detail {
at::Tensor view_bytes(const void* data, std::size_t count, io::DType type, const Shape& shape);
at::Tensor copy_bytes(const void* data, std::size_t count, io::DType type, const Shape& shape);
const void* checked_data(const at::Tensor& tensor, io::DType type);
std::size_t element_count(const at::Tensor& tensor);
}  // namespace detail

/// An at::Tensor over `values`, which must outlive it. `shape` must have as many elements.
template <class T>
auto view(std::span<T> values, const Shape& shape) {
    return detail::view_bytes(values.data(), values.size(), io::dtype_of<std::remove_const_t<T>>(),
                              shape);
}
/// An at::Tensor with its own copy of `values`.
template <class T>
auto copy(std::span<const T> values, const Shape& shape) {
    return detail::copy_bytes(values.data(), values.size(), io::dtype_of<std::remove_const_t<T>>(),
                              shape);
}

/// The elements of a contiguous CPU tensor of exactly type `T`, in place; a broken contract is a
/// `Defect` that names both types.
template <class T>
std::span<const T> values(const at::Tensor& tensor) {
    return {static_cast<const T*>(detail::checked_data(tensor, io::dtype_of<T>())),
            detail::element_count(tensor)};
}
template <class T>
std::span<T> mutable_values(at::Tensor& tensor) {
    const auto* data = detail::checked_data(tensor, io::dtype_of<T>());
    return {const_cast<T*>(static_cast<const T*>(data)), detail::element_count(tensor)};
}

}  // namespace hodo::tensor
