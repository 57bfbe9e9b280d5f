#pragma once
/// An interactive picture of events in three dimensions: one HTML file that needs nothing else.
///
/// Every optical module is a faint dot, every module hit a shaded sphere whose size grows with the
/// logarithm of its charge and whose colour is its first hit's time; particles are lines. The
/// reader turns, moves and zooms with mouse, fingers or keys, plays the event in time, steps
/// through events and reads off modules. The page draws with WebGL 2 and says so where that is
/// missing.

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "hodo/base/text.hh"

namespace hodo::draw {

struct EventDisplay {
    struct Module {
        double x = 0, y = 0, z = 0;  ///< [m]
        std::int64_t string = 0, sensor = 0;
    };
    /// Light on a module: one photon, or the photons of one bin of time.
    struct Hit {
        std::int64_t module = 0;  ///< Index into `modules`.
        double time = 0;          ///< [ns]
        double charge = 1;        ///< Photons or photoelectrons.
    };
    /// A particle's path. Without times (NaN) the whole line is always shown.
    struct Track {
        std::array<double, 3> from{}, to{};  ///< [m]
        double start = std::numeric_limits<double>::quiet_NaN();
        double end = std::numeric_limits<double>::quiet_NaN();     ///< [ns]
        double energy = std::numeric_limits<double>::quiet_NaN();  ///< [GeV]
        std::string label{};
    };
    struct Event {
        std::string title{};
        std::vector<Hit> hits{};
        std::vector<Track> tracks{};
        /// What is known of the event, as name and value: {"energy", "12.3 TeV"}.
        std::vector<std::pair<std::string, std::string>> facts{};
    };

    std::string title = "Event display";
    std::string charge_unit = "photons";
    std::vector<Module> modules{};
    std::vector<Event> events{};
    /// What the page calls a module, where it is, and what comes to it.
    struct Words {
        std::string module = "module", string = "string", sensor = "sensor", light = "light";
        /// What colours and clock show where a module has one hit at most; empty: the first light.
        std::string time = "";
        std::string time_unit = "ns";
        std::array<std::string, 3> axes{"x", "y", "z"};  ///< Names of x, y and z, which is upwards.
    };
    Words words{};
    /// Whether modules without light are dots; voxels are nothing where there is no charge.
    enum class Dots { shown, hidden } dots = Dots::shown;
    double time_unit = 1;  ///< What `words.time_unit` is worth [ns].
    /// What the size of spheres goes by [m]; 0: the typical distance of modules.
    double spacing = 0;
};

/// The page. Hits whose time, charge or module are not usable are an error that names the event.
std::string event_display_html(const EventDisplay& display);

/// Writes the page atomically.
void save_event_display(const base::Path& path, const EventDisplay& display);

}  // namespace hodo::draw
