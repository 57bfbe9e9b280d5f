#include "hodo/sparse/kernels/kernels.hh"

#include <atomic>
#include <vector>

#include "hodo/sparse/kernels/variants.hh"

namespace hodo::sparse {

namespace {

std::vector<const Kernels*> find_kernels() {
    std::vector<const Kernels*> found{&portable_kernels};
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

std::atomic<const Kernels*>& chosen() {
    static std::atomic<const Kernels*> variant{available_kernels().back()};
    return variant;
}

}  // namespace

std::span<const Kernels* const> available_kernels() {
    static const std::vector<const Kernels*> found = find_kernels();
    return found;
}

const Kernels& kernels() {
    return *chosen().load();
}

void choose_kernels(const Kernels& variant) {
    chosen() = &variant;
}

}  // namespace hodo::sparse
