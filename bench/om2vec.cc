/// Figures of om2vec: binning, encode, decode, a training step, memory, a busy core.
///
/// Events: $HODO_BENCH_EVENTS (a Prometheus Parquet file), else simulated ones. The network is the
/// published one (6400 bins, 64 latents) with random weights; `plain` is the same network through
/// LibTorch's operators and random numbers, every formula as published, in the same program.

#include "busy_core.hh"
#include "hodo/base/random.hh"
#include "hodo/base/threads.hh"
#include "hodo/detector/optical/binning.hh"
#include "hodo/detector/optical/schema.hh"
#include "hodo/detector/optical/simulate.hh"
#include "hodo/tensor/allocator.hh"
#include "hodo/tensor/device.hh"
#include "hodo/train/session.hh"
#include "hodo/workflow/om2vec/learn/inference.hh"
#include "hodo/workflow/om2vec/learn/loss.hh"
#include "hodo/workflow/om2vec/learn/model.hh"
#include "hodo/workflow/om2vec/learn/recipe.hh"
#include "peak_memory.hh"
#include "table.hh"

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

/// Histograms that own their columns.
struct OwnCounts {
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> bins;
    std::vector<float> counts;

    om2vec::CountView view() const { return {offsets, bins, counts, {}}; }
};

/// Modules that have to be encoded one by one: more than one photon, all different.
const OwnCounts& rich_modules() {
    static const auto rich = [] {
        auto all = om2vec::view(modules());
        all.positions = {};
        const auto first = om2vec::first_equal_module(all);
        OwnCounts some;
        for (std::size_t m = 0; m < first.size() && some.offsets.size() <= 64; ++m) {
            const auto begin = all.offsets[m], end = all.offsets[m + 1];
            if (first[m] != static_cast<std::int64_t>(m) || end - begin < 2) continue;
            some.bins.insert(some.bins.end(), all.bins.begin() + begin, all.bins.begin() + end);
            some.counts.insert(some.counts.end(), all.counts.begin() + begin,
                               all.counts.begin() + end);
            some.offsets.push_back(std::ssize(some.bins));
        }
        return some;
    }();
    return rich;
}

void encode(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    const auto counts = rich_modules().view();
    std::vector<float> means(static_cast<std::size_t>(counts.size() * 64));
    for (auto _ : state) inference().encode(counts, means, {});
    state.SetItemsProcessed(state.iterations() * counts.size());
}

/// Modules with one photon whose bins have all been met before.
void encode_one_photon(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    OwnCounts single;
    for (std::int32_t i = 0; i < 100'000; ++i) {
        single.bins.push_back(i * 37 % 256 * 25);
        single.counts.push_back(1.0F);
        single.offsets.push_back(std::ssize(single.bins));
    }
    std::vector<float> means(single.bins.size() * 64);
    inference().encode(single.view(), means, {});
    for (auto _ : state) inference().encode(single.view(), means, {});
    state.SetItemsProcessed(state.iterations() * std::ssize(single.bins));
}

void encode_plain(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    tensor::prepare_process(tensor::OperatorThreads::all);
    const train::NoGradients no_gradients;
    const auto counts = some_modules(1);
    const auto batch = om2vec::make_batch(counts, 6400);
    for (auto _ : state) {
        auto pass = make_pass(model(), nn::Mode::evaluate);
        pass.engine = nn::Engine::as_written;
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
        pass.engine = nn::Engine::as_written;
        benchmark::DoNotOptimize(model().decode(z.to(at::kFloat), pass));
    }
    state.SetItemsProcessed(state.iterations() * 4);
}

/// Training with dropout, through the recipe or by plain operators.
class Training {
  public:
    explicit Training(std::int64_t modules)
        : recipe_({}, at::kCPU), batch_(om2vec::make_batch(some_modules(modules), 6400)) {
        context_ = {.dataset_size = modules, .batch_size = modules};
    }
    std::int64_t modules() const { return batch_.modules; }
    void step() {
        recipe_.train(batch_, context_);
        ++context_.step;
    }
    void plain_step() {
        auto pass = make_pass(recipe_.model(), nn::Mode::train);
        pass.engine = nn::Engine::as_written;
        pass.key = base::stream_key(1, "dropout");
        pass.step = static_cast<std::uint32_t>(context_.step);
        const auto eps = om2vec::latent_noise(1, context_.step, 0, batch_.modules, 64, at::kFloat);
        const auto output = recipe_.model().forward(batch_, eps, pass);
        const auto loss = om2vec::loss(output, batch_, 1e-5, om2vec::KlReduction::mean);
        recipe_.learner().update(loss.total, context_);
        ++context_.step;
    }

  private:
    om2vec::VaeRecipe recipe_;
    om2vec::Batch batch_;
    train::StepContext context_;
};

void training_step(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    tensor::prepare_process();
    tensor::set_freed_memory(tensor::FreedMemory::kept);
    Training training(4);
    for (auto _ : state) training.step();
    state.SetItemsProcessed(state.iterations() * training.modules());
}

void training_step_plain(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    tensor::prepare_process(tensor::OperatorThreads::all);
    tensor::set_freed_memory(tensor::FreedMemory::kept);
    Training training(4);
    for (auto _ : state) training.plain_step();
    state.SetItemsProcessed(state.iterations() * training.modules());
}

void encode_beside_a_busy_core(benchmark::State& state) {
    const bench::BusyCore busy;
    encode(state);
}

void training_step_beside_a_busy_core(benchmark::State& state) {
    const bench::BusyCore busy;
    training_step(state);
}

/// Megabytes that each further module of a batch adds to the peak, between two sizes of a batch.
template <class Step>
void memory_per_module(benchmark::State& state, std::int64_t few, std::int64_t many, Step step) {
    base::set_threads(1);
    tensor::prepare_process();
    tensor::set_freed_memory(tensor::FreedMemory::returned);
    const auto peak = [&](std::int64_t modules) {
        Training training(modules);
        step(training);  // makes the optimizer's numbers
        bench::forget_peak_memory();
        step(training);
        return bench::peak_memory();
    };
    double grown = 0;
    for (auto _ : state) grown = peak(many) - peak(few);
    state.counters["megabytes"] = std::max(0.01, grown / 1e6 / static_cast<double>(many - few));
}

void memory(benchmark::State& state) {
    memory_per_module(state, 4, 16, [](Training& training) { training.step(); });
}

void memory_plain(benchmark::State& state) {
    memory_per_module(state, 1, 3, [](Training& training) { training.plain_step(); });
}

/// One step of a large batch: peak of the whole process.
void large_batch(benchmark::State& state) {
    base::set_threads(2);
    tensor::prepare_process();
    tensor::set_freed_memory(tensor::FreedMemory::kept);
    Training training(state.range(0));
    bench::forget_peak_memory();
    for (auto _ : state) training.step();
    state.counters["megabytes"] = bench::peak_memory() / 1e6;
}

void add(const char* name, void (*body)(benchmark::State&),
         const std::vector<std::int64_t>& sizes) {
    auto* added = benchmark::RegisterBenchmark(name, body)->Unit(benchmark::kMillisecond);
    for (const auto size : sizes) added->Arg(size);
    added->UseRealTime();
}

[[maybe_unused]] const bool registered = [] {
    add("om2vec/binning", binning, {1});
    add("om2vec/parquet_to_counts", parquet_to_counts, {1});
    add("om2vec/encode", encode, {1, 2});
    add("om2vec/encode_one_photon", encode_one_photon, {1});
    add("om2vec/encode_plain", encode_plain, {1, 2});
    add("om2vec/decode", decode, {1, 2});
    add("om2vec/decode_plain", decode_plain, {1, 2});
    add("om2vec/training_step", training_step, {1, 2});
    add("om2vec/training_step_plain", training_step_plain, {1, 2});
    add("om2vec/encode_busy", encode_beside_a_busy_core, {1, 2});
    add("om2vec/training_step_busy", training_step_beside_a_busy_core, {1, 2});
    const auto once = [](const char* name, void (*body)(benchmark::State&), std::int64_t size) {
        benchmark::RegisterBenchmark(name, body)->Arg(size)->Iterations(1)->Repetitions(1);
    };
    once("om2vec/memory", memory, 1);
    once("om2vec/memory_plain", memory_plain, 1);
    once("om2vec/large_batch", large_batch, 64);
    once("om2vec_large/large_batch", large_batch, 1024);
    return bench::add_rows("om2vec_large",
                           {{.what = "training step, batch of 1024: peak of the process",
                             .benchmark = "om2vec_large/large_batch/1024",
                             .unit = "MB",
                             .figure = "megabytes"}});
}();

/// A quantity on one and on two threads beside the plain computation on one thread.
std::vector<bench::Row> pair_of_rows(const std::string& what, const std::string& name,
                                     const std::string& plain) {
    const auto benchmark = "om2vec/" + name;
    return {{.what = what + ", 1 thread",
             .benchmark = benchmark + "/1",
             .unit = "modules/s",
             .plain = plain.empty() ? "" : "om2vec/" + plain + "/1"},
            {.what = what + ", 2 threads",
             .benchmark = benchmark + "/2",
             .unit = "modules/s",
             .plain = plain.empty() ? "" : "om2vec/" + plain + "/1",
             .single = benchmark + "/1"}};
}

[[maybe_unused]] const bool rows_added = [] {
    bench::add_rows("om2vec", {{.what = "binning, events in memory, 1 thread",
                                .benchmark = "om2vec/binning/1",
                                .unit = "photons/s"},
                               {.what = "Parquet file to histograms, 1 thread",
                                .benchmark = "om2vec/parquet_to_counts/1",
                                .unit = "photons/s"}});
    bench::add_rows("om2vec", pair_of_rows("encode", "encode", "encode_plain"));
    bench::add_rows("om2vec", {{.what = "encode modules with one photon, from the table, 1 thread",
                                .benchmark = "om2vec/encode_one_photon/1",
                                .unit = "modules/s",
                                .plain = "om2vec/encode_plain/1"}});
    bench::add_rows("om2vec", pair_of_rows("decode", "decode", "decode_plain"));
    bench::add_rows("om2vec",
                    pair_of_rows("training step", "training_step", "training_step_plain"));
    bench::add_rows("om2vec", pair_of_rows("encode beside a busy core", "encode_busy", ""));
    bench::add_rows("om2vec",
                    pair_of_rows("training step beside a busy core", "training_step_busy", ""));
    bench::add_rows("om2vec", pair_of_rows("plain encode", "encode_plain", ""));
    bench::add_rows("om2vec", pair_of_rows("plain training step", "training_step_plain", ""));
    return bench::add_rows("om2vec", {{.what = "training memory for each module of a batch",
                                       .benchmark = "om2vec/memory/1",
                                       .unit = "MB",
                                       .plain = "om2vec/memory_plain/1",
                                       .smaller_is_better = true,
                                       .figure = "megabytes"},
                                      {.what = "training step, batch of 64: peak of the process",
                                       .benchmark = "om2vec/large_batch/64",
                                       .unit = "MB",
                                       .figure = "megabytes"}});
}();

}  // namespace
}  // namespace hodo
