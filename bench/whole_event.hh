#pragma once
/// The samples of the wires of one TPC for a whole event: a beam particle under cosmic muons with
/// the simulator's defaults, 6000 ticks, which tiles to 128 thousand voxels.

#include "hodo/detector/lartpc/simulate.hh"

namespace hodo::bench {

inline constexpr int event_tpc = 1;

/// Simulated when first asked for.
inline const lartpc::WireSignals& whole_event() {
    static const lartpc::WireSignals samples = [] {
        constexpr std::int64_t number = 103;
        const lartpc::EventSimulator simulator(lartpc::SimulationOptions{});
        return simulator.read_out(simulator.simulate(number), number, event_tpc).signals;
    }();
    return samples;
}

}  // namespace hodo::bench
