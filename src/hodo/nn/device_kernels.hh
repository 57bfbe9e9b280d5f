#pragma once
/// The kernels of a CUDA device, for builds that have them.
///
/// All pointers of a task lie on the device. Work is queued on LibTorch's current stream.

#include "hodo/nn/kernels/tasks.hh"

namespace hodo::nn {

struct DeviceKernels {
    /// `longest` is the length of the longest sequence of queries.
    void (*attend)(const AttentionTask& task, std::int64_t longest);
    /// `longest` is the length of the longest sequence of queries or keys.
    void (*attend_gradient)(const AttentionGradient& gradient, std::int64_t longest);
    void (*feed_forward)(const FeedForwardTask& task);
    void (*feed_forward_gradient)(const FeedForwardTaskGradient& gradient);
    /// Writes 0 or the mask's scale for every element of a matrix [rows, columns].
    void (*fill_mask)(const MaskStream& mask, std::int64_t rows, std::int64_t columns,
                      float* values);
    /// Most channels that `feed_forward` handles.
    std::int64_t largest_channels;
};

/// Null in builds without CUDA: then tensors on a device go through LibTorch's operators.
const DeviceKernels* device_kernels();

}  // namespace hodo::nn
