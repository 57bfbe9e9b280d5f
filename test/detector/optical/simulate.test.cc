#include "hodo/detector/optical/simulate.hh"

#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>

#include "hodo/base/config.hh"
#include "hodo/base/threads.hh"
#include "hodo/base/units.hh"
#include "hodo/detector/optical/schema.hh"
#include "hodo/detector/optical/validate.hh"
#include "support/reference.hh"

namespace hodo::optical {
namespace {

using testing::HasSubstr;

SimulationOptions small_options() {
    SimulationOptions options;
    options.events = 20;
    options.geometry = GeometryChoice::toy;
    options.energy_max = 2e4;
    return options;
}

void expect_same(const Events& a, const Events& b) {
    EXPECT_EQ(a.offsets, b.offsets);
    EXPECT_EQ(a.time, b.time);
    EXPECT_EQ(a.string, b.string);
    EXPECT_EQ(a.sensor, b.sensor);
    EXPECT_EQ(a.source, b.source);
    ASSERT_EQ(a.truth.size(), b.truth.size());
    for (std::size_t e = 0; e < a.truth.size(); ++e) {
        EXPECT_EQ(a.truth[e].initial.energy, b.truth[e].initial.energy);
        EXPECT_EQ(a.truth[e].initial.position, b.truth[e].initial.position);
    }
}

TEST(Simulator, events_depend_on_seed_and_number_only) {
    const EventSimulator simulator(small_options());
    const int threads = base::threads();
    base::set_threads(1);
    const Events whole = simulator.simulate(0, 20);
    base::set_threads(3);
    expect_same(whole, simulator.simulate(0, 20));
    base::set_threads(threads);
    Events parts;
    for (const auto& [first, count] : {std::pair(0, 7), std::pair(7, 13)}) {
        const Events part = simulator.simulate(first, count);
        for (std::int64_t e = 0; e < part.size(); ++e) parts.append(part, e);
    }
    expect_same(whole, parts);
    EXPECT_EQ(parts.row, whole.row);
    SimulationOptions other = small_options();
    other.seed = 2;
    EXPECT_NE(EventSimulator(other).simulate(0, 1).truth[0].initial.energy,
              whole.truth[0].initial.energy);
}

TEST(Simulator, conserves_energy_and_keeps_particles_consistent) {
    SimulationOptions options = small_options();
    options.events = 200;
    const Events events = EventSimulator(options).simulate(0, options.events);
    std::set<std::int64_t> flavours;
    for (const Truth& truth : events.truth) {
        ASSERT_EQ(truth.final_state.size(), 2U);
        const Particle &lepton = truth.final_state[0], &blob = truth.final_state[1];
        EXPECT_NEAR(lepton.energy + blob.energy, truth.initial.energy, 1e-9 * truth.initial.energy);
        EXPECT_NEAR(blob.energy, truth.bjorken_y * truth.initial.energy, 1e-6);
        EXPECT_EQ(blob.type, -2000001006);
        EXPECT_GE(truth.initial.energy, options.energy_min);
        EXPECT_LE(truth.initial.energy, options.energy_max);
        const std::int64_t sign = truth.initial.type > 0 ? 1 : -1;
        EXPECT_EQ(lepton.type,
                  truth.interaction == 1 ? truth.initial.type - sign : truth.initial.type);
        EXPECT_LT(*direction_disagreement(truth), 1e-7);
        flavours.insert(lepton.type);
    }
    EXPECT_THAT(flavours, testing::IsSupersetOf({11, -11, 13, -13, 14, -14}));
    for (const std::int64_t source : events.source) EXPECT_TRUE(source == 1 || source == 2);
}

TEST(Simulator, directions_and_energies_follow_the_options) {
    SimulationOptions options = small_options();
    options.zenith_min = options.zenith_max = 90;
    options.azimuth_min = options.azimuth_max = 30;
    options.energy_min = options.energy_max = 5000;
    options.interaction = Interaction::nc;
    const Events events = EventSimulator(options).simulate(0, 5);
    for (const Truth& truth : events.truth) {
        EXPECT_NEAR(truth.initial.zenith, 90 * units::degree, 1e-12);
        EXPECT_NEAR(truth.initial.azimuth, 30 * units::degree, 1e-12);
        EXPECT_NEAR(truth.initial.energy, 5000, 1e-9);
        EXPECT_EQ(truth.interaction, 2);
    }
}

TEST(Simulator, power_law_energies_have_the_right_mean_logarithm) {
    SimulationOptions options = small_options();
    options.energy_min = 100;
    options.energy_max = 1e4;
    options.interaction = Interaction::nc;
    options.efficiency = 1e-6;
    for (const double index : {1.0, 2.0}) {
        options.spectral_index = index;
        const Events events = EventSimulator(options).simulate(0, 4000);
        double mean = 0;
        for (const Truth& truth : events.truth) mean += std::log(truth.initial.energy / 100) / 4000;
        // E^-1: uniform in ln E from 0 to L. E^-2: integral of x exp(-x) over [0, L], normalised.
        const double length = std::log(100.0);
        const double expected = index == 1.0 ? length / 2 : (1 - 0.01 * (1 + length)) / (1 - 0.01);
        const double deviation = index == 1.0 ? length / std::sqrt(12.0) : 1.0;
        EXPECT_NEAR(mean, expected, 4 * deviation / std::sqrt(4000.0));
    }
}

TEST(Simulator, noise_has_the_asked_rate) {
    SimulationOptions options = small_options();
    options.interaction = Interaction::nc;
    options.efficiency = 1e-9;
    options.noise_rate = 1000;
    options.noise_window = 5000;
    const Events events = EventSimulator(options).simulate(0, 2000);
    const double expected = 140 * 1000 * 1e-9 * 5000 * 2000;
    EXPECT_NEAR(static_cast<double>(events.photons()), expected, 4 * std::sqrt(expected));
    for (std::size_t p = 0; p < events.time.size(); ++p) {
        EXPECT_EQ(events.source[p], 0);
        EXPECT_GE(events.time[p], -1000);
        EXPECT_LE(events.time[p], 4000);
    }
}

TEST(Simulator, min_photons_rejects_dark_events_and_says_when_that_is_hopeless) {
    SimulationOptions options = small_options();
    options.min_photons = 10;
    const Events events = EventSimulator(options).simulate(0, 30);
    for (std::int64_t e = 0; e < events.size(); ++e) {
        EXPECT_GE(events.offsets[static_cast<std::size_t>(e) + 1] -
                      events.offsets[static_cast<std::size_t>(e)],
                  10);
    }
    options.efficiency = 1e-12;
    EXPECT_THAT(test::error_of([&] { EventSimulator(options).simulate(3, 1); }),
                HasSubstr("event 3"));
}

TEST(Simulator, files_are_read_back_as_prometheus_events) {
    test::TemporaryFolder folder;
    const EventSimulator simulator(small_options());
    std::int64_t told = 0;
    const auto files =
        simulate_to_files(simulator, folder.path(), [&](std::int64_t done) { told = done; });
    EXPECT_EQ(told, 20);
    EventReader reader(files);
    EXPECT_EQ(reader.layout(), EventLayout::prometheus);
    EXPECT_EQ(reader.metadata().at("detector").at("medium").text(), "ice");
    EXPECT_EQ(reader.event_count(), 20);
    expect_same(read_all_events(files), simulator.simulate(0, 20));
}

TEST(Simulator, options_are_described_and_checked) {
    const auto options = base::Config::parse("interaction: numu-cc\ngeometry: water\n", "x.yaml")
                             .as<SimulationOptions>();
    EXPECT_EQ(options.interaction, Interaction::numu_cc);
    EXPECT_EQ(options.geometry, GeometryChoice::water);
    EXPECT_THAT(test::error_of([] {
                    base::Config::parse("energy_min: 1e5\nenergy_max: 1e4\n", "x.yaml")
                        .as<SimulationOptions>();
                }),
                HasSubstr("energy_min must not be above energy_max"));
}

TEST(Validation, simulated_light_and_times_follow_the_closed_forms) {
    for (const char* medium : {"ice", "water"}) {
        ValidationOptions options;
        options.medium = medium;
        const ValidationTable table = validate_simulator(options);
        const auto check = [&](const ValidationCurve& curve) {
            ASSERT_GE(curve.points(), 4);
            const auto points = static_cast<double>(curve.points());
            // 5 standard deviations of the chi-square distribution; the seed is fixed.
            EXPECT_LT(curve.chi_square(), points + 5 * std::sqrt(2 * points))
                << medium << ": " << curve.name;
        };
        for (const auto& curve : table.light) check(curve);
        for (const auto& curve : table.residuals) check(curve);
        check(table.first_arrival);
    }
}

}  // namespace
}  // namespace hodo::optical
