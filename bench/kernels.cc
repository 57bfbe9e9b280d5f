/// Times of the attention and feed-forward kernels, there and back, case by case of the tables that
/// the tests check.
///
///     hodo_bench --benchmark_filter=attend
///     hodo_bench --benchmark_filter=feed_forward

#include "nn/attention_cases.hh"
#include "nn/feed_forward_cases.hh"

#include <benchmark/benchmark.h>

#include <string>

namespace hodo::nn {
namespace {

enum class Way { there, back };

/// `back` is how often the way back does the operations of the way there.
void count_operations(benchmark::State& state, double operations, Way way, double back) {
    state.counters["GFLOP/s"] =
        benchmark::Counter(operations * (way == Way::there ? 1.0 : back) * 1e-9 *
                               static_cast<double>(state.iterations()),
                           benchmark::Counter::kIsRate);
}

void feed_forward_part(benchmark::State& state, const FeedForwardCase& what, const Kernels& kernels,
                       Way way) {
    FeedForwardData data(what);
    FeedForwardRun run(data, kernels);
    for (auto _ : state) way == Way::there ? run.run() : run.differentiate();
    // On the way back the hidden numbers are made anew, and four products as large follow.
    count_operations(state, data.operations(), way, 2.5);
}

void attention(benchmark::State& state, const AttentionCase& what, const Kernels& kernels,
               Way way) {
    AttentionData data(what);
    data.attend(kernels);
    for (auto _ : state) way == Way::there ? data.attend(kernels) : data.differentiate(kernels);
    // On the way back scores and products with values are made anew and three sums are added up:
    // 2.5 times the operations of the way there.
    count_operations(state, data.operations(), way, 2.5);
}

const bool are_registered = [] {
    const auto add = [](const auto& what, const auto& kernels, const std::string& kind, Way way,
                        auto body) {
        const auto name = kind + (way == Way::there ? "/" : "_gradient/") + std::string(what.name) +
                          "/" + std::string(kernels.name);
        benchmark::RegisterBenchmark(name.c_str(), body, what, kernels, way)
            ->Unit(benchmark::kMillisecond);
    };
    for (const auto* kernels : available_kernels().subspan(1)) {
        for (const auto way : {Way::there, Way::back}) {
            for (const auto& what : timed_attentions()) {
                add(what, *kernels, "attend", way, attention);
            }
            for (const auto& what : timed_feed_forwards()) {
                add(what, *kernels, "feed_forward", way, feed_forward_part);
            }
        }
    }
    return true;
}();

}  // namespace
}  // namespace hodo::nn
