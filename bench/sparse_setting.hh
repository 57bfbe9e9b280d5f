#pragma once
/// What measurements of sparse layers and of sparse networks share.

#include "hodo/base/random.hh"
#include "hodo/base/threads.hh"
#include "hodo/tensor/device.hh"
#include "simulated_voxels.hh"

#include <benchmark/benchmark.h>

namespace hodo::bench {

/// Kernels share so many threads; LibTorch's operators run on one, as in the program.
inline void use_threads(std::int64_t threads) {
    base::set_threads(static_cast<int>(threads));
    tensor::prepare_process();
}

inline void count_voxels(benchmark::State& state, std::int64_t voxels) {
    state.counters["voxels"] = static_cast<double>(voxels);
    state.counters["voxels/s"] = benchmark::Counter(
        static_cast<double>(voxels * static_cast<std::int64_t>(state.iterations())),
        benchmark::Counter::kIsRate);
}

inline std::vector<float> random_numbers(std::int64_t count) {
    base::Random random(1, "numbers");
    std::vector<float> values(static_cast<std::size_t>(count));
    for (auto& value : values) value = static_cast<float>(random.normal());
    return values;
}

}  // namespace hodo::bench
