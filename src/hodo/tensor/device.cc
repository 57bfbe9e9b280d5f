#include "hodo/tensor/device.hh"

#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/tensor/torch.hh"

#include <ATen/Parallel.h>
#include <ATen/Version.h>

namespace hodo::tensor {

std::string Device::text() const {
    return kind == Kind::cpu ? "cpu" : base::format("cuda:{}", index);
}

int cuda_devices() {
    return static_cast<int>(at::getNumGPUs());
}

Device parse_device(std::string_view text) {
    if (text == "cpu") return {};
    const auto is_cuda = text == "cuda" || text.starts_with("cuda:");
    const auto index = text.starts_with("cuda:") ? base::parse_int(text.substr(5)) : 0;
    if (!is_cuda || !index || *index < 0) {
        base::fail("unknown device '{}'; known are cpu, cuda and cuda:N with N = 0, 1, ...", text);
    }
    HODO_CHECK(at::hasCUDA(),
               "device '{}' was asked for, but this LibTorch has no CUDA; use --device cpu, or "
               "build with a CUDA LibTorch",
               text);
    const int count = cuda_devices();
    HODO_CHECK(count > 0,
               "device '{}' was asked for, but no CUDA device is visible (driver missing, or "
               "hidden by CUDA_VISIBLE_DEVICES); use --device cpu",
               text);
    HODO_CHECK(*index < count, "device '{}' does not exist; this machine has cuda:0 to cuda:{}",
               text, count - 1);
    return {Device::Kind::cuda, static_cast<int>(*index)};
}

void prepare_process(OperatorThreads threads) {
    static std::once_flag once;
    std::call_once(once, [] {
        const bool wide =
            __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
            __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0;
        if (wide) setenv("ATEN_CPU_CAPABILITY", "avx512", 0);
    });
    at::set_num_threads(threads == OperatorThreads::all ? base::threads() : 1);
}

std::string vector_level() {
    const auto config = at::show_config();
    if (config.find("CPU capability usage: AVX512") != std::string::npos) return "avx512";
    if (config.find("CPU capability usage: AVX2") != std::string::npos) return "avx2";
    return "default";
}

void seed_generators(std::uint64_t seed) {
    at::manual_seed(seed);
}

int measured_threads() {
    std::set<std::thread::id> seen;
    std::mutex lock;
    at::parallel_for(0, 64, 1, [&](std::int64_t, std::int64_t) {
        const std::lock_guard guard(lock);
        seen.insert(std::this_thread::get_id());
    });
    return static_cast<int>(seen.size());
}

}  // namespace hodo::tensor
