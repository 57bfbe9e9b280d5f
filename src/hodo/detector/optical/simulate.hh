#pragma once
/// A fast simulation of neutrino events in a grid of optical modules.
///
/// Interactions (charged-current muon and electron neutrinos, neutral current) at vertices in and
/// around the detector; muon tracks with single losses, electromagnetic and hadronic cascades;
/// expected light and arrival times in closed form (light.hh), Poisson numbers of photons; noise.
/// Simplifications and references: docs/physics/optical_simulator.md.
///
/// Event n depends on the seed and n only: not on threads, blocks, or other events.

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hodo/base/fields.hh"
#include "hodo/base/random.hh"
#include "hodo/base/text.hh"
#include "hodo/detector/optical/events.hh"
#include "hodo/detector/optical/geometry.hh"
#include "hodo/detector/optical/light.hh"
#include "hodo/detector/optical/tracks.hh"
#include "hodo/io/json.hh"

namespace hodo::optical {

/// What happens at the vertex; `mixed` draws one of the three with equal chance.
enum class Interaction { numu_cc, nue_cc, nc, mixed };
constexpr auto names(Interaction) {
    return std::array<std::string_view, 4>{"numu-cc", "nue-cc", "nc", "mixed"};
}

struct SimulationOptions {
    std::int64_t events = 100;
    std::uint64_t seed = 1;
    GeometryChoice geometry = GeometryChoice::ice;
    std::string geometry_file;  ///< A .geo file instead of a built-in geometry.
    Interaction interaction = Interaction::mixed;
    double energy_min = 1e3, energy_max = 1e6;  ///< [GeV]
    double spectral_index = 1.0;                ///< dN/dE ~ E^-index
    double antineutrinos = 0.5;                 ///< Their fraction.
    double zenith_min = 0, zenith_max = 180;    ///< Direction of travel [degree], uniform in cos.
    double azimuth_min = 0, azimuth_max = 360;  ///< [degree]
    double padding = 100;    ///< Vertices lie in the cylinder this much larger than the grid [m].
    double upstream = 1000;  ///< Muon neutrinos may interact this far before the cylinder [m].
    double efficiency = 0.035;     ///< Photons counted per photon on the cross section of a module.
    double noise_rate = 0;         ///< [Hz] per module.
    double noise_window = 10'000;  ///< [ns], beginning 1000 ns before the first photon.
    std::int64_t min_photons = 0;  ///< Events with less light are thrown again.
    std::int64_t max_photons_per_module = 100'000;  ///< From one particle; the rest is left out.

    void describe(base::Fields& f);
};

/// The simulation of one detector.
class EventSimulator {
  public:
    explicit EventSimulator(SimulationOptions options);
    /// With a given geometry instead of the options'.
    EventSimulator(SimulationOptions options, Geometry geometry);

    const SimulationOptions& options() const { return options_; }
    const Geometry& geometry() const { return geometry_; }
    const Light& light() const { return light_; }

    /// Events first ... first + count - 1. Uses base::threads() threads. `row` is the event number.
    Events simulate(std::int64_t first, std::int64_t count) const;

    /// One event that is nothing but the light of a cascade that starts at time 0, or of a muon
    /// track without its losses; no truth, no noise.
    Events cascade_light(const Point& start, const Point& direction, double energy,
                         CascadeKind kind, base::Random& random) const;
    Events track_light(const MuonTrack& track, base::Random& random) const;

    /// Settings in the form of Prometheus' `config_prometheus`.
    io::Json config() const;

  private:
    struct String {
        double x = 0, y = 0;
        std::vector<std::pair<double, std::int32_t>> modules;  ///< (z, module), ascending in z.
    };
    class OneEvent;

    SimulationOptions options_;
    Geometry geometry_;
    Light light_;
    std::vector<String> strings_;
    Point centre_{};
    double radius_ = 0, half_height_ = 0;  ///< Of the cylinder around the grid [m].
};

/// Simulates all events of the options and writes them as `events-00000.parquet`, ... in the
/// layout of Prometheus. `progress` is told the number of events done. Returns the files.
std::vector<base::Path> simulate_to_files(const EventSimulator& simulator,
                                          const base::Path& directory,
                                          const std::function<void(std::int64_t)>& progress = {});

/// The same for events [begin, end) of the options.
std::vector<base::Path> simulate_to_files(const EventSimulator& simulator,
                                          const base::Path& directory, std::int64_t begin,
                                          std::int64_t end,
                                          const std::function<void(std::int64_t)>& progress = {});

}  // namespace hodo::optical
