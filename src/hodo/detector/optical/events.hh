#pragma once
/// Events of an optical neutrino telescope: photons on optical modules, and the simulated truth.
///
/// Structure of arrays: all photons of a block of consecutive events lie in flat columns,
/// `offsets` marks the events. Positions in metres, times in ns on the simulation clock,
/// energies in GeV. Directions are where a particle GOES: n = (sin z cos a, sin z sin a, cos z).

#include <array>
#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace hodo::optical {

/// An optical module: a string and a sensor on it, as numbered by the file.
struct ModuleId {
    std::int64_t string = 0;
    std::int64_t sensor = 0;
    auto operator<=>(const ModuleId&) const = default;
};

using Point = std::array<double, 3>;  ///< x, y, z [m]

struct Particle {
    std::int64_t type = 0;  ///< PDG code; -2000001006 is a hadronic cascade (LeptonInjector).
    double energy = 0;      ///< [GeV]
    double zenith = 0, azimuth = 0;  ///< Direction of travel [rad].
    Point position{};
    std::int64_t parent = 0;
};

/// Simulated truth of one event. Absent numbers are NaN, absent interaction 0.
struct Truth {
    std::int64_t interaction = 0;  ///< 1 charged current, 2 neutral current.
    Particle initial;
    std::vector<Particle> final_state;
    double bjorken_x = std::numeric_limits<double>::quiet_NaN();
    double bjorken_y = std::numeric_limits<double>::quiet_NaN();
    double column_depth = std::numeric_limits<double>::quiet_NaN();
};

/// Unit vector of travel of (zenith, azimuth).
Point travel_direction(double zenith, double azimuth);

struct Angles {
    double zenith = 0;   ///< [rad], 0 to pi
    double azimuth = 0;  ///< [rad], 0 to 2 pi
};
/// The inverse of `travel_direction`, for a vector of any length > 0.
Angles travel_angles(const Point& direction);
/// Angle between two directions [rad], 0 to pi.
double opening_angle(const Point& a, const Point& b);

enum class TruthDirection { final, initial };
constexpr auto names(TruthDirection) {
    return std::array<std::string_view, 2>{"final", "initial"};
}
/// The neutrino's direction of travel: the energy-weighted sum over the final state, or the stored
/// initial direction (which older Prometheus files record with its azimuth off by pi). `final`
/// falls back to `initial` when the file has no final state. NaN when neither is known.
Point neutrino_direction(const Truth& truth, TruthDirection choice);
/// Angle between the final-state and the initial-state direction [rad], when both are known.
std::optional<double> direction_disagreement(const Truth& truth);

/// A block of consecutive events.
struct Events {
    std::vector<std::int64_t> offsets{0};  ///< [events + 1] into the photon columns.
    std::vector<double> time;              ///< [ns]
    std::vector<double> x, y, z;           ///< Position of the module hit [m].
    std::vector<std::int64_t> string, sensor;
    std::vector<std::int64_t> source;  ///< Serialization index of the emitting particle, or empty.
    std::vector<double> weight;        ///< Per-photon weight (charge), or empty meaning 1 each.
    std::vector<Truth> truth;          ///< One per event, or empty.
    std::vector<double> trigger;       ///< Per-event trigger time [ns], or empty.
    std::vector<std::int64_t> file;    ///< Per event: index of its input file ...
    std::vector<std::int64_t> row;     ///< ... and its row (or event number) there.

    std::int64_t size() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
    std::int64_t photons() const { return offsets.back(); }
    ModuleId module(std::int64_t photon) const {
        const auto i = static_cast<std::size_t>(photon);
        return {string[i], sensor[i]};
    }
    /// Appends event `event` of `other`. Optional columns must be present in both or in neither.
    void append(const Events& other, std::int64_t event);
};

}  // namespace hodo::optical
