#include "hodo/detector/lartpc/particle_quality.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
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

/// Options with the volume of TPC 1.
lartpc::ParticleOptions in_first() {
    const std::array<int, 1> tpcs{1};
    return {.volume = lartpc::active_volume(lartpc::protodune_sp(), tpcs)};
}

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
                                               example.charge, in_first());
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

namespace {

/// How many of two muons stop inside when the second's voxels are moved by `shift`.
std::size_t stopping(const lartpc::Voxel& shift, const lartpc::TrackEnds& ends = {}) {
    Example example;
    for (std::size_t i = 0; i < example.truth.voxels.size(); ++i) {
        if (example.truth.value(std::int64_t(i), 1) != 8) continue;
        for (std::size_t d = 0; d < 3; ++d) example.truth.voxels[i][d] += shift[d];
    }
    for (auto& voxel : example.voxels) {
        if (voxel[0] != 500) continue;
        for (std::size_t d = 0; d < 3; ++d) voxel[d] += shift[d];
    }
    const auto found = lartpc::judge_particles({example.truth, example.voxels, example.scores},
                                               example.charge, in_first(), ends);
    EXPECT_EQ(found.particles.size(), 2u);
    EXPECT_EQ(found.true_tracks.size(), found.found_tracks.size());
    return found.true_tracks.size();
}

}  // namespace

TEST(ParticleQuality, a_track_that_ends_at_any_face_of_the_volume_does_not_stop) {
    EXPECT_EQ(stopping({0, 0, 0}), 2u);
    // In time, the anode lies at voxel 62.5 along the drift and the cathode at 635.5.
    EXPECT_EQ(stopping({70 - 500, 0, 0}), 1u);
    EXPECT_EQ(stopping({628 - 500, 0, 0}), 1u);
    EXPECT_EQ(stopping({80 - 500, 0, 0}), 2u);
    EXPECT_EQ(stopping({0, 5 - 481, 0}), 1u);
    EXPECT_EQ(stopping({0, 0, 283 - 200}), 1u);
}

TEST(ParticleQuality, the_true_end_decides_where_it_is_known) {
    const lartpc::Point3 middle{-1500, 3000, 1000};
    // Out of time: the voxels seem to end at the anode.
    EXPECT_EQ(stopping({70 - 500, 0, 0}, {{8, middle}}), 2u);
    // Through the anode, the cathode, the floor and the end of the TPC.
    for (const auto& out : {lartpc::Point3{-3580, 3000, 1000},
                            {-50, 3000, 1000},
                            {-1500, 80, 1000},
                            {-1500, 3000, 2400}}) {
        EXPECT_EQ(stopping({0, 0, 0}, {{8, out}}), 1u) << out[0] << " " << out[1] << " " << out[2];
    }
    EXPECT_EQ(stopping({0, 0, 0}, {{7, middle}, {8, middle}}), 2u);
}

TEST(ParticleQuality, joined_tpcs_are_one_volume) {
    const std::array<int, 3> tpcs{1, 5, 9};
    const auto volume = lartpc::active_volume(lartpc::protodune_sp(), tpcs);
    EXPECT_NEAR(volume.high[2], 2 * 2320 + 2300, 1e-9);
    EXPECT_NEAR(volume.hall_high[2], 3 + 2 * 2320 + 2300, 1e-9);
    EXPECT_NEAR(volume.low[0], 391.25, 1e-9);
    EXPECT_NEAR(volume.high[0], 391.25 + 3587, 1e-9);
    EXPECT_NEAR(volume.hall_low[0], -3587, 1e-9);
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
