#pragma once
/// Kernels for CUDA devices, in C++17 and without LibTorch.
///
/// Every function has the task of its CPU twin in nn/kernels/reference.hh; all pointers of the task
/// lie on the device. Work is queued on `stream` (a cudaStream_t; null is the default stream); the
/// result is 0 or the code of a CUDA error. Sums are made in a fixed order without atomic
/// additions: the same input gives the same bits.

#include "hodo/nn/kernels/tasks.hh"

namespace hodo::nn::cuda {

/// Most channels of the feed-forward kernels: their tiles fill the shared memory.
constexpr std::int64_t largest_channels = 128;

/// `longest` is the length of the longest sequence of queries (of queries or keys on the way back);
/// heads of at most 128.
int attend(const AttentionTask& task, std::int64_t longest, void* stream);
int attend_gradient(const AttentionGradient& gradient, std::int64_t longest, void* stream);

int feed_forward(const FeedForwardTask& task, void* stream);
int feed_forward_gradient(const FeedForwardTaskGradient& gradient, void* stream);

/// Writes 0 or the mask's scale for every element of a matrix [rows, columns].
int fill_mask(const MaskStream& mask, std::int64_t rows, std::int64_t columns, float* values,
              void* stream);

}  // namespace hodo::nn::cuda
