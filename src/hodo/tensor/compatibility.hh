#pragma once
/// Where the lines 1.13 and 2.x of LibTorch differ: for sources that include this, and nowhere
/// else.
///
/// Read off the headers of both lines: since 2.4 autocast is asked and switched by device type.
/// What else this project uses (tensors, operators of ATen, custom autograd functions, process
/// groups' collectives, `at::hasCUDA`, `at::getNumGPUs`) has the same spelling in both.

#include <ATen/autocast_mode.h>

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

}  // namespace hodo::tensor
