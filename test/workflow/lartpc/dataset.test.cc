// Which files a set takes, and what becomes of their rows.

#include "hodo/workflow/lartpc/dataset.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/io/npz.hh"
#include "support/reference.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

namespace base = hodo::base;
namespace io = hodo::io;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

std::string name_of(int index, int tpc) {
    return base::format("batch0-reco_Mu_{:03d}_xy-TPC{}.npz", index, tpc);
}

/// Two events: the first of three voxels, the second of one; z rises.
lartpc::TiledBatch small_batch(double truth = 2.0) {
    lartpc::TiledBatch batch;
    batch.cloud = {.voxels = {{0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {9, 10, 11}}, .width = 3};
    for (int i = 0; i < 12; ++i) batch.cloud.features.push_back(float(i) + 0.25F);
    batch.cloud.starts = {0, 3, 4};
    batch.cloud.truth = {0.0F, float(truth), 0.0F, float(2 * truth)};
    batch.truth = {{.voxels = {{3, 4, 5}, {4, 4, 5}}, .width = 1, .values = {truth, 1.0}},
                   {.voxels = {{9, 10, 11}}, .width = 1, .values = {2 * truth}}};
    batch.has_truth = true;
    return batch;
}

void write_without_truth(const base::Path& file) {
    auto batch = small_batch();
    batch.has_truth = false;
    batch.truth.clear();
    batch.cloud.truth.clear();
    lartpc::write_xy(file, batch);
}

lartpc::VoxelTreatment labels() {
    return {.label_above = 0.001, .truth = lartpc::Truth::optional, .cells = {}, .transforms = {}};
}

lartpc::VoxelBatch load_one(const base::Path& file, const lartpc::VoxelTreatment& treatment) {
    return lartpc::VoxelDataset({{file}}, treatment).load(std::vector<std::int64_t>{0});
}

std::vector<std::string> names(const std::vector<lartpc::VoxelFile>& files) {
    std::vector<std::string> all;
    for (const auto& file : files) all.push_back(file.path.filename().string());
    return all;
}

}  // namespace

TEST(LartpcDataset, NumbersEventsThroughTheFilesOfABatch) {
    const test::TemporaryFolder folder;
    lartpc::write_xy(folder / name_of(1, 1), small_batch());
    lartpc::write_xy(folder / name_of(2, 1), small_batch());
    const lartpc::VoxelDataset set({{folder / name_of(1, 1)}, {folder / name_of(2, 1)}}, labels());
    const auto batch = set.load(std::vector<std::int64_t>{1, 0});
    ASSERT_EQ(batch.size(), 8);
    EXPECT_EQ(batch.events(), 4);
    EXPECT_THAT(batch.event_starts, ElementsAre(0, 3, 4, 7, 8));
    EXPECT_THAT(batch.file_starts, ElementsAre(0, 4, 8));
    EXPECT_THAT(batch.file_events, ElementsAre(0, 2, 4));
    EXPECT_THAT(batch.samples, ElementsAre(1, 0));
    EXPECT_THAT(batch.targets, ElementsAre(0, 1, 0, 1, 0, 1, 0, 1));
    std::vector<int> events;
    for (std::size_t i = 3; i < batch.coordinates.size(); i += 4) {
        events.push_back(batch.coordinates[i]);
    }
    EXPECT_THAT(events, ElementsAre(0, 0, 0, 1, 2, 2, 2, 3));
    const auto second = batch.of_file(std::span<const float>(batch.targets), 1);
    EXPECT_THAT(second, ElementsAre(0, 1, 0, 1));
}

TEST(LartpcDataset, ScalesTruthBeforeItMakesLabels) {
    const test::TemporaryFolder folder;
    const auto file = folder / name_of(1, 1);
    lartpc::write_xy(file, small_batch());
    auto treatment = labels();
    treatment.label_above = 1.5;
    const lartpc::VoxelDataset half({{file, 0.5}}, treatment);
    EXPECT_THAT(half.load(std::vector<std::int64_t>{0}).targets, ElementsAre(0, 0, 0, 1));
    treatment.label_above.reset();
    const lartpc::VoxelDataset values({{file, 0.5}}, treatment);
    EXPECT_THAT(values.load(std::vector<std::int64_t>{0}).targets, ElementsAre(0, 1, 0, 2));
}

TEST(LartpcDataset, KeepsVoxelsInsideTheLimits) {
    const test::TemporaryFolder folder;
    const auto file = folder / name_of(1, 1);
    lartpc::write_xy(file, small_batch());
    auto treatment = labels();
    treatment.transforms.coord_lim = {{}, {}, {5, 11}};
    const auto batch = load_one(file, treatment);
    EXPECT_EQ(batch.size(), 2);
    EXPECT_THAT(batch.event_starts, ElementsAre(0, 2, 2)) << "an event without voxels stays";
    treatment.transforms.coord_lim = {{}, {}, {}, {1, 2}, {9, 10}};
    EXPECT_EQ(load_one(file, treatment).size(), 1);
}

TEST(LartpcDataset, AddsSegmentsAndRoundsCharges) {
    const test::TemporaryFolder folder;
    const auto file = folder / name_of(1, 1);
    lartpc::write_xy(file, small_batch());
    auto treatment = labels();
    treatment.transforms.z_segments = {3, 8};
    treatment.transforms.round = 1;
    const auto batch = load_one(file, treatment);
    ASSERT_EQ(batch.width, 5);
    const auto row = [&](std::size_t i) {
        return std::vector<float>(batch.features.begin() + std::ptrdiff_t(5 * i),
                                  batch.features.begin() + std::ptrdiff_t(5 * i + 5));
    };
    // z = 2, 5, 8, 11; halves round to even digits.
    EXPECT_THAT(row(0), ElementsAre(0.2F, 1.2F, 2.2F, 1, 0));
    EXPECT_THAT(row(1), ElementsAre(3.2F, 4.2F, 5.2F, 0, 1));
    EXPECT_THAT(row(2), ElementsAre(6.2F, 7.2F, 8.2F, 0, 0));
    EXPECT_THAT(row(3), ElementsAre(9.2F, 10.2F, 11.2F, 0, 0));
}

TEST(LartpcDataset, DrawsNoiseThatBatchMatesDoNotChange) {
    const test::TemporaryFolder folder;
    std::vector<lartpc::VoxelFile> files;
    for (int i = 0; i < 3; ++i) {
        files.push_back({folder / name_of(i, 1)});
        lartpc::write_xy(files.back().path, small_batch());
    }
    auto treatment = labels();
    treatment.transforms.noise = {.mean = 0.5, .sd = 0.1};
    const lartpc::VoxelDataset set(files, treatment);
    const auto alone = set.load(std::vector<std::int64_t>{2}, 4);
    const auto together = set.load(std::vector<std::int64_t>{0, 2, 1}, 4);
    const auto found =
        std::vector<float>(together.features.begin() + 12, together.features.begin() + 24);
    EXPECT_EQ(found, alone.features);
    EXPECT_NE(set.load(std::vector<std::int64_t>{2}, 5).features, alone.features);
    EXPECT_NE(set.load(std::vector<std::int64_t>{1}, 4).features, alone.features);
    treatment.transforms.noise = {};
    const auto plain = lartpc::VoxelDataset(files, treatment).load(std::vector<std::int64_t>{2}, 4);
    double mean = 0;
    for (std::size_t i = 0; i < plain.features.size(); ++i) {
        mean += double(alone.features[i] - plain.features[i]) / double(plain.features.size());
    }
    EXPECT_NEAR(mean, 0.5, 0.15);
}

TEST(LartpcDataset, SumsTruthInCoarseCells) {
    const test::TemporaryFolder folder;
    const auto file = folder / name_of(1, 1);
    lartpc::write_xy(file, small_batch());
    auto treatment = labels();
    treatment.label_above.reset();
    treatment.cells = {5, 5, 5};
    const lartpc::VoxelDataset set({{file, 0.5}, {file, 0.5}}, treatment);
    const auto batch = set.load(std::vector<std::int64_t>{0, 1});
    // Voxels (3, 4, 5) and (4, 4, 5) share the cell (0, 0, 1); (0, 1, 2) and (6, 7, 8) have none.
    EXPECT_THAT(batch.cell, ElementsAre(-1, 0, -1, 1, -1, 2, -1, 3));
    EXPECT_THAT(batch.cell_charge, ElementsAre(1.5F, 2.0F, 1.5F, 2.0F));
}

TEST(LartpcDataset, TakesFilesWithoutVoxelsAndWithoutTruth) {
    const test::TemporaryFolder folder;
    lartpc::TiledBatch nothing;
    nothing.has_truth = true;
    nothing.cloud.starts = {0, 0, 0};
    nothing.truth.resize(2, {.voxels = {}, .width = 1, .values = {}});
    lartpc::write_xy(folder / name_of(1, 1), nothing);
    lartpc::write_xy(folder / name_of(2, 1), small_batch());
    write_without_truth(folder / name_of(3, 1));
    const lartpc::VoxelDataset set(
        {{folder / name_of(1, 1)}, {folder / name_of(2, 1)}, {folder / name_of(3, 1)}}, labels());
    const auto empty = set.load(std::vector<std::int64_t>{0});
    EXPECT_EQ(empty.size(), 0);
    EXPECT_EQ(empty.events(), 2);
    const auto mixed = set.load(std::vector<std::int64_t>{0, 1});
    EXPECT_EQ(mixed.size(), 4);
    EXPECT_TRUE(mixed.has_targets());
    EXPECT_EQ(mixed.coordinates[3], 2) << "events of the empty file keep their numbers";
    const auto without = set.load(std::vector<std::int64_t>{1, 2});
    EXPECT_FALSE(without.has_targets());
    EXPECT_THAT(without.targets, IsEmpty());

    auto strict = labels();
    strict.truth = lartpc::Truth::required;
    EXPECT_THAT(test::error_of([&] { load_one(folder / name_of(3, 1), strict); }),
                HasSubstr("has no truth"));
}

TEST(LartpcDataset, RefusesWhatIsNoEventFile) {
    const test::TemporaryFolder folder;
    const auto file = folder / name_of(1, 1);
    const auto message = [&] { return test::error_of([&] { load_one(file, labels()); }); };
    std::ofstream(file).flush();
    EXPECT_THAT(message(), HasSubstr(file.filename().string()));

    const std::vector<float> x{0, 0, 0, 0, 1, 2, 3};
    const std::vector<std::int64_t> starts{0};
    io::write_npz(file, {{"X", io::make_array(std::span<const float>(x), {1, 7})}});
    EXPECT_THAT(message(), HasSubstr("starts"));
    io::write_npz(file, {{"starts", io::make_array(starts)}});
    EXPECT_THAT(message(), HasSubstr("X"));

    auto damaged = small_batch();
    damaged.cloud.features[4] = std::numeric_limits<float>::quiet_NaN();
    lartpc::write_xy(file, damaged);
    EXPECT_THAT(message(), HasSubstr("row 1 of 'X'"));
    damaged = small_batch();
    damaged.cloud.truth[3] = std::numeric_limits<float>::infinity();
    lartpc::write_xy(file, damaged);
    EXPECT_THAT(message(), HasSubstr("row 3 of 'Y'"));

    const std::vector<float> nowhere{std::nanf(""), 0, 0, 0, 1, 2, 3};
    io::write_npz(file, {{"X", io::make_array(std::span<const float>(nowhere), {1, 7})},
                         {"starts", io::make_array(starts)}});
    EXPECT_THAT(message(), HasSubstr("coordinate"));
}

TEST(LartpcDataset, ChoosesFilesByIndexTpcAndFolder) {
    const test::TemporaryFolder folder;
    for (const char* part : {"a", "b"}) {
        for (int index = 1; index <= 4; ++index) {
            for (const int tpc : {1, 5}) {
                lartpc::write_xy(folder / (std::string(part) + "/" + name_of(index, tpc)),
                                 small_batch());
            }
        }
    }
    lartpc::DataOptions options;
    options.data_path = {(folder / "a").string(), (folder / "b").string()};
    options.train_i = {{1, 2}};
    options.inference_i = {{}, {4, 4}};
    options.tpcs = {{1}, {}};
    options.transforms.scale = {2.0, 3.0};
    const auto training = lartpc::select_files(options, lartpc::Subset::training);
    EXPECT_THAT(names(training), ElementsAre(name_of(1, 1), name_of(2, 1), name_of(1, 1),
                                             name_of(1, 5), name_of(2, 1), name_of(2, 5)));
    EXPECT_EQ(training.front().scale, 2.0);
    EXPECT_EQ(training.back().scale, 3.0);
    EXPECT_EQ(training.back().path.parent_path(), folder / "b");
    EXPECT_THAT(names(lartpc::select_files(options, lartpc::Subset::validation)),
                ElementsAre(name_of(4, 1), name_of(4, 5)));

    options.train_i.clear();
    EXPECT_THAT(lartpc::select_files(options, lartpc::Subset::training), IsEmpty());
    options.inference_i = {{7, 9}};
    EXPECT_THAT(test::error_of([&] { lartpc::select_files(options, lartpc::Subset::validation); }),
                HasSubstr("inference_i"));
    options.data_path = {(folder / "absent").string()};
    EXPECT_THAT(test::error_of([&] { lartpc::select_files(options, lartpc::Subset::validation); }),
                HasSubstr("absent"));
}

TEST(LartpcDataset, HoldsFilesOutWhereNoRangesAreGiven) {
    const test::TemporaryFolder folder;
    for (int index = 1; index <= 5; ++index) {
        lartpc::write_xy(folder / name_of(index, 1), small_batch());
    }
    lartpc::DataOptions options;
    options.data_path = {folder.path().string()};
    for (const double held_out : {0.0, 0.1, 0.4, 0.9}) {
        options.held_out = held_out;
        auto all = names(lartpc::select_files(options, lartpc::Subset::training));
        const auto kept = names(lartpc::select_files(options, lartpc::Subset::validation));
        EXPECT_FALSE(all.empty());
        EXPECT_EQ(kept.empty(), held_out == 0.0);
        all.insert(all.end(), kept.begin(), kept.end());
        EXPECT_EQ(all.size(), 5U) << "every file is in one of them";
        EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
    }
}

TEST(LartpcDataset, LimitsCoordinatesOfTrainingFilesAlone) {
    lartpc::DataOptions options;
    options.transforms.coord_lim = {{0, 5}};
    options.transforms.round = 2;
    const auto training =
        lartpc::treatment_of(options, lartpc::Subset::training, lartpc::Target::label, 3);
    EXPECT_EQ(training.transforms.coord_lim, options.transforms.coord_lim);
    EXPECT_EQ(training.truth, lartpc::Truth::required);
    EXPECT_EQ(training.label_above, options.threshold);
    const auto validation =
        lartpc::treatment_of(options, lartpc::Subset::validation, lartpc::Target::value, 3);
    EXPECT_THAT(validation.transforms.coord_lim, IsEmpty());
    EXPECT_EQ(validation.transforms.round, 2);
    EXPECT_EQ(validation.truth, lartpc::Truth::optional);
    EXPECT_FALSE(validation.label_above.has_value());
}
