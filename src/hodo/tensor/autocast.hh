#pragma once
/// Mixed precision: matrix products in bfloat16, everything delicate in float32.

#include "hodo/tensor/device.hh"

#include <array>
#include <string_view>

namespace hodo::tensor {

enum class Precision { float32, bf16 };
constexpr auto names(Precision) {
    return std::array<std::string_view, 2>{"float32", "bf16"};
}

/// While it lives, LibTorch casts the operators on its list to bfloat16 on the CPU and on CUDA
/// (nothing happens for float32). Scopes nest; the weight cache is cleared at the outermost end.
class Autocast {
  public:
    explicit Autocast(Precision precision);
    ~Autocast();
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;

  private:
    bool active_ = false;
    bool cpu_before_ = false, cuda_before_ = false;
};

}  // namespace hodo::tensor
