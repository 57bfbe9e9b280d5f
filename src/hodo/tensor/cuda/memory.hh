#pragma once
/// CUDA devices for programs without LibTorch: how many there are, and memory on one of them.

#include <cstdint>

namespace hodo::tensor::cuda {

/// What an error code means.
const char* error_text(int code);

/// Number of CUDA devices, 0 without a driver.
int devices();

/// Memory on the device; null or an error code when it fails.
void* allocate(std::int64_t bytes);
int release(void* memory);
int copy_to_device(void* to, const void* from, std::int64_t bytes);
int copy_to_host(void* to, const void* from, std::int64_t bytes);  ///< Waits for all work.

}  // namespace hodo::tensor::cuda
