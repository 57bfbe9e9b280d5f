/// Times of the attention kernels, there and back, case by case of the table that the tests check.
///
///     hodo_bench --benchmark_filter=attend

#include "nn/attention_cases.hh"

#include <benchmark/benchmark.h>

#include <string>

namespace hodo::nn {
namespace {

enum class Way { there, back };

void attention(benchmark::State& state, const AttentionCase& what, const Kernels& kernels,
               Way way) {
    AttentionData data(what);
    data.attend(kernels);
    for (auto _ : state) way == Way::there ? data.attend(kernels) : data.differentiate(kernels);
    // On the way back scores and products with values are made anew and three sums are added up:
    // 2.5 times the operations of the way there.
    const double operations = data.operations() * (way == Way::there ? 1.0 : 2.5);
    state.counters["GFLOP/s"] = benchmark::Counter(
        operations * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

const bool are_registered = [] {
    for (const auto* kernels : available_kernels().subspan(1)) {
        for (const auto& what : timed_attentions()) {
            for (const auto way : {Way::there, Way::back}) {
                const auto name = std::string(way == Way::there ? "attend/" : "attend_gradient/") +
                                  std::string(what.name) + "/" + std::string(kernels->name);
                benchmark::RegisterBenchmark(name.c_str(), attention, what, *kernels, way)
                    ->Unit(benchmark::kMillisecond);
            }
        }
    }
    return true;
}();

}  // namespace
}  // namespace hodo::nn
