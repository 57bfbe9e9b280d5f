#pragma once
/// Events of an optical telescope as scenes for the event display.

#include "hodo/detector/optical/events.hh"
#include "hodo/detector/optical/geometry.hh"
#include "hodo/draw/event_display.hh"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace hodo::om2vec {

/// Collects events, and the modules they need, into one display.
///
/// The photons of a module within one step of time are one hit at the time of the first of them.
/// The step is the least of 1, 2, 4, ... ns that gives at most `most_hits` hits per event; events
/// with more modules hit than that show the brightest.
class EventPicture {
  public:
    static constexpr std::int64_t usual_hits = 40'000;

    /// `truth_direction` chooses how the neutrino's line is drawn.
    explicit EventPicture(std::string title, std::int64_t most_hits = usual_hits,
                          optical::TruthDirection truth_direction = optical::TruthDirection::final);

    /// Modules of the detector, shown also where nothing hits them. Photons are matched to modules
    /// by position, so files that number sensors otherwise agree.
    void add_geometry(const optical::Geometry& geometry);
    /// Makes event `event` of a block known; shown are its modules only.
    void add_modules(const optical::Events& events, std::int64_t event);
    /// Adds event `event` of a block as "event `number`".
    void add_event(const optical::Events& events, std::int64_t event, std::int64_t number);

    const draw::EventDisplay& display() const { return display_; }

  private:
    std::int64_t module_at(const optical::Point& position, optical::ModuleId id);
    /// Returns a remark on what is not shown as it is, or nothing.
    std::string add_hits(const optical::Events& events, std::int64_t event,
                         draw::EventDisplay::Event& scene);
    void add_truth(const optical::Truth& truth, draw::EventDisplay::Event& scene) const;
    void add_final_state(std::vector<optical::Particle> particles,
                         draw::EventDisplay::Event& scene) const;
    void add_track(const optical::Particle& particle, draw::EventDisplay::Event& scene) const;
    /// Particles of one place, as one short line along their momenta.
    void add_cascade(std::span<const optical::Particle> particles,
                     draw::EventDisplay::Event& scene) const;
    double room_around(const optical::Point& vertex) const;

    std::int64_t most_hits_;
    optical::TruthDirection truth_direction_;
    draw::EventDisplay display_;
    std::map<std::array<std::int64_t, 3>, std::int64_t> places_;  ///< By position in cm.
};

/// "νμ", "μ-", "hadrons", "π+"; the PDG code itself for what is not common.
std::string particle_name(std::int64_t type);

/// Mean range of a muon in ice or water [m]: ln(1 + E b / a) / b with a = 0.24 GeV/m and
/// b = 3.3e-4 / m.
double muon_range(double energy);

}  // namespace hodo::om2vec
