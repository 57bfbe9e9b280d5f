#pragma once
/// Where the lines 1.13 and 2.x of LibTorch differ: for sources that include this, and nowhere
/// else.
///
/// Since 2.4 autocast is asked and switched by device type; since 2.1 attention as one operator may
/// be called from C++. Compiled and tested with 1.13 and 2.6; what else this project uses (tensors,
/// operators of ATen, custom autograd functions, process groups' collectives, `at::hasCUDA`,
/// `at::getNumGPUs`) has the same spelling in both.

#include <ATen/autocast_mode.h>

#include <cmath>

#include "hodo/tensor/torch.hh"

namespace hodo::tensor {

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
inline bool autocast_is_enabled(c10::DeviceType device) {
    return at::autocast::is_autocast_enabled(device);
}
inline void enable_autocast(c10::DeviceType device, bool on) {
    at::autocast::set_autocast_enabled(device, on);
}
inline void use_bfloat16(c10::DeviceType device) {
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
}
#else
inline bool autocast_is_enabled(c10::DeviceType device) {
    return device == c10::kCPU ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
}
inline void enable_autocast(c10::DeviceType device, bool on) {
    device == c10::kCPU ? at::autocast::set_cpu_enabled(on) : at::autocast::set_enabled(on);
}
inline void use_bfloat16(c10::DeviceType device) {
    device == c10::kCPU ? at::autocast::set_autocast_cpu_dtype(at::kBFloat16)
                        : at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
}
#endif

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 1)
constexpr bool library_has_attention = true;
/// softmax(q k^T / sqrt(D)) v for q [batch, heads, queries, D] and k, v [batch, heads, keys, D].
inline at::Tensor library_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return at::scaled_dot_product_attention(q, k, v);
}
#else
constexpr bool library_has_attention = false;
inline at::Tensor library_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    const auto scaled = q / std::sqrt(static_cast<double>(q.size(-1)));
    return at::matmul(at::softmax(at::matmul(scaled, k.transpose(-2, -1)), -1), v);
}
#endif

}  // namespace hodo::tensor
