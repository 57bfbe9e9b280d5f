#pragma once
/// The sparse kernels of a CUDA device, for builds that have them.

#include "hodo/sparse/cuda/launch.hh"

namespace hodo::sparse {

/// The launchers of cuda/launch.hh for one type of numbers.
template <class T>
struct DeviceKernels {
    int (*product)(const cuda::Product<T>&, void*);
    int (*weight_gradient)(const cuda::WeightGradient<T>&, void*);
    int (*depthwise)(const cuda::Depthwise<T>&, void*);
    int (*depthwise_weight_gradient)(const cuda::DepthwiseWeightGradient<T>&, void*);
    int (*sum_rows)(const cuda::RowSums<T>&, void*);
    int (*largest_rows)(const cuda::LargestRows<T>&, void*);
    int (*largest_gradient)(const cuda::LargestGradient<T>&, void*);
};

struct DeviceTable {
    DeviceKernels<float> floats;
    DeviceKernels<double> doubles;
    void* (*stream)();               ///< The stream on which LibTorch works now.
    const char* (*error_text)(int);  ///< What an error code means.
    bool reads_host_memory = false;  ///< Kernels that run on the CPU, for tests.
};

/// Null in builds without CUDA.
const DeviceTable* device_kernels();

/// Makes all later calls use another table; null: the build's own. For tests.
void choose_device_kernels(const DeviceTable* table);

}  // namespace hodo::sparse
