/// Times of the LArTPC's geometry and tiling; needs no LibTorch.
///
///     hodo_bench_tiling tiling
///
/// The event is that of whole_event.hh. Memory is the peak of a process that does nothing else, the
/// event and the program included.

#include "hodo/detector/lartpc/tiling.hh"
#include "hodo/base/threads.hh"
#include "hodo/detector/lartpc/overlap.hh"
#include "peak_memory.hh"
#include "program.hh"
#include "table.hh"
#include "whole_event.hh"

#include <benchmark/benchmark.h>

namespace hodo::lartpc {
namespace {

Tiler make_tiler() {
    const auto& detector = protodune_sp();
    return Tiler{PixelGrid(detector, detector.tpc(bench::event_tpc).face)};
}

void overlaps_of_one_face(benchmark::State& state) {
    base::set_threads(static_cast<int>(state.range(0)));
    const PixelGrid grid(protodune_sp(), 0);
    for (auto _ : state) benchmark::DoNotOptimize(overlap_table(grid).shares.front().data());
}

void tile_event(benchmark::State& state, Downsampling factors) {
    base::set_threads(static_cast<int>(state.range(0)));
    const auto& samples = bench::whole_event();
    const auto tiler = make_tiler();
    static const auto pixels = static_cast<double>(tiler.tile(samples, {1, 1, 1}).size());
    std::int64_t voxels = 0;
    for (auto _ : state) voxels = tiler.tile(samples, factors).size();
    state.counters["samples"] = static_cast<double>(samples.size());
    state.counters["voxels"] = static_cast<double>(voxels);
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
        const auto happened = simulator.simulate(event);
        benchmark::DoNotOptimize(
            simulator.read_out(happened, event, bench::event_tpc).signals.size());
        ++event;
    }
}

double peak_of_tiling() {
    base::set_threads(2);
    const auto& samples = bench::whole_event();
    bench::forget_peak_memory();
    benchmark::DoNotOptimize(make_tiler().tile(samples).size());
    return bench::peak_memory() / 1e6;
}

void memory(benchmark::State& state) {
    for (auto _ : state) {
        state.counters["megabytes"] = bench::figure_of_fresh_process("peak_of_tiling");
    }
}

using bench::Goal;
using bench::Row;

/// A row for a time in seconds at most.
Row time_row(const std::string& what, const std::string& benchmark, std::optional<Goal> goal,
             const std::string& single = {}) {
    return {.what = what,
            .benchmark = benchmark,
            .unit = "ms",
            .single = single,
            .smaller_is_better = true,
            .figure = "milliseconds",
            .goal = goal};
}

[[maybe_unused]] const bool registered = [] {
    const auto add = [](const char* name, auto body, std::initializer_list<int> threads) {
        auto* added =
            benchmark::RegisterBenchmark(name, body)->UseRealTime()->Unit(benchmark::kMillisecond);
        for (const auto count : threads) added->ArgName("threads")->Arg(count);
    };
    add("tiling/overlaps", overlaps_of_one_face, {1, 2});
    add("tiling/to_voxels", tile_to_voxels, {1, 2});
    add("tiling/to_pixels", tile_to_pixels, {1});
    add("tiling/simulate", simulate_event, {});
    benchmark::RegisterBenchmark("tiling/memory", memory)->Iterations(1);
    bench::add_figure_of_fresh_process("peak_of_tiling", peak_of_tiling);
    return bench::add_rows(
        "tiling",
        {time_row("overlaps of one face with all wires, 1 thread", "tiling/overlaps/threads:1",
                  Goal{500}),
         time_row("overlaps, 2 threads", "tiling/overlaps/threads:2", {},
                  "tiling/overlaps/threads:1"),
         time_row("tiling a whole event and merging to 8 x 4 x 4, 1 thread",
                  "tiling/to_voxels/threads:1", Goal{500}),
         time_row("tiling and merging, 2 threads", "tiling/to_voxels/threads:2", {},
                  "tiling/to_voxels/threads:1"),
         {.what = "pixels tiled and merged, 1 thread",
          .benchmark = "tiling/to_voxels/threads:1",
          .unit = "pixels/s",
          .figure = "pixels/s",
          .goal = Goal{8e6}},
         {.what = "tiling and merging, 2 threads: peak of the process with its event",
          .benchmark = "tiling/memory",
          .unit = "MB",
          .smaller_is_better = true,
          .figure = "megabytes",
          .goal = Goal{200}},
         time_row("tiling to pixels, not merged, 1 thread", "tiling/to_pixels/threads:1", {}),
         time_row("simulating and reading out an event, 1 thread", "tiling/simulate", {})});
}();

/// "Event: 281447 samples of wires, 6.4 million active pixels, 128236 voxels."
[[maybe_unused]] const bool described = bench::describe_table("tiling", "", [] {
    const auto& samples = bench::whole_event();
    const auto tiler = make_tiler();
    return base::format("Event: {} samples of wires, {:.1f} million active pixels, {} voxels.",
                        samples.size(),
                        static_cast<double>(tiler.tile(samples, {1, 1, 1}).size()) / 1e6,
                        tiler.tile(samples).size());
});

}  // namespace
}  // namespace hodo::lartpc

int main(int count, char** words) {
    return hodo::bench::run_program(count, words, [] { return std::string(); });
}
