#include "hodo/tensor/cuda/memory.hh"

#include "hodo/tensor/cuda/start.cuh"

namespace hodo::tensor::cuda {

const char* error_text(int code) {
    return cudaGetErrorString(static_cast<cudaError_t>(code));
}

int devices() {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

void* allocate(std::int64_t bytes) {
    void* memory = nullptr;
    const auto size = static_cast<std::size_t>(bytes > 0 ? bytes : 1);
    return cudaMalloc(&memory, size) == cudaSuccess ? memory : nullptr;
}

int release(void* memory) {
    return static_cast<int>(cudaFree(memory));
}

int copy_to_device(void* to, const void* from, std::int64_t bytes) {
    return static_cast<int>(
        cudaMemcpy(to, from, static_cast<std::size_t>(bytes), cudaMemcpyHostToDevice));
}

int copy_to_host(void* to, const void* from, std::int64_t bytes) {
    const auto code = cudaDeviceSynchronize();
    if (code != cudaSuccess) return static_cast<int>(code);
    return static_cast<int>(
        cudaMemcpy(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost));
}

}  // namespace hodo::tensor::cuda
