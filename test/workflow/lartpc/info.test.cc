// Facts of files against numbers that were put in.

#include "hodo/workflow/lartpc/info.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/io/npz.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "support/ragged_hdf5.hh"
#include "support/reference.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace base = hodo::base;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

using testing::HasSubstr;

TEST(LartpcInfo, CountsVoxelsTruthAndGhosts) {
    const test::TemporaryFolder folder;
    lartpc::TiledBatch batch;
    batch.cloud = {.voxels = {{0, 1, 2}, {3, 4, 5}, {6, 7, 8}}, .width = 3};
    batch.cloud.features = {1, 2, 3, 1, 2, 3, 1, 2, 6};
    batch.cloud.starts = {0, 2, 3};
    batch.cloud.truth = {0.0F, 2.0F, 0.0F};
    batch.truth = {{.voxels = {{3, 4, 5}, {9, 9, 9}}, .width = 1, .values = {2.0, 0.5}},
                   {.voxels = {}, .width = 1, .values = {}}};
    batch.has_truth = true;
    const auto file = folder / "batch0-reco_Mu_001_xy-TPC1.npz";
    lartpc::write_xy(file, batch);
    const auto facts = lartpc::file_facts(file);
    EXPECT_EQ(facts.at("events").integer(), 2);
    EXPECT_EQ(facts.at("voxels").integer(), 3);
    EXPECT_EQ(facts.at("extent").items()[2].integer(), 9);
    EXPECT_EQ(facts.at("mean charges").items()[2].number(), 4);
    EXPECT_EQ(facts.at("true").integer(), 1);
    EXPECT_EQ(facts.at("ghosts per true").number(), 2);
    EXPECT_EQ(facts.at("share of truth that is active").number(), 0.5);
    EXPECT_EQ(facts.at("sum of truth").number(), 2.5);
    EXPECT_THAT(lartpc::facts_text(facts), HasSubstr("voxels 3, extent 7 x 8 x 9"));
}

TEST(LartpcInfo, KnowsUsersVoxels) {
    const test::TemporaryFolder folder;
    // Two events of PILArNet-M: scatter of one point and a track of two; and the scatter alone.
    const auto point = [](double x, double energy) {
        return std::vector<double>{x, 5, 6, energy, energy, 0, 0, 0};
    };
    auto points = point(4, 0.5);
    for (const auto& other : {point(7, 2), point(8, 3)}) {
        points.insert(points.end(), other.begin(), other.end());
    }
    const auto file = folder / "events.h5";
    std::ofstream(file, std::ios::binary) << test::ragged_hdf5(
        {{"point", {points, point(1, 0.25)}},
         {"cluster", {{1, -1, -1, -1, 4, 2, 3, 3, 0, 1}, {1, -1, -1, -1, 4}}}});
    const auto all = lartpc::file_facts(file);
    EXPECT_EQ(all.at("version").integer(), 1);
    EXPECT_EQ(all.at("events").integer(), 2);
    EXPECT_EQ(all.at("voxels").integer(), 4);
    EXPECT_EQ(all.at("energy").number(), 5.75);
    EXPECT_EQ(all.at("semantic").at("4").integer(), 2);
    const auto some =
        lartpc::file_facts(file, {.low_energy = lartpc::LowEnergy::drop, .min_points = 2});
    EXPECT_EQ(some.at("events in the file").integer(), 2);
    EXPECT_EQ(some.at("events").integer(), 1);
    EXPECT_EQ(some.at("energy").number(), 5);
    EXPECT_THAT(lartpc::facts_text(some), HasSubstr("extent 9 x 6 x 7"));
    EXPECT_THAT(lartpc::facts_text(some), HasSubstr("semantic (1: 2)"));

    const auto archive = folder / "electron_1.npz";
    const std::vector<double> rows{1, 2, 3, 0.5, 1, 2, 3, 0.25};
    hodo::io::write_npz(archive,
                        {{"points", hodo::io::make_array(std::span<const double>(rows), {2, 4})}});
    EXPECT_EQ(lartpc::file_facts(archive).at("voxels").integer(), 1);
    EXPECT_EQ(lartpc::file_facts(archive).at("energy").number(), 0.75);
}

TEST(LartpcInfo, KnowsParsedFilesAndOutputs) {
    const test::TemporaryFolder folder;
    const auto wires = folder / "reco_Mu_001_wire-TPC1.npz";
    lartpc::ParsedWriter signals(wires);
    const std::vector<double> matrix{0, 2, 0, 0.5, 0, 0};
    signals.add(lartpc::sparse_signals(matrix, 2, 3));
    signals.commit();
    EXPECT_EQ(lartpc::file_facts(wires).at("samples").integer(), 2);
    EXPECT_EQ(lartpc::file_facts(wires).at("sum").number(), 2.5);
    EXPECT_EQ(lartpc::file_facts(wires).at("channels").integer(), 3);

    const auto truth = folder / "reco_Mu_001_depo-TPC1.npz";
    lartpc::ParsedWriter images(truth);
    images.add(lartpc::VoxelImage{.voxels = {{1, 2, 3}}, .width = 1, .values = {0.75}});
    images.commit();
    EXPECT_EQ(lartpc::file_facts(truth).at("points").integer(), 1);
    EXPECT_EQ(lartpc::file_facts(truth).at("sum").number(), 0.75);

    const auto outputs = folder / "epoch0-batch0-reco_Mu_001_yinf-TPC1.npy";
    lartpc::write_inference(outputs, std::vector<float>{0.25F, 0.75F, 0.5F, 0.5F});
    const auto facts = lartpc::file_facts(outputs);
    EXPECT_EQ(facts.at("mean").number(), 0.5);
    EXPECT_EQ(facts.at("share of 0.5 or more").number(), 0.75);

    const auto pixels = folder / "reco_Mu_001_pixel-TPC1.npz";
    lartpc::write_pixels(pixels, {{.voxels = {{0, 1, 2}}, .charge = {{1, 2, 3}}}});
    EXPECT_EQ(lartpc::file_facts(pixels).at("pixels").integer(), 1);
    EXPECT_THAT(test::error_of([&] { lartpc::file_facts(folder / "absent_xy.npz"); }),
                HasSubstr("no such file"));
}
