/// Times of om2vec's parts: binning, Parquet to tensors, encode, decode, a training step.
///
///     hodo_bench --benchmark_filter=encode --benchmark_repetitions=5
///
/// Events: $HODO_BENCH_EVENTS (a Prometheus Parquet file), else simulated ones. The network is the
/// published one (6400 bins, 64 latents) with random weights; `plain` is the same network through
/// LibTorch's operators in the same program.

#include "hodo/base/short_spin.hh"
#include "hodo/base/threads.hh"
#include "hodo/detector/optical/binning.hh"
#include "hodo/detector/optical/schema.hh"
#include "hodo/detector/optical/simulate.hh"
#include "hodo/tensor/device.hh"
#include "hodo/train/session.hh"
#include "hodo/workflow/om2vec/learn/inference.hh"
#include "hodo/workflow/om2vec/learn/model.hh"
#include "hodo/workflow/om2vec/learn/recipe.hh"

#include <benchmark/benchmark.h>
#include <algorithm>
#include <cstdlib>
#include <optional>

namespace hodo {
namespace {

std::optional<base::Path> event_file() {
    const char* name = std::getenv("HODO_BENCH_EVENTS");
    return name == nullptr ? std::nullopt : std::optional<base::Path>(name);
}

const optical::Events& events() {
    static const auto all = [] {
        if (const auto file = event_file()) return optical::read_all_events({*file});
        optical::SimulationOptions options;
        options.events = 20;
        return optical::EventSimulator(options).simulate(0, options.events);
    }();
    return all;
}

const optical::Binning published_binning{
    .bins = 6400, .window = 6400, .rule = optical::BinningRule::om2vec};

const optical::ModuleCounts& modules() {
    static const auto all =
        bin_photons(events(), published_binning, optical::ModuleOrder::ascending);
    return all;
}

om2vec::CountView some_modules(std::int64_t count) {
    return om2vec::view(modules()).part(0, std::min(count, modules().size()));
}

const om2vec::Model& model() {
    static const auto shared = [] {
        tensor::prepare_process();
        om2vec::Model fresh{om2vec::ModelOptions{}};
        fresh.initialise(1);
        return fresh;
    }();
    return shared;
}

const om2vec::Inference& inference() {
    static const om2vec::Inference packed(model());
    return packed;
}

void binning(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            bin_photons(events(), published_binning, optical::ModuleOrder::first_appearance));
    }
    state.SetItemsProcessed(state.iterations() * events().photons());
}

void parquet_to_counts(benchmark::State& state) {
    const auto file = event_file();
    if (!file) return state.SkipWithError("set HODO_BENCH_EVENTS to a Prometheus file");
    for (auto _ : state) {
        const auto read = optical::read_all_events({*file}, {.truth = optical::TruthReading::no});
        benchmark::DoNotOptimize(
            bin_photons(read, published_binning, optical::ModuleOrder::first_appearance));
    }
    state.SetItemsProcessed(state.iterations() * events().photons());
}

void encode(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    const auto counts = some_modules(64);
    std::vector<float> means(static_cast<std::size_t>(counts.size() * 64));
    for (auto _ : state) inference().encode(counts, means, {});
    state.SetItemsProcessed(state.iterations() * counts.size());
}

void encode_plain(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    tensor::prepare_process(tensor::OperatorThreads::all);
    const train::NoGradients no_gradients;
    const auto counts = some_modules(1);
    const auto batch = om2vec::make_batch(counts, 6400);
    for (auto _ : state) {
        auto pass = make_pass(model(), nn::Mode::evaluate);
        pass.engine = nn::Engine::plain;
        benchmark::DoNotOptimize(model().encode(batch, pass).mean);
    }
    state.SetItemsProcessed(state.iterations() * counts.size());
}

void decode(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    constexpr std::int64_t count = 32;
    const std::vector<float> z(count * 64, 0.25f);
    std::vector<float> logits(count * 6400);
    for (auto _ : state) inference().decode(z, logits);
    state.SetItemsProcessed(state.iterations() * count);
}

void decode_plain(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    tensor::prepare_process(tensor::OperatorThreads::all);
    const train::NoGradients no_gradients;
    const auto z = at::full({4, 64}, 0.25);
    for (auto _ : state) {
        auto pass = make_pass(model(), nn::Mode::evaluate);
        pass.engine = nn::Engine::plain;
        benchmark::DoNotOptimize(model().decode(z.to(at::kFloat), pass));
    }
    state.SetItemsProcessed(state.iterations() * 4);
}

/// Batch of 4 as in the published measurements, dropout on.
void training_step(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    tensor::prepare_process();
    om2vec::TrainOptions options;
    om2vec::VaeRecipe recipe(options, at::kCPU);
    const auto batch = om2vec::make_batch(some_modules(4), 6400);
    train::StepContext context{.dataset_size = 4, .batch_size = 4};
    for (auto _ : state) {
        recipe.train(batch, context);
        ++context.step;
    }
    state.SetItemsProcessed(state.iterations() * batch.modules);
}

BENCHMARK(binning)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(parquet_to_counts)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(encode)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(encode_plain)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(decode)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(decode_plain)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(training_step)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace hodo

BENCHMARK_MAIN();
