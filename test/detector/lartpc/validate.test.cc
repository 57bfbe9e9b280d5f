#include "hodo/detector/lartpc/validate.hh"
#include "hodo/detector/lartpc/argon.hh"
#include "hodo/detector/lartpc/readout.hh"
#include "hodo/detector/lartpc/simulate.hh"
#include "hodo/detector/lartpc/transport.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <set>

namespace lartpc = hodo::lartpc;
namespace argon = hodo::lartpc::argon;
namespace base = hodo::base;

TEST(LartpcSimulator, follows_its_closed_forms) {
    const auto table =
        lartpc::validate_simulator({.seed = 3, .tracks = 40, .events = 1, .singles = 1});
    for (const auto* curve :
         {&table.energy_loss, &table.attenuation, &table.diffusion, &table.charge}) {
        std::cout << curve->name << ": worst deviation " << curve->worst() << "\n";
    }
    const auto& loss = table.energy_loss;
    for (std::size_t i = 0; i < loss.x.size(); ++i) {
        std::cout << loss.x[i] << " cm: " << loss.expected[i] << " " << loss.simulated[i] << " +- "
                  << loss.error[i] << "\n";
        EXPECT_NEAR(loss.simulated[i], loss.expected[i], 0.05 * loss.expected[i]) << loss.x[i];
    }
    EXPECT_LT(table.attenuation.worst(), 0.005);
    EXPECT_LT(table.diffusion.worst(), 0.02);
    EXPECT_LT(table.charge.worst(), 0.005);
    EXPECT_EQ(table.charge.names, (std::vector<std::string>{"U", "X", "V"}));  // of TPC 1
}

TEST(LartpcSimulator, tiling_leaves_as_many_ghosts_as_in_the_published_sets) {
    const auto table =
        lartpc::validate_simulator({.seed = 1, .tracks = 1, .events = 3, .singles = 12});
    ASSERT_EQ(table.ghosts.size(), 2u);
    for (const auto& count : table.ghosts) {
        std::cout << count.sample << ": true " << count.true_voxels << ", active " << count.active
                  << ", ghosts " << count.ghosts << "\n";
    }
    // Published: 20.6 with a beam particle and cosmics, whose events differ much from each other,
    // and 31.4 of electrons.
    const auto& events = table.ghosts[0];
    EXPECT_GT(events.ratio(), 8);
    EXPECT_LT(events.ratio(), 35);
    EXPECT_NEAR(events.active / events.true_voxels, 0.925, 0.025);
    const auto& electrons = table.ghosts[1];
    EXPECT_GT(electrons.ratio(), 20);
    EXPECT_LT(electrons.ratio(), 31);
    EXPECT_EQ(electrons.sample, "electron");
    EXPECT_NEAR(electrons.true_voxels, 679, 80);
    EXPECT_GT(electrons.active / electrons.true_voxels, 0.75);
}

TEST(LartpcTransport, a_muon_ends_where_it_stops_and_not_where_its_last_electron_does) {
    const lartpc::World large{{-1e6, -1e6, -1e6}, {1e6, 1e6, 1e6}};
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        lartpc::Transport transport(large, base::Random(seed, "end"));
        transport.follow({.pdg = -13, .direction = {0, 0, 1}, .kinetic = 800});
        const auto& muon = transport.tracks().front();
        // Range of the mean loss, less what scattering bends away.
        EXPECT_NEAR(muon.end[2], 10 * argon::range(argon::muon_mass, 800), 400);
    }
}

TEST(LartpcSimulator, single_particles_start_where_the_beam_enters) {
    const auto first_point = [](std::int64_t tpc, lartpc::Start start) {
        lartpc::SimulationOptions options;
        options.sample = lartpc::Sample::muon;
        options.tpcs = {tpc};
        options.start = start;
        const auto track = lartpc::EventSimulator(options).simulate(3).tracks.front();
        return std::pair{track.start, track.end};
    };
    const auto [in_first, end_first] = first_point(1, lartpc::Start::beam);
    EXPECT_NEAR(in_first[0], -302.5, 250);
    EXPECT_NEAR(in_first[1], 4222, 250);
    EXPECT_GT(end_first[2] - in_first[2], 500);
    EXPECT_LT(end_first[0], in_first[0]);
    // TPC 6 lies behind TPC 2, on the other side of the cathode: the beam's mirror image, shifted.
    const auto [in_sixth, end_sixth] = first_point(6, lartpc::Start::beam);
    EXPECT_NEAR(in_sixth[0], -in_first[0], 1e-6);
    EXPECT_NEAR(in_sixth[1], in_first[1], 1e-6);
    EXPECT_NEAR(in_sixth[2] - in_first[2], 2320, 1e-6);
    EXPECT_GT(end_sixth[0], in_sixth[0]);
    const auto& box = lartpc::protodune_sp().tpc(6);
    const auto [inside, end] = first_point(6, lartpc::Start::anywhere);
    for (std::size_t d = 0; d < 3; ++d) {
        EXPECT_GT(inside[d], box.low[d] + 0.19 * (box.high[d] - box.low[d]));
        EXPECT_LT(inside[d], box.high[d] - 0.19 * (box.high[d] - box.low[d]));
    }
}

TEST(LartpcArgon, a_minimum_ionizing_muon_loses_what_tables_say) {
    // PDG, liquid argon: minimum 1.508 MeV cm2/g at 266 MeV.
    EXPECT_NEAR(argon::energy_loss(argon::muon_mass, 266, 1e9), 1.508 * 1.396, 0.02);
    // Range of a 400 MeV muon: 1.7 m (PDG: 236 g/cm2).
    EXPECT_NEAR(argon::range(argon::muon_mass, 400) * argon::density, 236, 6);
    EXPECT_NEAR(argon::recombination(2.1), 0.70, 0.02);
    EXPECT_NEAR(argon::pair_length(1e6), 18.0, 0.1);
    // Klein and Nishina at 1 MeV: 0.2112 barn per electron.
    EXPECT_NEAR(1 / argon::compton_length(1), 0.2112e-24 * 6.022e23 * 18 / 39.948 * 1.396, 1e-3);
}

TEST(LartpcTransport, energy_is_conserved_in_a_large_volume) {
    const lartpc::World large{{-1e6, -1e6, -1e6}, {1e6, 1e6, 1e6}};
    for (const int pdg : {11, 22, 13}) {
        lartpc::Transport transport(large, base::Random(5, "energy", std::uint64_t(pdg)));
        transport.follow({.pdg = pdg, .direction = {0, 0, 1}, .kinetic = 800});
        double total = 0;
        for (const auto& deposit : transport.deposits()) {
            if (deposit.track == 1) total += deposit.energy;
        }
        // Pairs spend their mass, which annihilation would give back.
        EXPECT_GT(total, 0.9 * 800) << pdg;
        EXPECT_LT(total, 800.001) << pdg;
    }
}

TEST(LartpcSimulator, an_event_depends_on_its_seed_and_number_only) {
    lartpc::SimulationOptions options;
    options.sample = lartpc::Sample::electron;
    options.energy_min = options.energy_max = 100;
    const auto of = [](const lartpc::SimulationOptions& chosen, std::int64_t number) {
        const lartpc::EventSimulator simulator(chosen);
        return simulator.read_out(simulator.simulate(number), number, 1).signals.value;
    };
    const auto seventh = of(options, 7);
    EXPECT_GT(seventh.size(), 100u);
    EXPECT_EQ(seventh, of(options, 7));
    EXPECT_NE(seventh, of(options, 8));
    options.events = 100;
    EXPECT_EQ(seventh, of(options, 7));
    options.seed = 2;
    EXPECT_NE(seventh, of(options, 7));
}

TEST(LartpcReadout, planes_see_all_of_the_energy_unless_they_have_no_wire) {
    lartpc::ReadoutOptions options;
    const auto& detector = lartpc::protodune_sp();
    const auto& box = detector.tpc(1);
    const auto at = [&](double y, double z) {
        const std::vector<lartpc::Deposit> deposits{
            {{box.low[0] + 500, box.low[1] + y, box.low[2] + z}, 0, 5, 1, 1, 13}};
        return lartpc::read_out(deposits, detector, 1, options, base::Random(1, "t"), 6000);
    };
    const auto inside = at(3000, 1100);
    ASSERT_EQ(inside.seen.size(), 1);
    EXPECT_EQ(inside.seen.voxels, inside.energy.voxels);
    EXPECT_NEAR(inside.seen.value(0), 15, 0.01);
    EXPECT_EQ(inside.seen.value(0, 1), 1);
    EXPECT_EQ(inside.seen.value(0, 2), 13);
    // Half of the charge drifts past the last straight wire.
    const auto edge = at(3000, 2300 - 0.4);
    EXPECT_LT(edge.seen.value(0), 14.9);
    EXPECT_GT(edge.seen.value(0), 5);
}

TEST(LartpcReadout, dead_channels_show_nothing_and_are_the_same_in_all_events) {
    lartpc::SimulationOptions options;
    options.cosmics = 10;
    const auto channels = [&](double dead, std::int64_t event) {
        options.readout.dead = dead;
        const lartpc::EventSimulator simulator(options);
        const auto seen = simulator.read_out(simulator.simulate(event), event, 1);
        return std::set<int>(seen.signals.channel.begin(), seen.signals.channel.end());
    };
    const auto all = channels(0, 1), most = channels(0.3, 1), other = channels(0.3, 2);
    EXPECT_LT(most.size(), 0.8 * double(all.size()));
    EXPECT_TRUE(channels(1, 1).empty());
    std::set<int> together = most;
    together.insert(other.begin(), other.end());
    // Were others dead in the other event, nearly all channels would be seen in one of them.
    EXPECT_LT(together.size(), 0.8 * 2560);
    EXPECT_TRUE(std::includes(all.begin(), all.end(), most.begin(), most.end()));
}
