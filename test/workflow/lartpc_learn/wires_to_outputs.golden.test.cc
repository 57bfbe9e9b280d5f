// The published pipeline from wires to outputs: parsed files are tiled here, judged with the
// recorded checkpoints, and compared voxel by voxel with the recorded outputs.

#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/io/npz.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/workflow/lartpc/inference.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/learn/network.hh"
#include "hodo/workflow/lartpc/preparation.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>

namespace base = hodo::base;
namespace io = hodo::io;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

namespace {

/// Charges agree to 1e-5 of their size, and outputs follow them.
constexpr double tolerance = 2e-5;
const base::Path pipeline = "lartpc/pipeline";

/// The box of the small run is that of the small overlap tables.
std::vector<std::int64_t> golden_box() {
    const auto tables = test::reference_files("lartpc", "geom_mini_face*.npz");
    if (tables.empty()) return {0, 0};
    return io::read_npz(tables.front(), "shape").integers();
}

std::int64_t events_of(const base::Path& xy) {
    return std::ssize(io::read_npz(xy, "starts").integers());
}

/// Outputs by event and voxel.
std::map<std::array<std::int64_t, 4>, double> by_voxel(const base::Path& xy,
                                                       const base::Path& output) {
    const auto cloud = lartpc::read_xy(xy).cloud;
    const auto values = lartpc::read_inference(output);
    std::map<std::array<std::int64_t, 4>, double> found;
    for (std::int64_t event = 0; event < cloud.events(); ++event) {
        for (auto row = cloud.begin(event); row < cloud.end(event); ++row) {
            const auto& v = cloud.voxels[std::size_t(row)];
            found[{event, v[0], v[1], v[2]}] = double(values.at(std::size_t(row)));
        }
    }
    return found;
}

class LartpcWiresToOutputs : public testing::Test {
  protected:
    /// Tiles all parsed wires as the recorded events were tiled.
    void prepare(std::int64_t batch_size) const {
        lartpc::PrepareOptions options;
        options.box = golden_box();
        options.batch_size = batch_size;
        options.output = (folder_ / "xy").string();
        lartpc::prepare_files(test::reference_files((pipeline / "parsed").string(), "*_wire-*.npz"),
                              options, lartpc::Present::keep, [] {});
    }
    void compare(const lartpc::Network& network, const base::Path& recorded) const {
        const auto name = lartpc::xy_name(recorded);
        const auto xy = folder_ / ("xy/" + name);
        if (!std::filesystem::exists(xy)) return;
        const auto epoch = network.epoch.value();
        lartpc::infer_files(
            {xy}, folder_.path(), epoch, {},
            [&](const lartpc::VoxelBatch& batch) { return network.model.predict(batch); }, [] {});
        const auto written = folder_ / lartpc::inference_name(xy, epoch);
        const auto found = by_voxel(xy, written);
        const auto expected = by_voxel(test::reference_folder() / pipeline / "xy" / name, recorded);
        ASSERT_EQ(found.size(), expected.size());
        double worst = 0, largest = 1;
        for (const auto& [place, value] : expected) {
            ASSERT_TRUE(found.contains(place));
            worst = std::max(worst, std::abs(found.at(place) - value));
            largest = std::max(largest, std::abs(value));
        }
        std::cout << "case " << recorded.filename() << ": " << found.size()
                  << " voxels, difference " << worst << "\n";
        EXPECT_LE(worst, tolerance * largest);
        std::filesystem::remove(written);
    }

    test::TemporaryFolder folder_;
};

}  // namespace

TEST_F(LartpcWiresToOutputs, ReproduceThePublishedPipeline) {
    const auto xy = test::reference_files((pipeline / "xy").string(), "batch0-*_xy-TPC?.npz");
    const auto wires = test::reference_files((pipeline / "parsed").string(), "*_wire-*.npz");
    HODO_REQUIRE_REFERENCE(xy, "lartpc/pipeline/xy");
    HODO_REQUIRE_REFERENCE(wires, "lartpc/pipeline/parsed/*_wire-*.npz");
    if (golden_box()[0] == 0) GTEST_SKIP() << "no overlap table tells the size of the box";
    prepare(events_of(xy.front()));
    int cases = 0;
    const auto runs = test::reference_folder() / pipeline / "run";
    if (!std::filesystem::is_directory(runs)) GTEST_SKIP() << "no recorded runs";
    for (const auto& run : std::filesystem::directory_iterator(runs)) {
        const auto part = pipeline / "run" / run.path().filename();
        for (const auto& weights :
             test::reference_files((part / "checkpoints").string(), "checkpoint_*.pth.tar")) {
            const auto network = lartpc::load_network(weights);
            const auto pattern = base::format("epoch{}-*yinf*.npy", network.epoch.value());
            for (const auto& output :
                 test::reference_files((part / "inference").string(), pattern)) {
                compare(network, output);
                ++cases;
            }
        }
    }
    EXPECT_GT(cases, 0);
}
