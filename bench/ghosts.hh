#pragma once
/// Voxels of simulated tracks with their ghosts, for measurements: straight tracks through the
/// wires of ProtoDUNE-SP's first face, one drift slice of 8 ticks at a time, tiled to voxels of
/// 6.26 x 8 x 8 mm. Ghosts then stand in blobs as they do in data; points scattered at random would
/// have a third of the neighbours and flatter any code.

#include "hodo/base/random.hh"
#include "hodo/detector/lartpc/tiling.hh"
#include "hodo/sparse/coordinates.hh"

#include <cmath>
#include <map>
#include <vector>

namespace hodo::bench {

inline lartpc::WireSignals track_signals(int tracks, std::uint64_t seed) {
    const auto& detector = lartpc::protodune_sp();
    const auto& face = detector.faces[0];
    const double slice = 8 * detector.drift_per_tick(), pixel = detector.pixel;
    const std::array<double, 3> size{detector.window(), pixel * detector.pixels_y,
                                     pixel * detector.pixels_z};
    std::vector<std::map<int, double>> fired(static_cast<std::size_t>(detector.ticks));
    base::Random random(seed, "tracks");
    for (int t = 0; t < tracks; ++t) {
        std::array<double, 3> at{}, step{};
        double norm = 0.0;
        for (std::size_t a = 0; a < 3; ++a) {
            at[a] = random.uniform(0, size[a]);
            step[a] = random.normal() * (a == 1 ? 1.5 : 1.0);
            norm += step[a] * step[a];
        }
        // Most are cosmic-like: until they leave.
        const double length = random.uniform() < 0.7 ? 1e9 : 300.0 * random.exponential();
        for (double travelled = 0.0; travelled < length; travelled += 0.5) {
            bool inside = true;
            for (std::size_t a = 0; a < 3; ++a) {
                at[a] += 0.5 * step[a] / std::sqrt(norm);
                inside = inside && at[a] >= 0.0 && at[a] < size[a];
            }
            if (!inside) break;
            const auto tick = 8 * static_cast<std::size_t>(at[0] / slice);
            if (tick >= fired.size()) break;
            for (const auto& plane : face.planes) {
                const double angle = plane.angle * 3.14159265358979323846 / 180.0;
                const double s = (at[2] + face.origin_z) * std::cos(angle) +
                                 (at[1] + face.origin_y) * std::sin(angle);
                const auto wire =
                    static_cast<int>(std::floor((s - plane.offset) / plane.pitch + 0.5));
                const int channel = plane.channel(wire);
                if (channel != lartpc::no_channel) fired[tick][channel] += 1.0;
            }
        }
    }
    lartpc::WireSignals signals;
    signals.channels = detector.channels_per_anode;
    for (const auto& tick : fired) {
        for (const auto& [channel, value] : tick) {
            signals.channel.push_back(static_cast<std::int16_t>(channel));
            signals.value.push_back(value);
        }
        signals.starts.push_back(signals.size());
    }
    return signals;
}

inline std::vector<sparse::Voxel> ghost_event(int tracks, std::uint64_t seed) {
    const lartpc::Tiler tiler(lartpc::PixelGrid(lartpc::protodune_sp(), 0));
    std::vector<sparse::Voxel> voxels;
    for (const auto& [x, y, z] : tiler.tile(track_signals(tracks, seed)).voxels) {
        voxels.push_back({0, x, y, z});
    }
    return voxels;
}

}  // namespace hodo::bench
