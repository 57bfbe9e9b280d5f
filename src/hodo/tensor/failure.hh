#pragma once
/// Exceptions of LibTorch end at the seam: their first line is kept, ours is put in front.

#include <string_view>

namespace hodo::tensor {

/// To be called inside `catch (...)`: rethrows our own exceptions unchanged; those of LibTorch
/// become a base::Error "doing: first line" (lack of memory is the machine's fault and exits
/// with 1; anything else is a bug of Hodoscope and exits with 3).
[[noreturn]] void rethrow(std::string_view doing);

/// Runs `work`; see `rethrow`.
template <class Work>
auto guarded(std::string_view doing, Work&& work) -> decltype(work()) {
    try {
        return work();
    } catch (...) {
        rethrow(doing);
    }
}

}  // namespace hodo::tensor
