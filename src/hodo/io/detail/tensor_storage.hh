#pragma once
/// From the storages of a PyTorch file to row-major arrays.

#include "hodo/io/pickle.hh"

#include <functional>

namespace hodo::io {

enum class ByteOrder { little, big };

/// Where the tensors of a file find their bytes.
struct StorageSource {
    /// The bytes of a storage, exactly as many as its elements need.
    std::function<Blob(const PickleStorage&)> find;
    ByteOrder order = ByteOrder::little;
    std::string origin;
};

/// The tensor row-major: in place when its storage holds it so and aligned, else copied. Expanded
/// (zero-stride) tensors may not become more than 16 times their storage, or 256 MB if that is
/// more.
Array load_tensor(const PickleTensor& tensor, const StorageSource& source);

/// The same for bytes that are contiguous and little-endian already.
Array aligned_array(DType dtype, std::vector<std::int64_t> shape, const Blob& content);

}  // namespace hodo::io
