// Checkpoints of the published runs give the outputs that were recorded with them, file by file.

#include "hodo/io/atomic_file.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/workflow/lartpc/inference.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/learn/network.hh"
#include "workflow/lartpc/published_pipeline.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <map>

namespace base = hodo::base;
namespace io = hodo::io;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

namespace {

constexpr double tolerance = 1e-5;  // float32 sums of some hundred terms, outputs of order one

/// The outputs recorded with one checkpoint.
struct Case {
    base::Path checkpoint;
    std::int64_t epoch = 0;
    std::vector<base::Path> xy, outputs;
};

std::vector<Case> recorded_cases() {
    std::map<base::Path, Case> cases;
    for (const auto& run : test::published_run_folders()) {
        for (const auto& output : test::published_files(run / "inference", "epoch*yinf*.npy")) {
            const auto name = output.filename().string();
            const auto epoch = base::parse_int(name.substr(5, name.find('-') - 5)).value();
            const auto checkpoint = test::published_files(
                run / "checkpoints", base::format("checkpoint_{:03d}.pth.tar", epoch));
            const auto xy = test::published_files("xy", lartpc::xy_name(output));
            if (checkpoint.empty() || xy.empty()) continue;
            auto& found = cases[checkpoint.front()];
            found.checkpoint = checkpoint.front();
            found.epoch = epoch;
            found.xy.push_back(xy.front());
            found.outputs.push_back(output);
        }
    }
    std::vector<Case> all;
    for (auto& [path, found] : cases) all.push_back(found);
    return all;
}

lartpc::Predict predict_with(const lartpc::Network& network) {
    return [&network](const lartpc::VoxelBatch& batch) { return network.model.predict(batch); };
}

}  // namespace

TEST(LartpcApplyGolden, CheckpointsGiveTheRecordedOutputs) {
    const auto cases = recorded_cases();
    HODO_REQUIRE_REFERENCE(cases, "lartpc/pipeline/run/*/inference/epoch*yinf*.npy");
    for (const auto& one : cases) {
        const auto network = lartpc::load_network(one.checkpoint);
        EXPECT_EQ(network.epoch, one.epoch);
        const test::TemporaryFolder folder;
        lartpc::infer_files(one.xy, folder.path(), one.epoch, {}, predict_with(network), [] {});
        for (const auto& output : one.outputs) {
            const auto written = folder / output.filename().string();
            ASSERT_TRUE(std::filesystem::exists(written)) << "the name is the recorded one";
            const auto expected = lartpc::read_inference(output);
            const auto found = lartpc::read_inference(written);
            ASSERT_EQ(found.size(), expected.size());
            double worst = 0;
            for (std::size_t i = 0; i < found.size(); ++i) {
                worst = std::max(worst, std::abs(double(found[i]) - double(expected[i])));
            }
            std::cout << "case " << one.checkpoint.parent_path().parent_path().filename() << " "
                      << output.filename() << ": " << found.size() << " voxels, difference "
                      << worst << "\n";
            EXPECT_LE(worst, tolerance) << output;
        }
    }
}

TEST(LartpcApplyGolden, PassesOfAnySizeGiveTheSameBytes) {
    const auto cases = recorded_cases();
    HODO_REQUIRE_REFERENCE(cases, "lartpc/pipeline/run/*/inference/epoch*yinf*.npy");
    const auto xy = test::published_files("xy", "*_xy-*.npz");
    for (const auto& one : cases) {
        const auto network = lartpc::load_network(one.checkpoint);
        std::map<std::string, std::string> alone;
        for (const std::int64_t voxels : {1, 500, 700, 1'000'000}) {
            const test::TemporaryFolder folder;
            lartpc::ApplyOptions options;
            options.voxels = voxels;
            lartpc::infer_files(xy, folder.path(), 0, options, predict_with(network), [] {});
            for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
                const auto text = io::read_text(entry.path());
                const auto [known, is_new] = alone.emplace(entry.path().filename().string(), text);
                EXPECT_EQ(known->second, text) << entry.path() << " in passes of " << voxels;
            }
        }
        EXPECT_EQ(alone.size(), xy.size());
        std::cout << "case " << one.checkpoint << ": compared " << alone.size() << " files\n";
    }
}
