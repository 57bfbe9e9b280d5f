#include "hodo/detector/lartpc/particle_quality.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace lartpc = hodo::lartpc;

namespace {

/// Two straight particles far apart, thick enough to have active voxels around true ones.
struct Example {
    lartpc::VoxelImage truth{.voxels = {}, .width = 3, .values = {}};
    std::vector<lartpc::Voxel> voxels;
    std::vector<float> scores, charge;

    Example() {
        for (std::int32_t i = 0; i < 120; ++i) {
            add({100 + i / 3, 200 + i, 40 + i / 3}, 7, 13);
            add({500, 600 - i, 200}, 8, -13);
        }
        for (std::int32_t i = 0; i < 5; ++i) add({300, 300, 100 + i}, 9, 11);  // too small
        std::sort(rows.begin(), rows.end());
        for (const auto& [voxel, who] : rows) {
            truth.voxels.push_back(voxel);
            truth.values.insert(truth.values.end(), {2.0, who.first, who.second});
        }
    }
    void add(const lartpc::Voxel& voxel, double track, double pdg) {
        rows.push_back({voxel, {track, pdg}});
        voxels.push_back(voxel);
        scores.push_back(0.9F);
        charge.push_back(2);
        voxels.push_back({voxel[0], voxel[1] + 1, voxel[2] + 2});  // a ghost beside it
        scores.push_back(0.1F);
        charge.push_back(5);
    }
    std::vector<std::pair<lartpc::Voxel, std::pair<double, double>>> rows;
};

}  // namespace

TEST(ParticleQuality, active_voxels_belong_to_the_nearest_particle) {
    const Example example;
    const auto found = lartpc::judge_particles({example.truth, example.voxels, example.scores},
                                               example.charge, {});
    ASSERT_EQ(found.particles.size(), 2u);
    for (const auto& particle : found.particles) {
        EXPECT_EQ(particle.all_true, 120);
        EXPECT_EQ(particle.active_true, 120);
        EXPECT_EQ(particle.value, 240);
        EXPECT_NEAR(particle.curve.area(), 1, 1e-12);
        ASSERT_TRUE(particle.deviation);
        EXPECT_NEAR(*particle.deviation, 0, 1e-3);
    }
    // Ghosts of the small particle are not lost: they belong to it, and it is not judged.
    EXPECT_EQ(found.particles[0].active + found.particles[1].active, 480);
    EXPECT_NEAR(found.particles[1].direction.theta(), 90, 1e-6);
    EXPECT_NEAR(std::abs(found.particles[1].direction.phi()), 90, 1e-6);
}

TEST(ParticleQuality, kept_true_voxels_have_the_charge_per_length_of_the_truth) {
    const Example example;
    const auto found = lartpc::judge_particles({example.truth, example.voxels, example.scores},
                                               example.charge, {});
    ASSERT_EQ(found.true_tracks.size(), 2u);
    ASSERT_EQ(found.found_tracks.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(found.true_tracks[i].dqdx, found.found_tracks[i].dqdx);
        EXPECT_EQ(found.true_tracks[i].residual_range.back(), 0);
        EXPECT_GT(found.true_tracks[i].dqdx.size(), 20u);
    }
    // Vertical: a voxel of 8 mm holds 2.
    const auto& vertical = found.true_tracks[1].dqdx;
    for (const double value : vertical) EXPECT_NEAR(value, 2.0 / 8, 0.1);
}

TEST(ParticleQuality, without_labels_or_voxels_nobody_is_judged) {
    const lartpc::VoxelImage unlabelled{{{1, 2, 3}}, 1, {1}}, nothing{{}, 3, {}};
    const std::vector<lartpc::Voxel> voxels{{1, 2, 3}};
    const std::vector<float> one{1};
    EXPECT_TRUE(lartpc::judge_particles({unlabelled, voxels, one}, one, {}).particles.empty());
    EXPECT_TRUE(lartpc::judge_particles({nothing, voxels, one}, one, {}).particles.empty());
    EXPECT_EQ(lartpc::particle_name(-13), "muon");
    EXPECT_EQ(lartpc::particle_name(321), "PDG 321");
}
