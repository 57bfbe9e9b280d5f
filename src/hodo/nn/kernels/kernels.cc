#include "hodo/nn/kernels/kernels.hh"

#include <vector>

#include "hodo/nn/kernels/variants.hh"

namespace hodo::nn {

namespace {

std::vector<const Kernels*> find_kernels() {
    std::vector<const Kernels*> found{&reference_kernels, &portable_kernels};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        found.push_back(&avx2_kernels);
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
        found.push_back(&avx512_kernels);
    }
#endif
    return found;
}

}  // namespace

std::span<const Kernels* const> available_kernels() {
    static const std::vector<const Kernels*> found = find_kernels();
    return found;
}

const Kernels& kernels() {
    return *available_kernels().back();
}

}  // namespace hodo::nn
