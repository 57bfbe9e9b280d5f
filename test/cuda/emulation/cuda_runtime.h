#pragma once
/// As much of CUDA's runtime as our kernels use, for running them on the CPU in a test.
///
/// The threads of a block are fibers of one thread, so a block meets its barriers in a fixed order;
/// blocks run one after the other. Dynamic shared memory is filled with NaN before each block, so
/// that a number read before it is written shows. What this cannot show: races between barriers,
/// limits of a device, speed.

#include <math.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __forceinline__ inline

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
    dim3() = default;
    dim3(unsigned a, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};
struct uint4 {
    unsigned x, y, z, w;
};
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) {
    return {x, y, z, w};
}

enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost };
using cudaStream_t = void*;

namespace emulation {

inline dim3 grid_size, block_index, block_size, thread_index;

/// Where a thread waits for others.
enum class Barrier { block, warp };
void wait(Barrier barrier);
float* block_memory();
/// The number that a lane of this thread's warp gave with this call.
float exchange(float value, unsigned lane);
void run_blocks(dim3 blocks, dim3 threads, std::size_t bytes, const std::function<void()>& body);

}  // namespace emulation

#define gridDim (emulation::grid_size)
#define blockIdx (emulation::block_index)
#define blockDim (emulation::block_size)
#define threadIdx (emulation::thread_index)

inline void __syncthreads() {
    emulation::wait(emulation::Barrier::block);
}
inline float __shfl_sync(unsigned, float value, int lane) {
    return emulation::exchange(value, static_cast<unsigned>(lane));
}
inline float __shfl_xor_sync(unsigned, float value, int step) {
    return emulation::exchange(value, threadIdx.x % 32 ^ static_cast<unsigned>(step));
}
inline unsigned __umulhi(unsigned a, unsigned b) {
    return static_cast<unsigned>(std::uint64_t{a} * b >> 32);
}

template <class Kernel>
cudaError_t cudaFuncSetAttribute(Kernel*, cudaFuncAttribute, int) {
    return cudaSuccess;
}
template <class Task>
cudaError_t cudaLaunchKernel(void (*kernel)(Task), dim3 blocks, dim3 threads, void** arguments,
                             std::size_t bytes, cudaStream_t) {
    const Task task = *static_cast<Task*>(arguments[0]);
    emulation::run_blocks(blocks, threads, bytes, [&] { kernel(task); });
    return cudaSuccess;
}

inline const char* cudaGetErrorString(cudaError_t) {
    return "an error of the emulation";
}
inline cudaError_t cudaGetDeviceCount(int* count) {
    *count = 1;
    return cudaSuccess;
}
inline cudaError_t cudaMalloc(void** memory, std::size_t size) {
    *memory = ::operator new(size);
    return cudaSuccess;
}
inline cudaError_t cudaFree(void* memory) {
    ::operator delete(memory);
    return cudaSuccess;
}
inline cudaError_t cudaMemcpy(void* to, const void* from, std::size_t size, cudaMemcpyKind) {
    std::memcpy(to, from, size);
    return cudaSuccess;
}
inline cudaError_t cudaDeviceSynchronize() {
    return cudaSuccess;
}
