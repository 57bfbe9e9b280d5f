#pragma once
// What the kernels share: stored numbers and dropout masks.

#include <cuda_bf16.h>

#include "hodo/nn/cuda/launch.hh"
#include "hodo/tensor/cuda/start.cuh"

namespace hodo::nn::cuda {

using tensor::cuda::block_memory;
using tensor::cuda::parts;
using tensor::cuda::start;
using tensor::cuda::warp;
using tensor::cuda::warp_maximum;
using tensor::cuda::warp_sum;

constexpr int largest_head = 128;

using Brain = __nv_bfloat16;

__device__ inline float to_float(float value) {
    return value;
}
__device__ inline float to_float(Brain value) {
    return __bfloat162float(value);
}
__device__ inline void from_float(float value, float& target) {
    target = value;
}
__device__ inline void from_float(float value, Brain& target) {
    target = __float2bfloat16_rn(value);
}

template <class Number>
__device__ inline float read(ConstRows rows, std::int64_t row, std::int64_t column) {
    return to_float(static_cast<const Number*>(rows.data)[row * rows.stride + column]);
}
template <class Number>
__device__ inline void write(float value, Rows rows, std::int64_t row, std::int64_t column) {
    from_float(value, static_cast<Number*>(rows.data)[row * rows.stride + column]);
}

__device__ inline float dot(const float* a, const float* b, int size) {
    float sum = 0.0F;
    for (int c = 0; c < size; ++c) sum = fmaf(a[c], b[c], sum);
    return sum;
}

/// Calls `run` with a number of the type in which a task's tensors are stored.
template <class Run>
int for_storage(Storage storage, const Run& run) {
    return storage == Storage::float32 ? run(float{}) : run(Brain{});
}

/// The eight 16-bit words of a mask's row for the columns 8 block ... 8 block + 7: Philox4x32-10.
/// Reference: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
__device__ inline uint4 random_block(const MaskStream& mask, std::uint32_t block,
                                     std::uint32_t row) {
    std::uint32_t key0 = mask.key[0], key1 = mask.key[1];
    uint4 c = make_uint4(block, mask.first_row + row, mask.place, mask.step);
    for (int round = 0; round < 10; ++round) {
        const std::uint32_t high0 = __umulhi(0xD2511F53U, c.x), low0 = 0xD2511F53U * c.x;
        const std::uint32_t high1 = __umulhi(0xCD9E8D57U, c.z), low1 = 0xCD9E8D57U * c.z;
        c = make_uint4(high1 ^ c.y ^ key0, low1, high0 ^ c.w ^ key1, low0);
        key0 += 0x9E3779B9U;
        key1 += 0xBB67AE85U;
    }
    return c;
}

/// The factor of an element: 0 or the mask's scale.
__device__ inline float mask_factor(const MaskStream& mask, std::uint32_t row,
                                    std::uint32_t column) {
    if (mask.threshold == 0) return 1.0F;
    const uint4 block = random_block(mask, column / 8, row);
    const std::uint32_t pairs[4] = {block.x, block.y, block.z, block.w};
    const std::uint32_t pair = pairs[column % 8 / 2];
    const std::uint32_t word = column % 2 == 0 ? pair & 0xffffU : pair >> 16;
    return word >= mask.threshold ? mask.scale : 0.0F;
}

}  // namespace hodo::nn::cuda
