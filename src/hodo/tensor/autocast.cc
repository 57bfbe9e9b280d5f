#include "hodo/tensor/autocast.hh"

#include "hodo/tensor/compatibility.hh"

namespace hodo::tensor {

Autocast::Autocast(Precision precision) : active_(precision == Precision::bf16) {
    if (!active_) return;
    cpu_before_ = autocast_is_enabled(c10::kCPU);
    cuda_before_ = autocast_is_enabled(c10::kCUDA);
    for (const auto device : {c10::kCPU, c10::kCUDA}) {
        use_bfloat16(device);
        enable_autocast(device, true);
    }
    at::autocast::increment_nesting();
}

Autocast::~Autocast() {
    if (!active_) return;
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    enable_autocast(c10::kCPU, cpu_before_);
    enable_autocast(c10::kCUDA, cuda_before_);
}

}  // namespace hodo::tensor
