#include "hodo/tensor/autocast.hh"

#include <ATen/autocast_mode.h>

#include "hodo/tensor/torch.hh"

namespace hodo::tensor {

namespace {

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
bool enabled(c10::DeviceType device) {
    return at::autocast::is_autocast_enabled(device);
}
void enable(c10::DeviceType device, bool on) {
    at::autocast::set_autocast_enabled(device, on);
}
void use_bfloat16(c10::DeviceType device) {
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
}
#else
bool enabled(c10::DeviceType device) {
    return device == c10::kCPU ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
}
void enable(c10::DeviceType device, bool on) {
    device == c10::kCPU ? at::autocast::set_cpu_enabled(on) : at::autocast::set_enabled(on);
}
void use_bfloat16(c10::DeviceType device) {
    device == c10::kCPU ? at::autocast::set_autocast_cpu_dtype(at::kBFloat16)
                        : at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
}
#endif

}  // namespace

Autocast::Autocast(Precision precision) : active_(precision == Precision::bf16) {
    if (!active_) return;
    cpu_before_ = enabled(c10::kCPU);
    cuda_before_ = enabled(c10::kCUDA);
    for (const auto device : {c10::kCPU, c10::kCUDA}) {
        use_bfloat16(device);
        enable(device, true);
    }
    at::autocast::increment_nesting();
}

Autocast::~Autocast() {
    if (!active_) return;
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    enable(c10::kCPU, cpu_before_);
    enable(c10::kCUDA, cuda_before_);
}

}  // namespace hodo::tensor
