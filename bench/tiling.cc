/// Times of the LArTPC's geometry and tiling; needs no LibTorch.
///
///     hodo_bench_tiling --benchmark_repetitions=5
///
/// The event is a simulated beam particle under cosmic muons, read out by a whole face through
/// 6000 ticks. `memory_MB` is the largest memory that the program has used so far; the event itself
/// is made before.

#include "hodo/detector/lartpc/tiling.hh"
#include "hodo/base/threads.hh"
#include "hodo/detector/lartpc/overlap.hh"
#include "hodo/detector/lartpc/simulate.hh"

#include <benchmark/benchmark.h>
#include <sys/resource.h>

namespace hodo::lartpc {
namespace {

constexpr int tpc = 1;

const WireSignals& signals() {
    static const WireSignals samples = [] {
        const EventSimulator simulator(SimulationOptions{});
        return simulator.read_out(simulator.simulate(0), 0, tpc).signals;
    }();
    return samples;
}

double memory() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1e3;
}

void overlaps_of_one_face(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    const PixelGrid grid(protodune_sp(), 0);
    for (auto _ : state) benchmark::DoNotOptimize(overlap_table(grid).shares.front().data());
    state.counters["memory_MB"] = memory();
}

void tile_event(benchmark::State& state, Downsampling factors) {
    base::set_threads(static_cast<int>(state.range(0)));
    const auto& samples = signals();
    const auto& detector = protodune_sp();
    const Tiler tiler{PixelGrid(detector, detector.tpc(tpc).face)};
    std::int64_t voxels = 0;
    for (auto _ : state) voxels = tiler.tile(samples, factors).size();
    state.counters["memory_MB"] = memory();
    state.counters["samples"] = static_cast<double>(samples.size());
    state.counters["voxels"] = static_cast<double>(voxels);
    const auto pixels = static_cast<double>(tiler.tile(samples, {1, 1, 1}).size());
    state.counters["pixels"] = pixels;
    state.counters["pixels/s"] =
        benchmark::Counter(pixels, benchmark::Counter::kIsIterationInvariantRate);
}

void tile_to_voxels(benchmark::State& state) {
    tile_event(state, {});
}

void tile_to_pixels(benchmark::State& state) {
    tile_event(state, {1, 1, 1});
}

void simulate_event(benchmark::State& state) {
    base::set_threads(1);
    const EventSimulator simulator(SimulationOptions{});
    std::int64_t event = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            simulator.read_out(simulator.simulate(event), event, tpc).signals.size());
        ++event;
    }
}

BENCHMARK(overlaps_of_one_face)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(tile_to_voxels)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(tile_to_pixels)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(simulate_event)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace hodo::lartpc

BENCHMARK_MAIN();
