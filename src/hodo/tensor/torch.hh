#pragma once
/// The one door to LibTorch's headers: narrow, warning-free, and the same for 1.13 and 2.x.
///
/// Headers include this (ATen's tensor type and nothing of torch::nn); sources add the
/// `<ATen/ops/*.h>` they use through it as well. `torch/torch.h` is never included.

#include <ATen/ATen.h>
#include <torch/version.h>

#include "hodo/tensor/device.hh"

namespace hodo::tensor {

/// LibTorch's name of a device.
inline c10::Device torch_device(const Device& device) {
    if (device.kind == Device::Kind::cpu) return c10::Device(c10::kCPU);
    return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(device.index));
}

}  // namespace hodo::tensor
