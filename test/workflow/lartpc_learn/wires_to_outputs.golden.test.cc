// The published pipeline from wires to outputs: parsed files are tiled here, judged with the
// recorded checkpoints, and compared voxel by voxel with the recorded outputs.

#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/workflow/lartpc/inference.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/learn/network.hh"
#include "hodo/workflow/lartpc/preparation.hh"
#include "workflow/lartpc/published_pipeline.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>

namespace base = hodo::base;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

namespace {

/// Charges agree to 1e-5 of their size, and outputs follow them.
constexpr double tolerance = 2e-5;

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
    /// Tiles the wires that a recorded file of voxels was made of, as it was; without wires not.
    bool prepare(const base::Path& xy) const {
        lartpc::PrepareOptions options;
        options.box = test::published_box();
        options.batch_size = lartpc::read_xy(xy).cloud.events();
        options.output = (folder_ / "xy").string();
        const auto wires = test::published_files("parsed", test::parsed_name(xy, "wire"));
        lartpc::prepare_files(wires, options, lartpc::Present::keep, [] {});
        return !wires.empty();
    }
    /// Whether what an output was made of is there.
    bool compare(const lartpc::Network& network, const base::Path& recorded) const {
        const auto name = lartpc::xy_name(recorded);
        const auto voxels = test::published_files("xy", name);
        if (voxels.empty() || !prepare(voxels.front())) return false;
        const auto xy = folder_ / ("xy/" + name);
        const auto epoch = network.epoch.value();
        lartpc::infer_files(
            {xy}, folder_.path(), epoch, {},
            [&](const lartpc::VoxelBatch& batch) { return network.model.predict(batch); }, [] {});
        const auto written = folder_ / lartpc::inference_name(xy, epoch);
        const auto found = by_voxel(xy, written);
        const auto expected = by_voxel(voxels.front(), recorded);
        EXPECT_EQ(found.size(), expected.size());
        double worst = 0, largest = 1;
        for (const auto& [place, value] : expected) {
            const auto ours = found.find(place);
            worst = std::max(worst, ours == found.end() ? 1e300 : std::abs(ours->second - value));
            largest = std::max(largest, std::abs(value));
        }
        std::cout << "case " << recorded.filename() << ": " << found.size()
                  << " voxels, difference " << worst << "\n";
        EXPECT_LE(worst, tolerance * largest);
        std::filesystem::remove(written);
        return true;
    }

    test::TemporaryFolder folder_;
};

}  // namespace

TEST_F(LartpcWiresToOutputs, ReproduceThePublishedPipeline) {
    std::vector<base::Path> compared;
    for (const auto& run : test::published_run_folders()) {
        for (const auto& weights :
             test::published_files(run / "checkpoints", "checkpoint_*.pth.tar")) {
            const auto network = lartpc::load_network(weights);
            const auto pattern = base::format("epoch{}-*yinf*.npy", network.epoch.value());
            for (const auto& output : test::published_files(run / "inference", pattern)) {
                if (compare(network, output)) {
                    compared.push_back(output);
                } else {
                    std::cout << "case " << output.filename() << ": without wires or voxels\n";
                }
            }
        }
    }
    HODO_REQUIRE_REFERENCE(compared, "checkpoints, outputs, xy and parsed wires of one event");
}
