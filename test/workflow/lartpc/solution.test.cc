#include "hodo/workflow/lartpc/solution.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/preparation.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <algorithm>

namespace base = hodo::base;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;
using testing::HasSubstr;

namespace {

/// Event e has one voxel, (e, 8, 9), with the charge 10 (e + 1).
lartpc::Voxel place_of(int event) {
    return {event, 8, 9};
}

lartpc::WireSignals wires_of(int event) {
    const lartpc::PixelGrid grid(lartpc::protodune_sp(), 1);
    const auto voxel = place_of(event);
    const std::array<int, 2> pixel{voxel[2], voxel[1]};
    const auto matrix = lartpc::wire_matrix(grid, std::span(&pixel, 1), {8, 4, 4});
    std::vector<double> samples(std::size_t(64 * grid.channels()));
    for (std::size_t i = 0; i < matrix.value.size(); ++i) {
        const auto tick = std::size_t(8 * event + 3);
        samples[tick * std::size_t(grid.channels()) + std::size_t(matrix.row[i])] =
            matrix.value[i] * 10 * (event + 1);
    }
    return lartpc::sparse_signals(samples, 64, grid.channels());
}

class LartpcSolution : public testing::Test {
  protected:
    /// Four events of TPC 1, in two xy files, with outputs that keep the true voxels.
    void SetUp() override {
        std::filesystem::create_directories(folder_ / "parsed");
        std::filesystem::create_directories(folder_ / "charges");
        std::filesystem::create_directories(folder_ / "outputs");
        const auto parsed = folder_ / "parsed/reco_Mu_001_wire-TPC1.npz";
        lartpc::ParsedWriter writer(parsed);
        for (int event = 0; event < 4; ++event) writer.add(wires_of(event));
        writer.commit();
        lartpc::PrepareOptions prepare;
        prepare.output = (folder_ / "xy").string();
        prepare.box = {80, 80};
        prepare.batch_size = 2;
        lartpc::prepare_files({parsed}, prepare, lartpc::Present::keep, [] {});
        files_ = lartpc::files_of_product({prepare.output}, "xy");
        for (std::size_t i = 0; i < files_.size(); ++i) {
            const auto cloud = lartpc::read_xy(files_[i]).cloud;
            std::vector<float> values;
            for (std::int64_t row = 0; row < cloud.size(); ++row) {
                const int event = 2 * int(i) + (row < cloud.end(0) ? 0 : 1);
                const auto& voxel = cloud.voxels[std::size_t(row)];
                values.push_back(voxel == place_of(event) ? 0.35F : 0.34F);
            }
            lartpc::write_inference(folder_ / "outputs" / lartpc::inference_name(files_[i], 6),
                                    values);
        }
        options_.parsed = (folder_ / "parsed").string();
        options_.inference = (folder_ / "outputs").string();
        options_.threshold = 0.345;
        options_.method = lartpc::ChargeMethod::ols;
    }
    lartpc::SolutionCount solve() const {
        return lartpc::solve_files(lartpc::charge_sources(files_, options_), charges(), options_,
                                   [] {});
    }
    std::string error() const {
        return test::error_of([&] { solve(); });
    }
    base::Path charges() const { return folder_ / "charges"; }

    test::TemporaryFolder folder_;
    std::vector<base::Path> files_;
    lartpc::SolveOptions options_;
};

}  // namespace

TEST_F(LartpcSolution, each_batch_finds_its_own_events) {
    ASSERT_EQ(files_.size(), 2u);
    const auto count = solve();
    EXPECT_EQ(count.files, 2);
    EXPECT_EQ(count.voxels, 4);
    for (std::size_t i = 0; i < files_.size(); ++i) {
        const auto cloud = lartpc::read_xy(files_[i]).cloud;
        const auto values =
            lartpc::read_inference(charges() / lartpc::inference_name(files_[i], 6));
        ASSERT_EQ(std::ssize(values), cloud.size());
        EXPECT_GT(cloud.size(), 2) << "there are no ghosts";
        for (int event = 0; event < 2; ++event) {
            const int number = 2 * int(i) + event;
            for (auto row = cloud.begin(event); row < cloud.end(event); ++row) {
                const bool is_true = cloud.voxels[std::size_t(row)] == place_of(number);
                EXPECT_NEAR(values[std::size_t(row)], is_true ? 10 * (number + 1) : 0, 1e-4);
            }
        }
    }
    EXPECT_EQ(solve().present, 2);
}

TEST_F(LartpcSolution, without_outputs_every_voxel_may_hold_charge) {
    options_.inference.clear();
    options_.method = lartpc::ChargeMethod::lasso;
    solve();
    double total = 0;
    for (const auto& file : files_) {
        for (const float value :
             lartpc::read_inference(charges() / lartpc::inference_name(file, 0))) {
            EXPECT_GE(value, 0);
            total += double(value);
        }
    }
    EXPECT_NEAR(total, 100, 5);
}

TEST_F(LartpcSolution, kept_voxels_find_the_same_wires) {
    const auto kept = folder_ / ("kept-" + files_[1].filename().string());
    std::filesystem::copy_file(files_[1], kept);
    options_.inference.clear();
    const auto sources = lartpc::charge_sources({kept}, options_);
    EXPECT_EQ(sources.front().wires, base::Path(options_.parsed) / "reco_Mu_001_wire-TPC1.npz");
}

TEST_F(LartpcSolution, hits_are_solved_as_wires_are) {
    const auto wires = folder_ / "parsed/reco_Mu_001_wire-TPC1.npz";
    solve();
    const auto expected = lartpc::read_inference(charges() / lartpc::inference_name(files_[1], 6));
    std::filesystem::remove_all(charges());
    std::filesystem::create_directories(charges());
    std::filesystem::rename(wires, folder_ / "parsed/reco_Mu_001_hit-TPC1.npz");
    EXPECT_THAT(error(), HasSubstr("its hits are; give --source hit"));
    options_.source = lartpc::Source::hit;
    solve();
    EXPECT_EQ(lartpc::read_inference(charges() / lartpc::inference_name(files_[1], 6)), expected);
}

TEST_F(LartpcSolution, what_prepare_noted_is_compared_at_once) {
    hodo::io::write_text(folder_ / "xy/config.yaml",
                         "workflow: lartpc\nprepare:\n  downsample: [8, 4, 4]\n  source: wire\n");
    EXPECT_EQ(lartpc::charge_sources(files_, options_).size(), 2u);
    options_.downsample = {4, 2, 2};
    EXPECT_THAT(error(), HasSubstr("made with factors 8 4 4, not 4 2 2"));
    EXPECT_THAT(error(), HasSubstr("give --downsample 8 4 4"));
    options_.downsample = {8, 4, 4};
    options_.source = lartpc::Source::hit;
    EXPECT_THAT(error(), HasSubstr("prepared from wire files, not hit files; give --source wire"));
}

TEST_F(LartpcSolution, missing_partners_are_named) {
    auto changed = options_;
    options_.downsample = {4, 4, 4};
    EXPECT_THAT(error(), HasSubstr("check --parsed and --downsample"));
    options_ = changed;
    options_.parsed = (folder_ / "elsewhere").string();
    EXPECT_THAT(error(), HasSubstr("reco_Mu_001_wire-TPC1.npz, are not there"));
    options_ = changed;
    options_.epoch = 7;
    EXPECT_THAT(error(), HasSubstr("has no outputs for it"));
    options_ = changed;
    files_ = {folder_ / "batch0-reco_Mu_001_xy-TPC159.npz"};
    EXPECT_THAT(error(), HasSubstr("not of one TPC"));
    files_ = {folder_ / "batch2-reco_Mu_001_xy-TPC1.npz"};
    options_.inference.clear();
    std::filesystem::copy_file(folder_ / "xy/batch1-reco_Mu_001_xy-TPC1.npz", files_.front());
    EXPECT_THAT(error(), HasSubstr("holds 4 events where"));
}
