#include "hodo/nn/kernels/kernels.hh"

#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "hodo/nn/kernels/variants.hh"

namespace hodo::nn {

namespace {

/// Whether this process may use tile registers for bfloat16: the system gives them on request.
bool has_matrix_tiles() {
#if defined(__x86_64__) && defined(__linux__) && defined(SYS_arch_prctl)
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
    constexpr unsigned bfloat16_tiles = 1U << 22, tiles = 1U << 24;
    if ((d & bfloat16_tiles) == 0 || (d & tiles) == 0) return false;
    constexpr long request_permission = 0x1023, tile_data = 18;
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return false;
#endif
}

std::vector<const Kernels*> find_kernels() {
    std::vector<const Kernels*> found{&reference_kernels, &portable_kernels};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        found.push_back(&avx2_kernels);
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
        found.push_back(&avx512_kernels);
        if (has_matrix_tiles()) found.push_back(&amx_kernels);
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
