#include "hodo/io/detail/tensor_storage.hh"

#include <algorithm>
#include <cstring>

#include "hodo/base/error.hh"

namespace hodo::io {

namespace {

constexpr std::uint64_t free_copy = std::uint64_t{256} << 20;
constexpr std::uint64_t most_expansion = 16;

std::uint64_t element_count(const std::vector<std::int64_t>& shape) {
    std::uint64_t count = 1;
    for (const auto size : shape) count *= static_cast<std::uint64_t>(size);
    return count;
}

bool is_contiguous(const PickleTensor& tensor) {
    std::int64_t expected = 1;
    for (std::size_t i = tensor.shape.size(); i-- > 0;) {
        if (tensor.shape[i] != 1 && tensor.strides[i] != expected) return false;
        expected *= tensor.shape[i];
    }
    return true;
}

/// Copies the elements of a strided view one row (last dimension) after the other.
template <std::size_t Size>
void gather(const PickleTensor& tensor, const std::byte* source, std::byte* target) {
    const auto rank = tensor.shape.size();
    const auto row = rank == 0 ? 1 : tensor.shape.back();
    const auto step = rank == 0 ? 0 : tensor.strides.back() * static_cast<std::int64_t>(Size);
    std::vector<std::int64_t> place(rank, 0);
    std::int64_t start = 0;
    while (true) {
        const auto* from = source + start * static_cast<std::int64_t>(Size);
        for (std::int64_t i = 0; i < row; ++i, from += step, target += Size) {
            std::memcpy(target, from, Size);
        }
        std::size_t axis = rank < 2 ? 0 : rank - 1;
        for (; axis > 0; --axis) {
            const auto i = axis - 1;
            start += tensor.strides[i];
            if (++place[i] < tensor.shape[i]) break;
            start -= tensor.strides[i] * tensor.shape[i];
            place[i] = 0;
        }
        if (axis == 0) return;
    }
}

void gather(const PickleTensor& tensor, const std::byte* source, std::byte* target) {
    switch (item_size(tensor.storage.dtype)) {
        case 1:
            return gather<1>(tensor, source, target);
        case 2:
            return gather<2>(tensor, source, target);
        case 4:
            return gather<4>(tensor, source, target);
        case 8:
            return gather<8>(tensor, source, target);
        default:
            return gather<16>(tensor, source, target);
    }
}

/// Reverses the bytes of each number (of both parts of a complex one).
void swap_bytes(DType dtype, std::span<std::byte> bytes) {
    const bool is_complex = dtype == DType::c64 || dtype == DType::c128;
    const auto size = item_size(dtype) / (is_complex ? 2 : 1);
    for (std::size_t i = 0; i + size <= bytes.size(); i += size) {
        std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                     bytes.begin() + static_cast<std::ptrdiff_t>(i + size));
    }
}

bool is_aligned(const std::byte* address, DType dtype) {
    return reinterpret_cast<std::uintptr_t>(address) % std::min<std::size_t>(item_size(dtype), 8) ==
           0;
}

}  // namespace

Array load_tensor(const PickleTensor& tensor, const StorageSource& source) {
    const auto dtype = tensor.storage.dtype;
    const auto count = element_count(tensor.shape);
    if (count == 0) return {dtype, tensor.shape, {}, nullptr};
    const auto storage = source.find(tensor.storage);
    const auto bytes = count * item_size(dtype);
    const auto first = (tensor.storage.view + tensor.offset) * item_size(dtype);
    if (is_contiguous(tensor) && source.order == ByteOrder::little) {
        return aligned_array(dtype, tensor.shape, storage.slice(first, bytes, source.origin));
    }
    HODO_CHECK(bytes <= std::max<std::uint64_t>(free_copy, most_expansion * storage.bytes.size()),
               "{}: an expanded tensor of {} bytes from a storage of {} (refused for the memory it "
               "takes); save a contiguous copy of it",
               source.origin, bytes, storage.bytes.size());
    const auto [blob, content] = make_blob(static_cast<std::size_t>(bytes));
    gather(tensor, storage.bytes.data() + first, content.data());
    if (source.order == ByteOrder::big) swap_bytes(dtype, content);
    return aligned_array(dtype, tensor.shape, blob);
}

Array aligned_array(DType dtype, std::vector<std::int64_t> shape, const Blob& content) {
    if (dtype != DType::boolean && is_aligned(content.bytes.data(), dtype)) {
        return {dtype, std::move(shape), content.bytes, content.owner};
    }
    const auto [blob, copy] = make_blob(content.bytes.size());
    std::copy(content.bytes.begin(), content.bytes.end(), copy.begin());
    if (dtype == DType::boolean) {  // any byte but 0 is true; a C++ bool knows only 0 and 1
        for (auto& byte : copy) byte = byte == std::byte{0} ? byte : std::byte{1};
    }
    return {dtype, std::move(shape), blob.bytes, blob.owner};
}

}  // namespace hodo::io
