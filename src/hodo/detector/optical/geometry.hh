#pragma once
/// Detector geometries: the text format `*.geo` of Prometheus, and built-in grids made by formula.
///
///     ### Metadata ###
///     Medium:<tab>ice
///     DOM Radius [cm]:<tab>30
///     ### Modules ###
///     <x><tab><y><tab><z><tab><string><tab><sensor>
///
/// Lengths in metres, the radius in centimetres. Any run of blanks separates; empty lines are
/// skipped; other metadata lines ("Key: value") are kept.  See docs/formats/geo.md.

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hodo/base/text.hh"
#include "hodo/detector/optical/events.hh"

namespace hodo::optical {

struct ModulePlace {
    ModuleId id;
    Point position{};  ///< [m]
    bool operator==(const ModulePlace&) const = default;
};

struct Geometry {
    std::string medium = "ice";  ///< "ice" or "water" (or what the file says).
    double module_radius = 0.0;  ///< [m]; 0 when the file does not say.
    std::vector<std::pair<std::string, std::string>> remarks;  ///< Other metadata, in order.
    std::vector<ModulePlace> modules;

    bool operator==(const Geometry&) const = default;
};

/// Parses the text of a .geo file; `origin` stands in messages, which name the line.
/// Fails for malformed numbers, coordinates that are not finite, a file without modules, and a
/// (string, sensor) listed twice.
Geometry parse_geo(std::string_view text, std::string_view origin);
Geometry read_geo(const base::Path& file);

/// The text of a .geo file; numbers are written so that reading gives the same doubles.
std::string format_geo(const Geometry& geometry);
void write_geo(const base::Path& file, const Geometry& geometry);

/// A grid of vertical strings on a hexagonal lattice, the `strings` lattice points nearest to the
/// centre (equal distances counter-clockwise from +x).
struct GridOptions {
    std::string medium = "ice";
    int strings = 7;
    double string_spacing = 60.0;  ///< [m]
    int sensors = 20;              ///< Per string.
    double sensor_spacing = 20.0;  ///< [m]
    double depth = -1000.0;        ///< z of the middle of the strings [m].
    double module_radius = 0.165;  ///< [m]
    int first_string = 1;
    int first_sensor = 1;
    enum class Numbering { downward, upward } numbering = Numbering::downward;
};
Geometry hexagonal_grid(const GridOptions& options);

/// Built-in geometries.
///   toy    7 strings x 20 modules in ice, 60 m and 20 m apart
///   ice    86 strings x 60 modules, 125 m and 17 m apart: a cubic kilometre like IceCube
///   water  115 strings x 18 modules, 90 m and 36 m apart: like a block of KM3NeT/ARCA
enum class GeometryChoice { toy, ice, water };
constexpr auto names(GeometryChoice) {
    return std::array<std::string_view, 3>{"toy", "ice", "water"};
}
Geometry built_in_geometry(GeometryChoice choice);

}  // namespace hodo::optical
