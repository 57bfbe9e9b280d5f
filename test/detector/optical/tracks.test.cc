#include "hodo/detector/optical/tracks.hh"

#include <cmath>

#include <gtest/gtest.h>

namespace hodo::optical {
namespace {

TEST(Muon, loses_energy_at_the_mean_rate) {
    const MuonLosses losses = muon_losses(ice());
    constexpr double energy = 1e4, length = 200;
    constexpr int trials = 4000;
    double sum = 0, squares = 0;
    for (int k = 0; k < trials; ++k) {
        base::Random random(5, "muon test", static_cast<std::uint64_t>(k));
        const auto track = propagate_muon(ice(), {0, 0, 0}, {0, 0, 1}, 0, energy, length, random);
        const double left = track.energy_at(length, losses.continuous);
        sum += left;
        squares += left * left;
    }
    const double mean = sum / trials;
    const double ratio = losses.continuous / losses.proportional;
    const double expected = (energy + ratio) * std::exp(-losses.proportional * length) - ratio;
    const double error = std::sqrt((squares / trials - mean * mean) / trials);
    EXPECT_NEAR(mean, expected, 4 * error);
}

TEST(Muon, stops_within_its_range_and_keeps_its_books) {
    base::Random random(6, "muon test");
    for (const double energy : {1.0, 50.0, 1000.0}) {
        const auto track = propagate_muon(ice(), {0, 0, 0}, {1, 0, 0}, 0, energy, 1e6, random);
        EXPECT_LT(track.length, energy / muon_losses(ice()).continuous);
        double left = energy, before = 0;
        for (const auto& loss : track.losses) {
            EXPECT_GE(loss.distance, before);
            left -= muon_losses(ice()).continuous * (loss.distance - before);
            EXPECT_NEAR(loss.before, left, 1e-6 * energy);
            left -= loss.energy;
            before = loss.distance;
        }
        EXPECT_GE(left, 0);
    }
}

TEST(Muon, mean_range_solves_the_mean_energy_loss) {
    const MuonLosses losses = muon_losses(water());
    const double range = mean_muon_range(water(), 5000);
    // The energy after that range, from dE/dx = -(a + b E), is zero.
    const double ratio = losses.continuous / losses.proportional;
    EXPECT_NEAR((5000 + ratio) * std::exp(-losses.proportional * range) - ratio, 0.0, 1e-9);
}

}  // namespace
}  // namespace hodo::optical
