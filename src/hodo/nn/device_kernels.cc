#include "hodo/nn/device_kernels.hh"

#if defined(HODO_WITH_CUDA)
#include <c10/cuda/CUDAStream.h>

#include "hodo/base/error.hh"
#include "hodo/nn/cuda/launch.hh"
#include "hodo/tensor/cuda/memory.hh"
#endif

namespace hodo::nn {

#if defined(HODO_WITH_CUDA)

namespace {

void* current_stream() {
    return c10::cuda::getCurrentCUDAStream().stream();
}

void check(int code) {
    if (code == 0) return;
    base::fail(
        "a CUDA kernel could not be started: {} (the device may be too old for this build, or out "
        "of memory); use --device cpu, or build for this device with CMAKE_CUDA_ARCHITECTURES",
        tensor::cuda::error_text(code));
}

constexpr DeviceKernels launchers{
    [](const AttentionTask& task, std::int64_t longest) {
        check(cuda::attend(task, longest, current_stream()));
    },
    [](const AttentionGradient& gradient, std::int64_t longest) {
        check(cuda::attend_gradient(gradient, longest, current_stream()));
    },
    [](const FeedForwardTask& task) { check(cuda::feed_forward(task, current_stream())); },
    [](const FeedForwardTaskGradient& gradient) {
        check(cuda::feed_forward_gradient(gradient, current_stream()));
    },
    [](const MaskStream& mask, std::int64_t rows, std::int64_t columns, float* values) {
        check(cuda::fill_mask(mask, rows, columns, values, current_stream()));
    },
    cuda::largest_channels};

}  // namespace

const DeviceKernels* device_kernels() {
    return &launchers;
}

#else

const DeviceKernels* device_kernels() {
    return nullptr;
}

#endif

}  // namespace hodo::nn
