#include "hodo/tensor/view.hh"

#include <array>
#include <functional>
#include <numeric>

#include "hodo/base/error.hh"
#include "hodo/tensor/torch.hh"

namespace hodo::tensor {

namespace {

struct TypePair {
    io::DType ours;
    at::ScalarType theirs;
};

constexpr std::array<TypePair, 12> type_pairs{{{io::DType::f64, at::kDouble},
                                               {io::DType::f32, at::kFloat},
                                               {io::DType::f16, at::kHalf},
                                               {io::DType::bf16, at::kBFloat16},
                                               {io::DType::i64, at::kLong},
                                               {io::DType::i32, at::kInt},
                                               {io::DType::i16, at::kShort},
                                               {io::DType::i8, at::kChar},
                                               {io::DType::u8, at::kByte},
                                               {io::DType::boolean, at::kBool},
                                               {io::DType::c64, at::kComplexFloat},
                                               {io::DType::c128, at::kComplexDouble}}};

at::ScalarType torch_type(io::DType type) {
    for (const auto& pair : type_pairs) {
        if (pair.ours == type) return pair.theirs;
    }
    base::fail(
        "arrays of type {} cannot become tensors (LibTorch has no such type); convert them "
        "to int64 first",
        io::name(type));
}

io::DType array_type(at::ScalarType type) {
    for (const auto& pair : type_pairs) {
        if (pair.theirs == type) return pair.ours;
    }
    base::fail(
        "a tensor of type {} cannot become an array (files have no such type); convert it "
        "to float32 first",
        c10::toString(type));
}

std::int64_t elements(const Shape& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace

at::Tensor from_array(const io::Array& array) {
    HODO_DOOR(array.bytes.size() ==
              static_cast<std::size_t>(elements(array.shape)) * io::item_size(array.dtype));
    const auto options = at::TensorOptions().dtype(torch_type(array.dtype));
    if (array.bytes.empty()) return at::empty(array.shape, options);
    auto* data = const_cast<std::byte*>(array.bytes.data());
    const auto aligned = reinterpret_cast<std::uintptr_t>(data) % io::item_size(array.dtype) == 0;
    auto shared = at::from_blob(
        data, array.shape, [owner = array.owner](void*) {}, options);
    return aligned ? shared : shared.clone();
}

io::Array to_array(const at::Tensor& tensor) {
    auto owner = std::make_shared<at::Tensor>(tensor.detach().cpu().contiguous());
    io::Array array;
    array.dtype = array_type(owner->scalar_type());
    array.shape = owner->sizes().vec();
    array.bytes = {static_cast<const std::byte*>(owner->data_ptr()),
                   static_cast<std::size_t>(owner->nbytes())};
    array.owner = std::move(owner);
    return array;
}

namespace detail {

at::Tensor view_bytes(const void* data, std::size_t count, io::DType type, const Shape& shape) {
    HODO_DOOR(static_cast<std::int64_t>(count) == elements(shape));
    const auto options = at::TensorOptions().dtype(torch_type(type));
    if (count == 0) return at::empty(shape, options);
    return at::from_blob(const_cast<void*>(data), shape, options);
}

at::Tensor copy_bytes(const void* data, std::size_t count, io::DType type, const Shape& shape) {
    return view_bytes(data, count, type, shape).clone();
}

const void* checked_data(const at::Tensor& tensor, io::DType type) {
    HODO_DOOR(tensor.defined());
    HODO_DOOR(tensor.device().is_cpu());
    HODO_DOOR(tensor.is_contiguous());
    if (tensor.scalar_type() != torch_type(type)) {
        throw base::Defect(base::format("a tensor of {} was read as {}",
                                        c10::toString(tensor.scalar_type()), io::name(type)));
    }
    return tensor.data_ptr();
}

std::size_t element_count(const at::Tensor& tensor) {
    return static_cast<std::size_t>(tensor.numel());
}

}  // namespace detail

}  // namespace hodo::tensor
