#pragma once
/// Copies from the CPU to a device that the program does not wait for.

#include "hodo/tensor/torch.hh"

namespace hodo::tensor {

/// Memory on the CPU for numbers that will be sent to `target`: for a CUDA device memory that it
/// can read by itself, while the program goes on.
inline at::TensorOptions staging(at::ScalarType type, at::Device target) {
    return at::TensorOptions().dtype(type).pinned_memory(target.is_cuda());
}

/// `x` on `target`; itself if it is there. From `staging` memory the copy is queued, in order with
/// later work on the device; `x` must not be written to again.
inline at::Tensor sent(const at::Tensor& x, at::Device target) {
    return x.to(target, x.scalar_type(), true);
}

}  // namespace hodo::tensor
