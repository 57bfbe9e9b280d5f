#pragma once
/// Events of a liquid-argon TPC: single particles, and a beam particle under cosmic muons.
///
/// Event n depends on the seed and n only: not on threads, files, TPCs asked for, or other events.

#include "hodo/base/fields.hh"
#include "hodo/base/text.hh"
#include "hodo/detector/lartpc/readout.hh"
#include "hodo/detector/lartpc/transport.hh"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::lartpc {

enum class Sample { beam_cosmic, electron, muon, pion, proton, photon };
constexpr auto names(Sample) {
    return std::array<std::string_view, 6>{"beam-cosmic", "electron", "muon",
                                           "pion",        "proton",   "photon"};
}
/// Where single particles start: in the beam's window along the beam, as in the published sets, or
/// anywhere in the inner part of a TPC in any direction.
enum class Start { beam, anywhere };
constexpr auto names(Start) {
    return std::array<std::string_view, 2>{"beam", "anywhere"};
}
/// As the sample stands in file names: "BeamCosmic", "singleElectron", ...
std::string file_type(Sample sample);

struct SimulationOptions {
    Sample sample = Sample::beam_cosmic;
    std::int64_t events = 5;
    std::int64_t events_per_file = 5;
    std::int64_t first_file = 1;
    std::uint64_t seed = 1;
    std::vector<std::int64_t> tpcs{1};
    Start start = Start::beam;                    ///< Of single particles.
    double energy_min = 1000, energy_max = 1000;  ///< Of single particles, kinetic [MeV].
    double beam_min = 1000, beam_max = 7000;      ///< Momentum of beam particles [MeV].
    double cosmics = 28;                          ///< Mean number that cross each TPC.
    std::int64_t ticks = 0;                       ///< 0: the detector's readout window.
    /// Products with the truth: "depo" (energy), "depoElectron" (electrons), "energy" (what the
    /// planes saw).
    std::vector<std::string> truth{"depo", "depoElectron"};
    ReadoutOptions readout;

    void describe(base::Fields& f);
};

/// What happened, before the anodes see it.
struct SimulatedEvent {
    std::vector<Deposit> deposits;
    std::vector<TrackSummary> tracks;
    /// Tracks of the beam particle and of cosmic muons, secondaries included.
    std::vector<std::int64_t> beam, cosmic;
};

class EventSimulator {
  public:
    /// An error when the detector lacks a TPC, or the beam, that the options ask for.
    explicit EventSimulator(SimulationOptions options, Detector detector = protodune_sp());

    SimulatedEvent simulate(std::int64_t event) const;
    /// The event as one TPC sees it.
    TpcEvent read_out(const SimulatedEvent& event, std::int64_t number, int tpc) const;
    /// With the detector's own length of the readout window where none was chosen.
    const SimulationOptions& options() const { return options_; }
    const Detector& detector() const { return detector_; }

  private:
    Particle single(base::Random& random, int tpc) const;
    Particle beam(base::Random& random) const;
    /// Puts a particle where the beam enters, mirrored and shifted from the beam's TPC into `tpc`.
    void start_in_beam(Particle& particle, base::Random& random, int tpc) const;
    Particle cosmic(base::Random& random, const Tpc& box) const;

    SimulationOptions options_;
    Detector detector_;
    World world_;
};

/// What `simulate_file` writes, in the order in which the files appear.
std::vector<base::Path> simulated_paths(const SimulationOptions& options, std::int64_t file,
                                        const base::Path& folder);

/// Writes the events of file number `file` (from 0) in the published code's parsed layout: wire,
/// the products of the truth of every TPC, mcparticle, and mcbeamcosmic for beam events.
std::vector<base::Path> simulate_file(const EventSimulator& simulator, std::int64_t file,
                                      const base::Path& folder);
std::int64_t file_count(const SimulationOptions& options);

}  // namespace hodo::lartpc
