#include "hodo/workflow/lartpc/pictures.hh"
#include "hodo/workflow/lartpc/verbs.hh"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace lartpc = hodo::lartpc;

namespace {

const auto scale = lartpc::voxel_scale(lartpc::protodune_sp(), {8, 4, 4});

}  // namespace

TEST(LartpcPictures, true_voxels_and_ghosts_are_scenes_of_their_own) {
    lartpc::TiledBatch batch;
    const lartpc::TiledEvent event{{{0, 1, 2}, {3, 1, 2}, {4, 1, 2}},
                                   {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}};
    const lartpc::VoxelImage truth{{{3, 1, 2}}, 1, {0.5}};
    batch.append(event, &truth);
    const auto display = lartpc::voxel_display(batch, scale, 0, 5, "a file");
    ASSERT_EQ(display.events.size(), 2u);
    ASSERT_EQ(display.events[0].hits.size(), 1u);
    EXPECT_EQ(display.events[0].hits[0].charge, 5);
    EXPECT_EQ(display.events[1].hits.size(), 2u);
    EXPECT_EQ(display.modules.size(), 3u);
    // The page's axes are z, x, y: a rotation of x, y, z, so nothing is seen in a mirror.
    EXPECT_EQ(display.words.axes, (std::array<std::string, 3>{"z", "x", "y"}));
    const auto& module = display.modules[0];
    EXPECT_DOUBLE_EQ(module.x, 2 * 8e-3);
    EXPECT_DOUBLE_EQ(module.y, 3 * 8 * 0.7825e-3);
    EXPECT_DOUBLE_EQ(module.z, 1 * 8e-3);
    EXPECT_DOUBLE_EQ(display.events[0].hits[0].time / display.time_unit, 3 * 4.0);
    EXPECT_EQ(display.words.time_unit, "\u00B5s");
    EXPECT_TRUE(lartpc::voxel_display(batch, scale, 1, 5, "a file").events.empty());
}

TEST(LartpcPictures, scores_divide_voxels_into_kept_and_lost) {
    lartpc::TiledBatch batch;
    const lartpc::TiledEvent event{{{0, 1, 2}, {3, 1, 2}, {4, 1, 2}, {5, 1, 2}},
                                   {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {1, 1, 1}}};
    const lartpc::VoxelImage truth{{{0, 1, 2}, {3, 1, 2}}, 1, {0.5, 0.5}};
    batch.append(event, &truth);
    const std::vector<float> scores{0.9F, 0.1F, 0.5F, 0.2F};
    const auto display = lartpc::scored_display(batch, scale, scores, 0.35, 0, 5, "a file");
    std::vector<std::size_t> hits;
    for (const auto& scene : display.events) hits.push_back(scene.hits.size());
    // kept, kept ghosts, lost, true
    EXPECT_EQ(hits, (std::vector<std::size_t>{2, 1, 1, 2}));
    batch.has_truth = false;
    EXPECT_EQ(lartpc::scored_display(batch, scale, scores, 0.35, 0, 5, "a file").events.size(), 1u);
}

TEST(LartpcPictures, energies_of_users_are_scenes_with_the_numbers_of_their_events) {
    // Energy and time: the second number is not shown.
    const lartpc::VoxelCloud cloud{.voxels = {{1, 2, 3}, {4, 5, 6}, {4, 5, 6}},
                                   .width = 2,
                                   .features = {0.5F, 9, 2, 9, 3, 9},
                                   .starts = {0, 2, 2, 3}};
    const auto display = lartpc::energy_display(cloud, 7, "a file");
    ASSERT_EQ(display.events.size(), 3u);
    EXPECT_EQ(display.events[0].title, "event 7");
    ASSERT_EQ(display.events[0].hits.size(), 2u);
    EXPECT_EQ(display.events[0].hits[0].charge, 0.5);
    EXPECT_DOUBLE_EQ(display.events[0].hits[1].time / display.time_unit, 4);
    EXPECT_TRUE(display.events[1].hits.empty());
    EXPECT_EQ(display.events[2].hits[0].charge, 3);
    EXPECT_EQ(display.modules.size(), 2u);
    EXPECT_DOUBLE_EQ(display.modules[0].x, 3 * 3e-3);
    EXPECT_EQ(display.charge_unit, "MeV");
}

TEST(LartpcPictures, every_sample_stands_on_its_plane) {
    const auto& face = lartpc::protodune_sp().faces[0];
    std::vector<double> matrix(2 * 2560);
    matrix[1600] = 3;        // the first straight wire
    matrix[2560 + 820] = 2;  // wrapped: two wires of V
    const auto figure = lartpc::plane_figure(lartpc::sparse_signals(matrix, 2, 2560), face);
    const auto sum = [&](int k) {
        const auto& series = figure.panels().at({0, k}).series();
        double total = 0;
        for (const double v : std::get<hodo::draw::HeatSeries>(series.at(0)).values) {
            if (v == v) total += v;
        }
        return total;
    };
    EXPECT_EQ(sum(0), 4);
    EXPECT_EQ(sum(1), 3);
    EXPECT_EQ(sum(2), 0);
}

TEST(LartpcPictures, files_are_recognised_by_their_names) {
    EXPECT_TRUE(lartpc::recognises_events("batch0-reco_Mu_001_xy-TPC1.npz"));
    EXPECT_TRUE(lartpc::recognises_events("reco_Mu_001_wire-TPC1.npz"));
    EXPECT_FALSE(lartpc::recognises_events("reco_Mu_001_depo-TPC1.npz"));
    EXPECT_FALSE(lartpc::recognises_events("events.parquet"));
}
