/// Times from the wires of a whole event to the outputs of a network.
///
/// The event is that of whole_event.hh, the network that of configs/lartpc-ghost.yaml with random
/// weights. Voxels are tiled and merged, grouped, mapped and sent through the network, and a yinf
/// file is written. `files` also reads the parsed file and writes and reads the xy file, as `hodo
/// lartpc prepare` and `apply` do. Starting the program and opening the weights are left out.

#include "hodo/base/config.hh"
#include "hodo/base/threads.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/tensor/device.hh"
#include "hodo/train/session.hh"
#include "hodo/workflow/lartpc/inference.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/learn/network.hh"
#include "hodo/workflow/lartpc/preparation.hh"
#include "table.hh"
#include "whole_event.hh"

#include <benchmark/benchmark.h>
#include <unistd.h>
#include <filesystem>

namespace hodo {
namespace {

/// A folder that goes with the benchmark.
class Folder {
  public:
    Folder()
        : path_(std::filesystem::temp_directory_path() /
                base::format("hodo_bench_{}", ::getpid())) {
        std::filesystem::create_directories(path_);
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    base::Path operator/(const std::string& name) const { return path_ / name; }

  private:
    base::Path path_;
};

lartpc::CellNet shipped_network() {
    const auto shipped = base::Config::read(HODO_SOURCE_DIR "/configs/lartpc-ghost.yaml");
    lartpc::CellNet net(shipped.section("train").section("model").as<lartpc::ModelOptions>());
    net.initialise(1);
    return net;
}

/// Tiled voxels as `hodo lartpc apply` holds them.
lartpc::VoxelBatch batch_of(const lartpc::TiledEvent& event) {
    lartpc::VoxelBatch batch;
    for (const auto& [x, y, z] : event.voxels) {
        batch.coordinates.insert(batch.coordinates.end(), {x, y, z, 0});
    }
    for (const auto& charges : event.charge) {
        for (const double charge : charges) batch.features.push_back(static_cast<float>(charge));
    }
    batch.event_starts.push_back(batch.size());
    return batch;
}

void use_threads(std::int64_t threads) {
    base::set_threads(static_cast<int>(threads));
    tensor::prepare_process();
}

void wires_to_outputs(benchmark::State& state) {
    use_threads(state.range(0));
    const train::NoGradients no_gradients;
    const auto& samples = bench::whole_event();
    const auto net = shipped_network();
    const Folder folder;
    std::size_t voxels = 0;
    for (auto _ : state) {
        const auto& detector = lartpc::protodune_sp();
        const lartpc::Tiler tiler{lartpc::PixelGrid(detector, detector.tpc(bench::event_tpc).face)};
        const auto outputs = net.predict(batch_of(tiler.tile(samples)));
        lartpc::write_inference(folder / "epoch0-batch0-reco_BeamCosmic_001_yinf-TPC1.npy",
                                outputs);
        voxels = outputs.size();
    }
    state.counters["voxels"] = static_cast<double>(voxels);
    use_threads(1);
}

void files_to_outputs(benchmark::State& state) {
    use_threads(state.range(0));
    const train::NoGradients no_gradients;
    const auto net = shipped_network();
    const lartpc::Predict predict = [&](const auto& batch) { return net.predict(batch); };
    const Folder folder;
    const auto parsed = folder / "reco_BeamCosmic_001_wire-TPC1.npz";
    lartpc::ParsedWriter writer(parsed);
    writer.add(bench::whole_event());
    writer.commit();
    lartpc::PrepareOptions prepare;
    prepare.output = (folder / "xy").string();
    for (auto _ : state) {
        const auto outputs = folder / "yinf";
        std::filesystem::remove_all(outputs);
        lartpc::prepare_files({parsed}, prepare, lartpc::Present::replace, [] {});
        lartpc::infer_files({folder / "xy/batch0-reco_BeamCosmic_001_xy-TPC1.npz"}, outputs, 0, {},
                            predict, [] {});
    }
    use_threads(1);
}

[[maybe_unused]] const bool registered = [] {
    std::vector<bench::Row> rows;
    const auto add = [&](const std::string& what, const std::string& name, auto body,
                         std::optional<bench::Goal> one, std::optional<bench::Goal> two) {
        benchmark::RegisterBenchmark(name.c_str(), body)
            ->ArgName("threads")
            ->Arg(1)
            ->Arg(2)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
        const auto single = name + "/threads:1";
        rows.push_back({.what = what + ", 1 thread",
                        .benchmark = single,
                        .unit = "ms",
                        .smaller_is_better = true,
                        .figure = "milliseconds",
                        .goal = one});
        rows.push_back({.what = what + ", 2 threads",
                        .benchmark = name + "/threads:2",
                        .unit = "ms",
                        .single = single,
                        .smaller_is_better = true,
                        .figure = "milliseconds",
                        .goal = two});
    };
    add("wires of a whole event (128k voxels) to outputs in a file", "sparse/inference",
        wires_to_outputs, bench::Goal{1500}, bench::Goal{900});
    add("the same from a parsed file, by way of an xy file", "sparse/inference_files",
        files_to_outputs, bench::Goal{1500}, bench::Goal{900});
    return bench::add_rows("sparse", rows);
}();

}  // namespace
}  // namespace hodo
