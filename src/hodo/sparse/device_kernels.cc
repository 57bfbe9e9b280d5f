#include "hodo/sparse/device_kernels.hh"

#if defined(HODO_WITH_CUDA)
#include <c10/cuda/CUDAStream.h>

#include "hodo/tensor/cuda/memory.hh"
#endif

namespace hodo::sparse {

namespace {

const DeviceTable* chosen = nullptr;

#if defined(HODO_WITH_CUDA)

template <class T>
constexpr DeviceKernels<T> launchers{
    cuda::product,  cuda::weight_gradient, cuda::depthwise,       cuda::depthwise_weight_gradient,
    cuda::sum_rows, cuda::largest_rows,    cuda::largest_gradient};

constexpr DeviceTable own{
    launchers<float>, launchers<double>,
    [] { return static_cast<void*>(c10::cuda::getCurrentCUDAStream().stream()); },
    tensor::cuda::error_text};
constexpr const DeviceTable* built_in = &own;

#else

constexpr const DeviceTable* built_in = nullptr;

#endif

}  // namespace

const DeviceTable* device_kernels() {
    return chosen != nullptr ? chosen : built_in;
}

void choose_device_kernels(const DeviceTable* table) {
    chosen = table;
}

}  // namespace hodo::sparse
