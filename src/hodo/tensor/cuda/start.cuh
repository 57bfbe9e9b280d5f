#pragma once
// How kernels start, and what all of them may use.

#include <cuda_runtime.h>

#include <cstdint>

namespace hodo::tensor::cuda {

constexpr int warp = 32;

#if defined(__CUDACC__)

/// Dynamic shared memory of the block.
__device__ inline float* block_memory() {
    extern __shared__ float numbers[];
    return numbers;
}
/// A kernel as the runtime knows it.
template <class Task>
const void* handle(void (*kernel)(Task)) {
    return reinterpret_cast<const void*>(kernel);
}

#else  // run on the CPU by a test

inline float* block_memory() {
    return emulation::block_memory();
}
template <class Task>
auto handle(void (*kernel)(Task)) {
    return kernel;
}

#endif

/// Queues a kernel with `bytes` of dynamic shared memory; 0 or the code of an error.
template <class Task>
int start(void (*kernel)(Task), dim3 blocks, int threads, int bytes, Task task, void* stream) {
    if (blocks.x == 0 || blocks.y == 0) return 0;
    if (bytes > 0) {
        const auto code =
            cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
        if (code != cudaSuccess) return static_cast<int>(code);
    }
    void* arguments[] = {&task};
    return static_cast<int>(
        cudaLaunchKernel(handle(kernel), blocks, dim3(static_cast<unsigned>(threads)), arguments,
                         static_cast<std::size_t>(bytes), static_cast<cudaStream_t>(stream)));
}

/// As many parts of `size` as cover `count`.
inline unsigned parts(std::int64_t count, std::int64_t size) {
    return static_cast<unsigned>((count + size - 1) / size);
}

__device__ inline float warp_sum(float value) {
    for (int step = warp / 2; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffU, value, step);
    }
    return value;
}
__device__ inline float warp_maximum(float value) {
    for (int step = warp / 2; step > 0; step /= 2) {
        value = fmaxf(value, __shfl_xor_sync(0xffffffffU, value, step));
    }
    return value;
}

}  // namespace hodo::tensor::cuda
