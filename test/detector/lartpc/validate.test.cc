#include "hodo/detector/lartpc/validate.hh"
#include "hodo/detector/lartpc/argon.hh"
#include "hodo/detector/lartpc/readout.hh"
#include "hodo/detector/lartpc/simulate.hh"
#include "hodo/detector/lartpc/transport.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

namespace lartpc = hodo::lartpc;
namespace argon = hodo::lartpc::argon;
namespace base = hodo::base;

TEST(LartpcSimulator, follows_its_closed_forms) {
    const auto table = lartpc::validate_simulator({.seed = 3, .tracks = 40, .events = 2});
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
    std::cout << "true " << table.true_voxels << ", active " << table.true_and_active << ", ghosts "
              << table.ghosts << "\n";
    EXPECT_GT(table.true_and_active, 0.85 * table.true_voxels);
    EXPECT_GT(table.ghosts / table.true_voxels, 10);
    EXPECT_LT(table.ghosts / table.true_voxels, 40);
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
