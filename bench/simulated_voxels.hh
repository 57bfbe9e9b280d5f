#pragma once
/// Voxels of simulated events for measurements of sparse layers: a beam particle under cosmic
/// muons as `hodo lartpc simulate` makes it, seen by the wires of ProtoDUNE-SP's TPC 1 through 6000
/// ticks, tiled and merged to voxels of 6.26 x 8 x 8 mm with all their ghosts.
///
/// The numbers of cosmic muons are chosen for events of the two sizes by which the field times such
/// networks. Signals are as sharp as theirs (no padding, no diffusion across the drift, a short
/// filter), so that 13 of the 27 sites around a voxel are occupied; with the simulator's defaults
/// it is 18, and points scattered at random would have 4 and flatter any code.

#include "hodo/base/random.hh"
#include "hodo/base/text.hh"
#include "hodo/detector/lartpc/simulate.hh"
#include "hodo/detector/lartpc/tiling.hh"
#include "hodo/sparse/neighbours.hh"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace hodo::bench {

/// Which event is taken: the first part of a benchmark's name says its size.
struct ChosenEvent {
    const char* size;
    double cosmics;  ///< Mean number of muons.
    std::int64_t number;
};
inline constexpr ChosenEvent event_of_50k{"50k", 45, 5}, event_of_196k{"196k", 100, 6};

/// Every number that shapes the voxels, so that other defaults of the simulator leave them alone.
inline lartpc::ReadoutOptions sharp_readout() {
    return {.lifetime = 10'000,
            .longitudinal = 6.2,
            .transverse = 0,
            .filter = 0.5,
            .electrons_per_count = 200,
            .noise = 0.5,
            .induction_noise = 2,
            .threshold = 9,
            .padding = 0,
            .fake_regions = 0.02,
            .dead = 0.002};
}

/// The event's voxels in random order; simulated when first asked for.
inline const std::vector<sparse::Voxel>& simulated_voxels(const ChosenEvent& chosen) {
    static std::map<std::string, std::vector<sparse::Voxel>> events;
    auto& voxels = events[chosen.size];
    if (!voxels.empty()) return voxels;
    constexpr int tpc = 1;
    lartpc::SimulationOptions options;
    options.cosmics = chosen.cosmics;
    options.readout = sharp_readout();
    const lartpc::EventSimulator simulator(options);
    const auto signals =
        simulator.read_out(simulator.simulate(chosen.number), chosen.number, tpc).signals;
    const auto& detector = simulator.detector();
    const lartpc::Tiler tiler{lartpc::PixelGrid(detector, detector.tpc(tpc).face)};
    for (const auto& [x, y, z] : tiler.tile(signals).voxels) voxels.push_back({0, x, y, z});
    base::Random random(3, "order");
    for (std::size_t i = voxels.size(); i > 1; --i) {
        std::swap(voxels[i - 1], voxels[random.below(i)]);
    }
    return voxels;
}

/// "50445 / 14408 / 5064 / 1973 voxels on four levels, 13.0 of 27 sites around a voxel occupied"
inline std::string describe_levels(const ChosenEvent& chosen) {
    auto level = *sparse::group_rows(simulated_voxels(chosen)).voxels;
    const auto pairs = sparse::find_neighbours(level, level, {}).entries.size();
    const auto neighbours = static_cast<double>(pairs) / static_cast<double>(level.size());
    std::string sizes = std::to_string(level.size());
    for (int i = 1; i < 4; ++i) {
        level = sparse::coarse_cells(level, {2, 2, 2});
        sizes += " / " + std::to_string(level.size());
    }
    return base::format("{} voxels on four levels, {:.1f} of 27 sites around a voxel occupied",
                        sizes, neighbours);
}

}  // namespace hodo::bench
