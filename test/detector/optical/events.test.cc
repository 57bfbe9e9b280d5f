#include "hodo/detector/optical/events.hh"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>

#include "hodo/base/error.hh"
#include "hodo/base/random.hh"
#include "hodo/base/units.hh"

namespace hodo::optical {
namespace {

using testing::ElementsAre;

constexpr double pi = std::numbers::pi;

Truth truth_with_final(std::vector<std::array<double, 3>> energy_zenith_azimuth) {
    Truth truth;
    for (const auto& [energy, zenith, azimuth] : energy_zenith_azimuth) {
        truth.final_state.push_back({13, energy, zenith, azimuth, {}, 0});
    }
    return truth;
}

TEST(Direction, angles_and_vectors_are_inverse) {
    base::Random random(3, "directions");
    for (int k = 0; k < 100; ++k) {
        const double zenith = std::acos(random.uniform(-1, 1));
        const double azimuth = random.uniform(0, 2 * pi);
        const Angles angles = travel_angles(travel_direction(zenith, azimuth));
        EXPECT_NEAR(angles.zenith, zenith, 1e-12);
        EXPECT_NEAR(angles.azimuth, azimuth, 1e-12);
    }
    EXPECT_NEAR(travel_direction(0, 1.3)[2], 1.0, 1e-15);
}

TEST(Direction, opening_angle_is_exact_for_small_and_large_angles) {
    const Point up = travel_direction(0, 0);
    EXPECT_NEAR(opening_angle(up, travel_direction(1e-9, 2.0)), 1e-9, 1e-20);
    EXPECT_NEAR(opening_angle(up, travel_direction(pi, 0)), pi, 1e-12);
    EXPECT_NEAR(opening_angle(travel_direction(pi / 2, 0), travel_direction(pi / 2, 1)), 1, 1e-12);
}

TEST(Direction, of_the_neutrino_is_the_energy_weighted_sum_of_the_final_state) {
    Truth truth = truth_with_final({{3.0, pi / 2, 0.0}, {4.0, pi / 2, pi / 2}});
    truth.initial.zenith = 0.0;
    const Point n = neutrino_direction(truth, TruthDirection::final);
    EXPECT_NEAR(n[0], 0.6, 1e-12);
    EXPECT_NEAR(n[1], 0.8, 1e-12);
    EXPECT_NEAR(neutrino_direction(truth, TruthDirection::initial)[2], 1.0, 1e-12);
    EXPECT_NEAR(*direction_disagreement(truth), pi / 2, 1e-12);
}

TEST(Direction, without_a_final_state_is_the_initial_one) {
    Truth truth;
    truth.initial.zenith = pi / 2;
    truth.initial.azimuth = pi / 2;
    EXPECT_NEAR(neutrino_direction(truth, TruthDirection::final)[1], 1.0, 1e-12);
    EXPECT_FALSE(direction_disagreement(truth));
}

TEST(Direction, ignores_final_state_entries_that_are_not_numbers) {
    const double nan = std::nan("");
    const Truth truth = truth_with_final({{nan, 0, 0}, {5.0, nan, 0}, {2.0, pi, 0}});
    EXPECT_NEAR(neutrino_direction(truth, TruthDirection::final)[2], -1.0, 1e-12);
}

TEST(Direction, that_nobody_knows_is_not_a_number) {
    Truth truth;
    truth.initial.zenith = std::nan("");
    EXPECT_TRUE(std::isnan(neutrino_direction(truth, TruthDirection::initial)[0]));
}

Events two_events() {
    Events events;
    events.offsets = {0, 1, 3};
    events.time = {1, 2, 3};
    events.x = events.y = events.z = {0, 0, 0};
    events.string = events.sensor = {1, 2, 3};
    events.weight = {0.5, 0.6, 0.7};
    events.truth.resize(2);
    events.file = {4, 4};
    events.row = {8, 9};
    return events;
}

TEST(Events, append_copies_one_event_with_all_its_columns) {
    const Events source = two_events();
    Events target;
    target.append(source, 1);
    target.append(source, 0);
    EXPECT_THAT(target.offsets, ElementsAre(0, 2, 3));
    EXPECT_THAT(target.time, ElementsAre(2, 3, 1));
    EXPECT_THAT(target.weight, ElementsAre(0.6, 0.7, 0.5));
    EXPECT_THAT(target.row, ElementsAre(9, 8));
    EXPECT_EQ(target.truth.size(), 2U);
    EXPECT_EQ(target.module(2), (ModuleId{1, 1}));
}

TEST(Events, append_refuses_to_mix_weighted_and_unweighted_photons) {
    const Events weighted = two_events();
    Events plain = two_events();
    plain.weight.clear();
    EXPECT_THROW(plain.append(weighted, 0), base::Defect);
}

}  // namespace
}  // namespace hodo::optical
