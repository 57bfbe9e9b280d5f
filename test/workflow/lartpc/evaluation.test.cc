#include "hodo/workflow/lartpc/evaluation.hh"
#include "hodo/io/npz_archive.hh"
#include "hodo/io/pickle.hh"
#include "hodo/io/zip.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/stats_files.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <iostream>

namespace io = hodo::io;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;
using testing::HasSubstr;

namespace {

lartpc::TiledBatch example() {
    lartpc::TiledBatch batch;
    for (int number = 0; number < 3; ++number) {
        lartpc::TiledEvent event;
        lartpc::VoxelImage truth{.voxels = {}, .width = 3, .values = {}};
        for (std::int32_t i = 0; i < 100; ++i) {
            event.voxels.push_back({i, 100 + i, 50});
            event.charge.push_back({1, 2, 3});
            event.voxels.push_back({i, 100 + i, 60});
            event.charge.push_back({1, 2, 3});
            if (number == 2) continue;  // an event without truth
            truth.voxels.push_back({i, 100 + i, 50});
            truth.values.insert(truth.values.end(), {1.5, 4, 13});
        }
        batch.append(event, &truth);
    }
    return batch;
}

std::vector<float> scores_of(const lartpc::TiledBatch& batch) {
    std::vector<float> scores;
    for (const auto& voxel : batch.cloud.voxels) scores.push_back(voxel[2] == 50 ? 0.8F : 0.2F);
    return scores;
}

const lartpc::FileName name =
    lartpc::parse_file_name("batch2-reco_BeamCosmic_007_xy-TPC5.npz").value();

}  // namespace

TEST(LartpcEvaluation, events_are_counted_and_those_without_truth_left_out_of_curves) {
    lartpc::GhostEvaluation ghosts({});
    const auto batch = example();
    ghosts.add(name, batch, scores_of(batch));
    EXPECT_EQ(ghosts.events().size(), 2u);
    EXPECT_EQ(ghosts.without_truth(), 1);
    EXPECT_NEAR(ghosts.mean(lartpc::CurveKind::active).area(), 1, 1e-12);
    EXPECT_EQ(ghosts.confusion().true_kept, 200);
    EXPECT_EQ(ghosts.confusion().ghosts_kept, 100);  // scores of the event without truth
    EXPECT_EQ(ghosts.confusion_by_name().at("muon").true_kept, 200);
    EXPECT_EQ(ghosts.by_tpc().size(), 1u);
    EXPECT_TRUE(ghosts.by_tpc().contains(5));
    EXPECT_EQ(ghosts.ghosts_per_true(), 1);
    EXPECT_EQ(ghosts.particles().size(), 2u);
    const auto json = ghosts.json();
    EXPECT_NEAR(json.at("curves").at("all").at("area").number(), 1, 1e-12);
    EXPECT_EQ(json.at("confusion").at("true_kept").integer(), 200);
    EXPECT_EQ(json.at("particle_list").items().size(), 2u);
}

TEST(LartpcEvaluation, files_judged_one_by_one_are_the_files_judged_together) {
    const auto batch = example();
    auto scores = scores_of(batch);
    for (std::size_t i = 0; i < scores.size(); i += 3) scores[i] = 0.5F;
    lartpc::GhostEvaluation once({}), twice({});
    once.add(name, batch, scores);
    twice.add(name, batch, scores);
    twice.add(name, batch, scores);
    EXPECT_NEAR(once.mean(lartpc::CurveKind::active).area(),
                twice.mean(lartpc::CurveKind::active).area(), 1e-12);
    EXPECT_EQ(2 * once.confusion().true_kept, twice.confusion().true_kept);
    EXPECT_EQ(2 * once.events().size(), twice.events().size());
}

TEST(LartpcEvaluation, charges_are_judged_where_a_ghost_network_keeps_voxels) {
    const auto batch = example();
    const std::vector<float> charges(batch.cloud.voxels.size(), 3.0F);
    lartpc::ChargeEvaluation all({.scale = 2}), kept({.scale = 2});
    all.add(batch, charges, {});
    kept.add(batch, charges, scores_of(batch));
    EXPECT_EQ(all.quality().voxels(), 600);
    EXPECT_EQ(kept.quality().voxels(), 300);
    EXPECT_EQ(all.event_sums().size(), 3u);
    EXPECT_EQ(kept.event_sums()[0].first, 300);
    EXPECT_EQ(kept.event_sums()[0].second, 300);
    ASSERT_EQ(kept.quality().bins().size(), 1u);
    EXPECT_NEAR(kept.quality().bins()[0].bias, 0, 0.02);
    EXPECT_EQ(kept.json().at("events").items().size(), 3u);
}

TEST(LartpcEvaluation, outputs_find_their_voxels_or_say_which_are_missing) {
    const test::TemporaryFolder folder;
    std::filesystem::create_directories(folder / "xy");
    std::filesystem::create_directories(folder / "out");
    const auto xy = folder / "xy/batch2-reco_BeamCosmic_007_xy-TPC5.npz";
    const auto batch = example();
    lartpc::write_xy(xy, batch);
    for (const int epoch : {3, 10}) {
        lartpc::write_inference(folder / "out" / lartpc::inference_name(xy, epoch),
                                scores_of(batch));
    }
    const std::vector<std::string> out{(folder / "out").string()}, in{(folder / "xy").string()};
    auto files = lartpc::judged_files(out, in, {}, -1);
    ASSERT_EQ(files.size(), 1u);
    EXPECT_THAT(files[0].inference.string(), HasSubstr("epoch10-"));
    EXPECT_THAT(lartpc::judged_files(out, in, {}, 3)[0].inference.string(), HasSubstr("epoch3-"));
    EXPECT_THAT(test::error_of([&] { lartpc::judged_files(out, in, {}, 4); }),
                HasSubstr("--epoch"));
    std::filesystem::rename(xy, folder / "xy/batch2-reco_BeamCosmic_008_xy-TPC5.npz");
    EXPECT_THAT(test::error_of([&] { lartpc::judged_files(out, in, {}, -1); }),
                HasSubstr("batch2-reco_BeamCosmic_007_xy-TPC5.npz"));
}

TEST(LartpcStats, files_have_the_published_names_and_keys) {
    const test::TemporaryFolder folder;
    lartpc::GhostEvaluation ghosts({.truth_threshold = 0.17});
    const auto batch = example();
    ghosts.add(name, batch, scores_of(batch));
    const auto files = lartpc::write_stats(
        folder.path(), {.epoch = 24, .type = "BeamCosmic", .tpc = 5, .tag = "v2"}, ghosts);
    ASSERT_EQ(files.size(), 4u);
    EXPECT_EQ(files[0].filename(), "epoch24-BeamCosmic-tpc5_stats-thres0.17-N2-v2.npz");
    EXPECT_EQ(files[1].filename(), "epoch24-BeamCosmic-tpc5_stats-thres0.17-comptrue-N2-v2.npz");
    EXPECT_EQ(files[2].filename(), "epoch24-BeamCosmic-tpc5_stats-thres0.17-weighted-N2-v2.npz");
    EXPECT_EQ(files[3].filename(),
              "epoch24-BeamCosmic-tpc5_stats-thres0.17-downsample(2, 2, 2)-N2-v2.npz");
    const auto stats = io::NpzArchive::open(files[0]);
    const auto curve = ghosts.mean(lartpc::CurveKind::active);
    EXPECT_EQ(stats.read("xs").doubles(), curve.purity);
    EXPECT_EQ(stats.read("ys").doubles(), curve.sensitivity);
    EXPECT_EQ(stats.read("thresholds").doubles(), curve.thresholds);
    EXPECT_EQ(stats.read("n_T").doubles(), std::vector<double>{100});
    EXPECT_TRUE(stats.read("n_T").shape.empty());
    EXPECT_EQ(stats.read("n_FP_naive").doubles(), std::vector<double>{100});
    const auto segment = stats.read_objects("0_0");
    ASSERT_EQ(segment.size(), 5u);
    EXPECT_EQ(segment[0].doubles().size(), 50u);
    EXPECT_EQ(segment[2].doubles(), std::vector<double>{100});
    const auto events = stats.read_objects("event_stats");
    ASSERT_EQ(events.size(), 14u);
    EXPECT_EQ(events[8].doubles(), std::vector<double>{1});
    EXPECT_EQ(events[9].doubles().size(), 50u);
    EXPECT_EQ(events[11].doubles(), std::vector<double>{100});
}

TEST(LartpcStats, a_particle_is_the_tuple_of_the_published_analysis) {
    const test::TemporaryFolder folder;
    lartpc::GhostEvaluation ghosts({.truth_threshold = 0.17});
    const auto batch = example();
    ghosts.add(name, batch, scores_of(batch));
    const auto file = lartpc::write_stats(folder.path(), {.epoch = 24}, ghosts).front();
    const auto archive = io::ZipReader::open(file);
    const auto* member = archive.find("event_stats.npy");
    ASSERT_NE(member, nullptr);
    const auto events = archive.read(*member, io::Checksum::verify);
    const std::string_view header(reinterpret_cast<const char*>(events.bytes.data()), 128);
    EXPECT_THAT(header, HasSubstr("'shape': (2, 7)"));
    member = archive.find("arr_1.npy");
    ASSERT_NE(member, nullptr);
    const auto content = archive.read(*member, io::Checksum::verify);
    const auto pickle = io::Pickle::parse({content.bytes.subspan(128), content.owner}, "arr_1");
    const auto state = pickle.root().state();
    ASSERT_TRUE(state);
    const auto list = state->item(4);
    ASSERT_EQ(list.size(), 9u);
    const auto who = list.item(0);
    EXPECT_EQ(who.kind(), io::PickleKind::tuple);
    ASSERT_EQ(who.size(), 6u);
    const auto& quality = ghosts.particles().at(1).quality;
    EXPECT_EQ(who.item(1).real(), 13);
    EXPECT_EQ(who.item(2).integer(), quality.all_true);
    ASSERT_EQ(who.item(3).size(), 3u);
    EXPECT_EQ(who.item(3).item(0).real(), quality.direction.theta());
    EXPECT_EQ(who.item(4).kind(), io::PickleKind::none);
    EXPECT_EQ(list.item(7).integer(), 7);
}
