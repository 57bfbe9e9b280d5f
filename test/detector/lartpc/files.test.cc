#include "hodo/detector/lartpc/files.hh"
#include "hodo/detector/lartpc/truth.hh"
#include "hodo/io/npz.hh"
#include "support/reference.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <span>

namespace lartpc = hodo::lartpc;
namespace io = hodo::io;
namespace test = hodo::test;
using testing::HasSubstr;

namespace {

lartpc::TiledBatch example() {
    lartpc::TiledBatch batch;
    const lartpc::TiledEvent first{{{0, 1, 2}, {3, 1, 2}}, {{1, 2, 3}, {4, 5, 6}}}, nothing{};
    const lartpc::VoxelImage truth{{{0, 1, 2}, {9, 9, 9}}, 3, {0.5, 1, 13, 0.25, 2, 11}};
    const lartpc::VoxelImage no_truth{{}, 3, {}};
    batch.append(first, &truth);
    batch.append(nothing, &no_truth);
    return batch;
}

}  // namespace

TEST(TiledFiles, what_is_written_is_read_again) {
    const test::TemporaryFolder folder;
    const auto file = folder / "batch0-reco_Mu_001_xy-TPC1.npz";
    lartpc::write_xy(file, example());
    const auto batch = lartpc::read_xy(file);
    EXPECT_EQ(batch.cloud.voxels, example().cloud.voxels);
    EXPECT_EQ(batch.cloud.features, example().cloud.features);
    EXPECT_EQ(batch.cloud.starts, (std::vector<std::int64_t>{0, 2, 2}));
    EXPECT_EQ(batch.cloud.truth, (std::vector<float>{0.5F, 0}));
    ASSERT_EQ(batch.truth.size(), 2u);
    EXPECT_EQ(batch.truth[0].values, example().truth[0].values);
    EXPECT_EQ(batch.truth[1].size(), 0);
    const auto x = io::read_npz(file, "X");
    EXPECT_EQ(x.dtype, io::DType::f32);
    EXPECT_EQ(x.floats(), (std::vector<float>{0, 1, 2, 0, 1, 2, 3, 3, 1, 2, 0, 4, 5, 6}));
}

TEST(TiledFiles, coarse_truth_holds_what_its_active_cells_hold) {
    lartpc::TiledBatch batch;
    const lartpc::TiledEvent event{{{0, 0, 0}, {4, 4, 4}, {5, 0, 0}, {20, 0, 0}},
                                   {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}}};
    // A cell with two true voxels, one with a true voxel that is not active, one without any voxel.
    const lartpc::VoxelImage truth{
        {{0, 0, 0}, {1, 2, 3}, {9, 4, 4}, {40, 0, 0}}, 2, {1, 13, 2, 13, 4, 11, 8, 11}};
    batch.append(event, &truth);
    batch.append(event, &truth);
    const auto coarse = lartpc::coarse_truth(batch, {5, 5, 5});
    EXPECT_EQ(coarse.cell, (std::vector<std::int64_t>{0, 0, 1, -1, 2, 2, 3, -1}));
    EXPECT_EQ(coarse.values, (std::vector<double>{3, 13, 4, 11, 3, 13, 4, 11}));
    // Cells of one voxel are the truth of the voxels themselves.
    const auto fine = lartpc::coarse_truth(batch, {1, 1, 1});
    for (std::size_t i = 0; i < fine.cell.size(); ++i) {
        const double value =
            fine.cell[i] < 0 ? 0 : fine.values[2 * static_cast<std::size_t>(fine.cell[i])];
        EXPECT_EQ(value, double(batch.cloud.truth[i]));
    }
    batch.coarse = coarse;
    const test::TemporaryFolder folder;
    const auto file = folder / "batch0-reco_Mu_001_xy-TPC1.npz";
    lartpc::write_xy(file, batch);
    const auto arrays = io::NpzArchive::open(file).read_objects("Y_downsample");
    ASSERT_EQ(arrays.size(), 2u);
    EXPECT_EQ(arrays[0].shape, (std::vector<std::int64_t>{4, 2}));
    EXPECT_EQ(arrays[0].doubles(), coarse.values);
    EXPECT_EQ(arrays[1].integers(), coarse.cell);
    EXPECT_EQ(lartpc::read_xy(file).cloud.voxels, batch.cloud.voxels);
    batch.truth.clear();
    EXPECT_THAT(test::error_of([&] {
                    lartpc::coarse_truth(batch, {5, 5, 5});
                }),
                HasSubstr("Y_truth"));
}

// Joined TPCs whose anodes lie at their upper ends have negative places along the drift.
TEST(TiledFiles, coarse_truth_moves_with_the_voxels) {
    auto batch = example();
    const auto here = lartpc::coarse_truth(batch, {5, 5, 5});
    for (auto& voxel : batch.cloud.voxels) voxel[0] -= 20;
    for (auto& image : batch.truth) {
        for (auto& voxel : image.voxels) voxel[0] -= 20;
    }
    const auto there = lartpc::coarse_truth(batch, {5, 5, 5});
    EXPECT_EQ(here.cell, there.cell);
    EXPECT_EQ(here.values, there.values);
}

TEST(TiledFiles, starts_that_do_not_fit_are_refused) {
    const test::TemporaryFolder folder;
    const auto file = folder / "bad.npz";
    const std::vector<float> x(14);
    io::write_npz(file, {{"X", io::make_array(std::span<const float>(x), {2, 7})},
                         {"starts", io::make_array(std::vector<std::int64_t>{0, 5})}});
    EXPECT_THAT(test::error_of([&] { lartpc::read_xy(file); }), HasSubstr("starts"));
    io::write_npz(file, {{"X", io::make_array(std::span<const float>(x), {7, 2})},
                         {"starts", io::make_array(std::vector<std::int64_t>{0})}});
    EXPECT_THAT(test::error_of([&] { lartpc::read_xy(file); }), HasSubstr("shape"));
}

TEST(TiledFiles, rows_that_are_not_ordered_by_event_are_refused) {
    const test::TemporaryFolder folder;
    const auto xy = folder / "batch0-reco_Mu_001_xy-TPC1.npz", pixel = folder / "pixel.npz";
    const auto rows = [](std::vector<float> events) {
        std::vector<float> x;
        for (const float event : events) x.insert(x.end(), {1, 2, 3, event, 1, 1, 1});
        return io::make_array(std::span<const float>(x), {std::ssize(events), 7});
    };
    const auto starts = io::make_array(std::vector<std::int64_t>{0, 0, 2});
    io::write_npz(xy, {{"X", rows({4, 4, 5})}, {"starts", starts}});  // any numbers will do
    EXPECT_EQ(lartpc::read_xy(xy).cloud.events(), 3);
    io::write_npz(xy, {{"X", rows({0, 1, 0})}, {"starts", starts}});
    EXPECT_THAT(test::error_of([&] { lartpc::read_xy(xy); }),
                HasSubstr("row 1 is of event 1 (column 3) but stands among rows of event 0"));
    io::write_npz(pixel, {{"pix", rows({0, 1, 0})}, {"starts", starts}});
    EXPECT_THAT(test::error_of([&] { lartpc::read_pixels(pixel); }), HasSubstr("row 1"));
}

TEST(TiledFiles, places_between_voxels_are_refused) {
    const test::TemporaryFolder folder;
    const auto file = folder / "between.npz";
    const std::vector<float> x{1, 2.5F, 3, 0, 1, 1, 1};
    io::write_npz(file, {{"X", io::make_array(std::span<const float>(x), {1, 7})},
                         {"starts", io::make_array(std::vector<std::int64_t>{0})}});
    EXPECT_THAT(test::error_of([&] { lartpc::read_xy(file); }),
                HasSubstr("a voxel coordinate is 2.5; it must be a whole number"));
}

TEST(TiledFiles, pixels_come_back) {
    const test::TemporaryFolder folder;
    const std::vector<lartpc::TiledEvent> events{{{{0, 1, 2}, {3, 1, 2}}, {{1, 2, 3}, {4, 5, 6}}},
                                                 {{{7, 8, 9}}, {{0, 0, 1}}}};
    const auto file = folder / "reco_Mu_001_pixel-TPC1.npz";
    lartpc::write_pixels(file, events);
    const auto read = lartpc::read_pixels(file);
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read[0].voxels, events[0].voxels);
    EXPECT_EQ(read[1].charge, events[1].charge);
}

TEST(Truth, values_are_summed_and_labels_voted) {
    const lartpc::VoxelImage image{
        {{8, 4, 4}, {9, 5, 5}, {15, 7, 7}, {0, 0, 0}}, 2, {1, 13, 2, 11, 4, 11, 8, 13}};
    const auto merged = lartpc::merge_truth(image, {8, 4, 4});
    EXPECT_EQ(merged.voxels, (std::vector<lartpc::Voxel>{{0, 0, 0}, {1, 1, 1}}));
    EXPECT_EQ(merged.values, (std::vector<double>{8, 13, 7, 11}));
    const lartpc::VoxelImage even{{{0, 0, 0}, {0, 0, 0}}, 2, {1, 13, 1, 11}};
    EXPECT_EQ(lartpc::merge_truth(even, {1, 1, 1}).values, (std::vector<double>{2, 11}));
    const std::vector<lartpc::Voxel> active{{1, 1, 1}, {5, 5, 5}};
    EXPECT_EQ(lartpc::truth_at(merged, active), (std::vector<float>{7, 0}));
}

TEST(ParsedFiles, samples_that_are_no_numbers_are_named) {
    const test::TemporaryFolder folder;
    const auto file = folder / "reco_Mu_001_wire-TPC1.npz";
    for (const double wrong : {std::nan(""), std::numeric_limits<double>::infinity(), -1e300}) {
        std::vector<double> matrix(3 * 10);
        matrix[7] = 2;
        {
            lartpc::ParsedWriter writer(file);
            writer.add(lartpc::sparse_signals(matrix, 3, 10));
            matrix[24] = wrong;
            writer.add(lartpc::sparse_signals(matrix, 3, 10));
            writer.commit();
        }
        const lartpc::ParsedFile parsed(file);
        EXPECT_EQ(parsed.signals(0).size(), 1);
        const auto error = test::error_of([&] { parsed.signals(1); });
        EXPECT_THAT(error, HasSubstr("reco_Mu_001_wire-TPC1.npz: event 1 has the sample"));
        EXPECT_THAT(error, HasSubstr("at tick 2, channel 4"));
    }
}

TEST(ParsedFiles, an_event_that_is_no_matrix_is_named_with_its_shape) {
    const test::TemporaryFolder folder;
    const auto file = folder / "reco_Mu_001_wire-TPC1.npz";
    const std::vector<double> numbers(6);
    io::NpzWriter writer(file);
    writer.add("arr_0", io::make_array(std::span<const double>(numbers), {1, 2, 3}));
    writer.commit();
    EXPECT_THAT(test::error_of([&] { lartpc::ParsedFile(file).signals(0); }),
                HasSubstr("event 0 has the shape [1, 2, 3]"));
}
