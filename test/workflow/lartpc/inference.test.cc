// Files to outputs in passes, with a network that can be computed by hand.

#include "hodo/workflow/lartpc/inference.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/workflow/lartpc/dataset.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "support/reference.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

namespace base = hodo::base;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// Files of events of the given numbers of voxels; x counts voxels, the first charge is x / 10.
base::Path write_file(const base::Path& folder, int index, const std::vector<int>& sizes) {
    lartpc::TiledBatch batch;
    batch.cloud.width = 3;
    batch.has_truth = true;
    for (const int size : sizes) {
        for (int i = 0; i < size; ++i) {
            const auto x = std::int32_t(batch.cloud.size());
            batch.cloud.voxels.push_back({x, index, 0});
            batch.cloud.features.insert(batch.cloud.features.end(),
                                        {float(x) / 10, float(index), 1.0F});
            batch.cloud.truth.push_back(float(x % 2));
        }
        batch.cloud.starts.push_back(batch.cloud.size());
        batch.truth.push_back({.voxels = {}, .width = 1, .values = {}});
    }
    const auto file = folder / base::format("batch0-reco_Mu_{:03d}_xy-TPC1.npz", index);
    lartpc::write_xy(file, batch);
    return file;
}

/// Answers 100 file + x, and notes how large the passes were.
struct Counting {
    std::vector<std::int64_t> passes, events;

    lartpc::Predict predict() {
        return [this](const lartpc::VoxelBatch& batch) {
            passes.push_back(batch.size());
            events.push_back(batch.events());
            std::vector<float> answers;
            for (std::int64_t i = 0; i < batch.size(); ++i) {
                const auto at = std::size_t(4 * i);
                EXPECT_LT(batch.coordinates[at + 3], batch.events());
                answers.push_back(float(100 * batch.coordinates[at + 1] + batch.coordinates[at]));
            }
            return answers;
        };
    }
};

std::vector<float> counted(int index, int size) {
    std::vector<float> values(std::size_t(size), 0.0F);
    std::iota(values.begin(), values.end(), float(100 * index));
    return values;
}

}  // namespace

TEST(LartpcInference, GivesEveryFileItsRowsWhateverThePasses) {
    for (const std::int64_t voxels : {1, 3, 4, 7, 1000}) {
        const test::TemporaryFolder folder;
        const std::vector<base::Path> files{write_file(folder / "xy", 1, {3, 0, 2}),
                                            write_file(folder / "xy", 2, {0}),
                                            write_file(folder / "xy", 3, {5, 1})};
        lartpc::ApplyOptions options;
        options.voxels = voxels;
        Counting network;
        int done = 0;
        const auto count = lartpc::infer_files(files, folder / "out", 7, options, network.predict(),
                                               [&] { ++done; });
        EXPECT_EQ(count.files, 3);
        EXPECT_EQ(count.voxels, 11);
        EXPECT_EQ(done, 3);
        const std::vector<int> sizes{5, 0, 6};
        for (std::size_t i = 0; i < files.size(); ++i) {
            const auto output = folder / "out" / lartpc::inference_name(files[i], 7);
            EXPECT_EQ(lartpc::read_inference(output), counted(int(i) + 1, sizes[i]));
        }
        for (std::size_t i = 0; i < network.passes.size(); ++i) {
            EXPECT_GT(network.passes[i], 0) << "nothing is not shown to the network";
            EXPECT_TRUE(network.passes[i] <= voxels || network.events[i] == 1);
        }
        if (voxels == 1000) {
            EXPECT_THAT(network.passes, ElementsAre(11));
        }
    }
}

TEST(LartpcInference, LeavesWhatIsThere) {
    const test::TemporaryFolder folder;
    const std::vector<base::Path> files{write_file(folder / "xy", 1, {3}),
                                        write_file(folder / "xy", 2, {2})};
    lartpc::ApplyOptions options;
    Counting network;
    const auto infer = [&](const std::vector<base::Path>& some) {
        return lartpc::infer_files(some, folder / "out", 0, options, network.predict(), [] {});
    };
    EXPECT_EQ(infer({files[0]}).files, 1);
    const auto count = infer(files);
    EXPECT_EQ(count.files, 1);
    EXPECT_EQ(count.present, 1);
    EXPECT_THAT(network.passes, ElementsAre(3, 2));
}

TEST(LartpcInference, WritesTheVoxelsThatReachTheThreshold) {
    const test::TemporaryFolder folder;
    const auto file = write_file(folder / "xy", 0, {4, 3, 1});
    lartpc::ApplyOptions options;
    options.threshold = 2;
    Counting network;
    lartpc::infer_files({file}, folder / "out", 0, options, network.predict(), [] {});
    const auto kept = lartpc::read_xy(folder / "out" / ("kept-" + file.filename().string()));
    EXPECT_THAT(kept.cloud.starts, ElementsAre(0, 2, 5, 6));
    EXPECT_EQ(kept.cloud.voxels.front()[0], 2);
    EXPECT_FLOAT_EQ(kept.cloud.features.front(), 0.2F);
    EXPECT_THAT(kept.cloud.truth, ElementsAre(0, 1, 0, 1, 0, 1));
    EXPECT_EQ(kept.truth.size(), 3U);
}

TEST(LartpcInference, GivesTheNetworkTheFeaturesOfTheTraining) {
    const test::TemporaryFolder folder;
    const auto file = write_file(folder / "xy", 1, {2});
    lartpc::ApplyOptions options;
    options.z_segments = {-1, 1};
    options.round = 0;
    const auto check = [](const lartpc::VoxelBatch& batch) {
        EXPECT_THAT(batch.features, ElementsAre(0, 1, 1, 0, 1, 0, 1, 1, 0, 1));
        return std::vector<float>(2);
    };
    lartpc::infer_files({file}, folder / "out", 0, options, check, [] {});
}

TEST(LartpcInference, CutsEventsOutOfABatch) {
    const test::TemporaryFolder folder;
    const lartpc::VoxelDataset set(
        {{write_file(folder / "xy", 1, {2, 0, 3})}, {write_file(folder / "xy", 2, {1})}}, {});
    const auto batch = set.load(std::vector<std::int64_t>{0, 1});
    const auto part = lartpc::events_of(batch, 1, 4);
    EXPECT_EQ(part.size(), 4);
    EXPECT_THAT(part.event_starts, ElementsAre(0, 0, 3, 4));
    EXPECT_EQ(part.coordinates[3], 1);
    EXPECT_EQ(part.coordinates[15], 2);
    EXPECT_FLOAT_EQ(part.features[0], 0.2F);
}

TEST(LartpcInference, DoesNotMixOutputsOfTwoNetworks) {
    const test::TemporaryFolder folder;
    lartpc::note_facts(folder / "network.json", {{"fingerprint", "a"}, {"threshold", "0.5"}});
    lartpc::note_facts(folder / "network.json", {{"fingerprint", "a"}, {"threshold", "0.5"}});
    const auto message = test::error_of([&] {
        lartpc::note_facts(folder / "network.json", {{"fingerprint", "b"}, {"threshold", "0.5"}});
    });
    EXPECT_THAT(message, HasSubstr("fingerprint a, not b"));
    EXPECT_THAT(test::error_of([&] {
                    lartpc::note_facts(folder / "network.json", {{"round", "1"}});
                }),
                HasSubstr("not noted"));
}

TEST(LartpcInference, outputs_that_are_no_numbers_stop_with_their_file) {
    const test::TemporaryFolder folder;
    const auto file = write_file(folder.path(), 1, {4});
    const lartpc::Predict broken = [](const lartpc::VoxelBatch& batch) {
        std::vector<float> answers(std::size_t(batch.size()), 0.5F);
        answers[2] = std::numeric_limits<float>::quiet_NaN();
        return answers;
    };
    const auto error =
        test::error_of([&] { lartpc::infer_files({file}, folder.path(), 0, {}, broken, [] {}); });
    EXPECT_THAT(error, HasSubstr("batch0-reco_Mu_001_xy-TPC1.npz"));
    EXPECT_THAT(error, HasSubstr("voxel 2 of 4 is nan"));
    EXPECT_FALSE(std::filesystem::exists(folder / "epoch0-batch0-reco_Mu_001_yinf-TPC1.npy"));
}
