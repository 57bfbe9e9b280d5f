#include "hodo/detector/lartpc/detector_table.hh"

#include "hodo/base/config.hh"
#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/overlap.hh"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

namespace hodo::lartpc {

namespace {

constexpr std::size_t numbers_per_segment = 4;
// Wires and channels are 16 bit wide, with one beyond the last.
constexpr int most_wires = std::numeric_limits<std::int16_t>::max() - 1;
constexpr int most_ticks = 100'000;  // as `simulate` writes
constexpr std::size_t most_tpcs = 10'000;
constexpr double farthest = 1e6;         // any coordinate [mm]
constexpr double unit_tolerance = 0.01;  // of the length of a direction

/// Groups under keys that the table chooses: planes by name, faces and TPCs by number.
template <class Row>
struct Rows {
    std::vector<std::pair<std::string, Row>> rows;

    void name(const std::vector<std::string>& keys) {
        for (const auto& key : keys) rows.emplace_back(key, Row{});
    }
    void describe(base::Fields& f) {
        for (auto& [key, row] : rows) f.group(key, row, "");
    }
};

struct PlaneTable {
    double angle = 0, pitch = 0, offset = 0;
    std::vector<std::vector<std::int64_t>> segments;

    void describe(base::Fields& f) {
        f("angle", angle, "of the wires' normal to z [degree]");
        f("pitch", pitch, "distance of wires [mm]");
        f("offset", offset, "perpendicular coordinate of wire 0 [mm]");
        f("segments", segments, "rows of first wire, wires, channel of the first one, +1 or -1");
    }
};

struct FaceTable {
    std::vector<double> origin{0, 0};
    Rows<PlaneTable> planes;

    void describe(base::Fields& f) {
        f("origin", origin, "corner of the face, z and y, in the coordinates of the planes [mm]");
        f.group("planes", planes, "three, by angle");
    }
};

struct TpcTable {
    Tpc tpc;
    std::vector<double> low, high;

    void describe(base::Fields& f) {
        f("anode", tpc.anode, "number of its anode");
        f("face", tpc.face, "number of its face");
        f("drift_direction", tpc.drift_direction, "1: electrons drift towards larger x; -1");
        f("low", low, "lower corner: x, y, z [mm]");
        f("high", high, "upper corner: x, y, z [mm]");
    }
};

struct BeamTable {
    int tpc = 0;
    std::vector<double> entry, direction;

    void describe(base::Fields& f) {
        f("tpc", tpc, "TPC that it enters");
        f("entry", entry, "where: x, y, z [mm]");
        f("direction", direction, "of length 1");
    }
};

struct DetectorTable {
    Detector detector;
    Rows<FaceTable> faces;
    Rows<TpcTable> tpcs;
    BeamTable beam;

    void describe(base::Fields& f) {
        f("name", detector.name, "of the detector");
        f("drift_speed", detector.drift_speed, "of electrons [mm/us]");
        f("tick", detector.tick, "time between samples [us]");
        f("simulation_time", detector.simulation_time, "from the readout's begin to t = 0 [us]");
        f("ticks", detector.ticks, "of the readout window");
        f("pixel", detector.pixel, "side of a pixel [mm]");
        f("pixels_z", detector.pixels_z, "of a face along z");
        f("pixels_y", detector.pixels_y, "of a face along y");
        f("channels_per_anode", detector.channels_per_anode, "of an anode, both faces");
        f.group("beam", beam, "where a beam enters; may be absent");
        f.group("faces", faces, "sides of an anode, numbered from 0");
        f.group("tpcs", tpcs, "volumes, numbered from 0");
    }
};

/// An error about the first of `keys` that a group lacks.
void check_complete(const base::Config& group, std::string_view what,
                    std::initializer_list<std::string_view> keys) {
    for (const auto key : keys) {
        HODO_CHECK(group.has(key), "{}: {} has no key {}; add it", group.origin(), what, key);
    }
}

void check_range(std::string_view what, double value, double low, double high) {
    HODO_CHECK(value >= low && value <= high, "{} is {} but must be {} to {}", what, value, low,
               high);
}

void check_place(std::string_view what, double value) {
    HODO_CHECK(std::abs(value) <= farthest, "{} is {} but must be -1e6 to 1e6 mm", what, value);
}

Point3 point_of(const std::vector<double>& numbers, std::string_view what) {
    HODO_CHECK(numbers.size() == 3, "{} needs three numbers: [x, y, z]", what);
    for (const double number : numbers) check_place(what, number);
    return {numbers[0], numbers[1], numbers[2]};
}

template <class Row>
void check_numbered(const Rows<Row>& rows, std::string_view what) {
    HODO_CHECK(!rows.rows.empty() && rows.rows.size() <= most_tpcs,
               "there are {} {} but must be 1 to {}", rows.rows.size(), what, most_tpcs);
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        HODO_CHECK(rows.rows[i].first == std::to_string(i),
                   "{} must be numbered 0, 1, 2 and so on, but {} stands where {} should", what,
                   rows.rows[i].first, i);
    }
}

/// Wires follow one another from 0, so that a segment begins where the last one ended.
WirePlane plane_of(const std::string& name, const PlaneTable& table, int channels,
                   std::string_view what) {
    check_range(base::format("{}: angle", what), table.angle, -90, 90);
    check_range(base::format("{}: pitch", what), table.pitch, 0.01, 1000);
    check_place(base::format("{}: offset", what), table.offset);
    HODO_CHECK(!table.segments.empty(),
               "{}: has no wires; give segments: [[first wire, wires, first channel, step]]", what);
    WirePlane plane{name, table.angle, table.pitch, table.offset, {}};
    std::int64_t next = 0;
    for (const auto& row : table.segments) {
        HODO_CHECK(row.size() == numbers_per_segment,
                   "{}: a segment has {} numbers but needs four: [first wire, wires, first "
                   "channel, step]",
                   what, row.size());
        HODO_CHECK(row[3] == 1 || row[3] == -1,
                   "{}: the step of a segment is {} but must be 1 or -1", what, row[3]);
        HODO_CHECK(row[1] >= 1 && row[1] <= most_wires, "{}: a segment of {} wires cannot be", what,
                   row[1]);
        HODO_CHECK(row[0] == next, "{}: a segment begins at wire {} but must begin at wire {}",
                   what, row[0], next);
        HODO_CHECK(row[2] >= 0 && row[2] < channels && row[2] + row[3] * (row[1] - 1) >= 0 &&
                       row[2] + row[3] * (row[1] - 1) < channels,
                   "{}: channels {} to {} are outside 0 to {}; check segments and "
                   "channels_per_anode",
                   what, row[2], row[2] + row[3] * (row[1] - 1), channels - 1);
        next += row[1];
        HODO_CHECK(next <= most_wires, "{}: more than {} wires cannot be", what, most_wires);
        plane.segments.push_back({static_cast<int>(row[0]), static_cast<int>(row[1]),
                                  static_cast<int>(row[2]), static_cast<int>(row[3])});
    }
    return plane;
}

/// A channel reads wires of one plane of a face, so that each plane has its own picture.
void check_channels(const AnodeFace& face, std::string_view what) {
    std::map<int, std::size_t> plane_of_channel;
    for (std::size_t k = 0; k < face.planes.size(); ++k) {
        for (int wire = 0; wire < face.planes[k].wires(); ++wire) {
            const int channel = face.planes[k].channel(wire);
            const auto [place, is_new] = plane_of_channel.emplace(channel, k);
            HODO_CHECK(place->second == k,
                       "{}: channel {} reads wires of plane {} and of plane {}; check segments",
                       what, channel, face.planes[place->second].name, face.planes[k].name);
        }
    }
}

AnodeFace face_of(const FaceTable& table, int channels, std::string_view what) {
    const auto& rows = table.planes.rows;
    HODO_CHECK(rows.size() == std::size_t(planes_per_face), "{} has {} planes but must have three",
               what, rows.size());
    HODO_CHECK(table.origin.size() == 2, "{}: origin needs two numbers: [z, y]", what);
    for (const double number : table.origin) check_place(base::format("{}: origin", what), number);
    AnodeFace face{.planes = {}, .origin_z = table.origin[0], .origin_y = table.origin[1]};
    for (std::size_t k = 0; k < rows.size(); ++k) {
        face.planes[k] = plane_of(rows[k].first, rows[k].second, channels,
                                  base::format("{}, plane {}", what, rows[k].first));
    }
    const auto& planes = face.planes;
    HODO_CHECK(
        planes[0].angle < planes[1].angle && planes[1].angle < planes[2].angle &&
            planes[2].angle - planes[0].angle < 180,
        "{}: planes must be sorted by angle, all different and within 180 degrees, but their "
        "angles are {}, {} and {}",
        what, planes[0].angle, planes[1].angle, planes[2].angle);
    check_channels(face, what);
    return face;
}

Tpc tpc_of(const TpcTable& table, std::size_t faces, std::string_view what) {
    auto tpc = table.tpc;
    tpc.low = point_of(table.low, base::format("{}: low", what));
    tpc.high = point_of(table.high, base::format("{}: high", what));
    HODO_CHECK(tpc.face >= 0 && tpc.face < std::int64_t(faces),
               "{}: there is no face {}; faces are 0 to {}", what, tpc.face, faces - 1);
    HODO_CHECK(tpc.anode >= 0, "{}: anode is {} but must be at least 0", what, tpc.anode);
    HODO_CHECK(tpc.drift_direction == 1 || tpc.drift_direction == -1,
               "{}: drift_direction is {} but must be 1 or -1", what, tpc.drift_direction);
    for (std::size_t d = 0; d < 3; ++d) {
        HODO_CHECK(tpc.low[d] < tpc.high[d],
                   "{}: the box is empty, for along {} it reaches from {} to {}; low must be below "
                   "high",
                   what, std::string(1, "xyz"[d]), tpc.low[d], tpc.high[d]);
    }
    return tpc;
}

Beam beam_of(const BeamTable& table, std::size_t tpcs) {
    Beam beam{.tpc = table.tpc,
              .entry = point_of(table.entry, "beam: entry"),
              .direction = point_of(table.direction, "beam: direction")};
    HODO_CHECK(beam.tpc >= 0 && beam.tpc < std::int64_t(tpcs),
               "beam: there is no TPC {}; TPCs are 0 to {}", beam.tpc, tpcs - 1);
    const double length = std::hypot(beam.direction[0], beam.direction[1], beam.direction[2]);
    HODO_CHECK(std::abs(length - 1) < unit_tolerance,
               "beam: direction has length {} but must have length 1", length);
    return beam;
}

void check_sizes(const Detector& detector) {
    HODO_CHECK(!detector.name.empty(), "name is empty; files that are made tell it");
    const std::tuple<std::string_view, double, double, double> numbers[] = {
        {"drift_speed", detector.drift_speed, 0.01, 100},
        {"tick", detector.tick, 0.01, 1000},
        {"simulation_time", detector.simulation_time, -farthest, farthest},
        {"pixel", detector.pixel, 0.01, 1000},
        {"ticks", detector.ticks, least_ticks, most_ticks},
        {"pixels_z", detector.pixels_z, 1, most_pixels_of_side},
        {"pixels_y", detector.pixels_y, 1, most_pixels_of_side},
        {"channels_per_anode", detector.channels_per_anode, 1, most_wires}};
    for (const auto& [key, value, low, high] : numbers) check_range(key, value, low, high);
    check_samples(detector.ticks, detector);
    HODO_CHECK(detector.simulation_time < detector.tick * detector.ticks,
               "simulation_time is {} us but the readout window of {} ticks of {} us ends before",
               detector.simulation_time, detector.ticks, detector.tick);
}

/// Whether each pixel meets two wires of a plane at most, and wires of every plane cross the face.
void check_wires(const Detector& detector, int face, std::string_view what) {
    const PixelGrid grid(detector, face);
    const double z = grid.pixels_z(), y = grid.pixels_y();
    for (int k = 0; k < planes_per_face; ++k) {
        const auto& plane = grid.plane(k);
        const auto [low, high] = std::minmax(
            {0.0, plane.perpendicular(z, 0), plane.perpendicular(0, y), plane.perpendicular(z, y)});
        HODO_CHECK(plane.boundary(0) < high && plane.boundary(plane.wires()) > low,
                   "{}, plane {}: none of its wires crosses the face; check offset, pitch, "
                   "segments and origin",
                   what, detector.faces.back().planes[static_cast<std::size_t>(k)].name);
    }
}

/// Whether pixels tile the box, up to a part of one.
void check_tiled(const Detector& detector, const Tpc& tpc, std::string_view what) {
    const std::tuple<std::size_t, int, std::string_view> sides[] = {{1, detector.pixels_y, "y"},
                                                                    {2, detector.pixels_z, "z"}};
    for (const auto& [d, pixels, axis] : sides) {
        const double length = tpc.high[d] - tpc.low[d];
        HODO_CHECK(length < (pixels + 1) * detector.pixel,
                   "{}: the box is {} mm long in {}, but {} pixels of {} mm tile {} mm; raise "
                   "pixels_{}",
                   what, length, axis, pixels, detector.pixel, pixels * detector.pixel, axis);
    }
}

Detector checked(const DetectorTable& table, bool has_beam) {
    auto detector = table.detector;
    check_sizes(detector);
    check_numbered(table.faces, "faces");
    check_numbered(table.tpcs, "tpcs");
    for (const auto& [number, face] : table.faces.rows) {
        const auto what = base::format("face {}", number);
        detector.faces.push_back(face_of(face, detector.channels_per_anode, what));
        check_wires(detector, static_cast<int>(detector.faces.size()) - 1, what);
    }
    for (const auto& [number, tpc] : table.tpcs.rows) {
        const auto what = base::format("TPC {}", number);
        detector.tpcs.push_back(tpc_of(tpc, detector.faces.size(), what));
        check_tiled(detector, detector.tpcs.back(), what);
    }
    if (has_beam) detector.beam = beam_of(table.beam, detector.tpcs.size());
    return detector;
}

/// Keys whose absence would otherwise be a silent 0.
void check_keys(const base::Config& config) {
    check_complete(config, "the detector",
                   {"name", "drift_speed", "tick", "ticks", "pixel", "pixels_z", "pixels_y",
                    "channels_per_anode", "faces", "tpcs"});
    const auto faces = config.section("faces"), tpcs = config.section("tpcs");
    for (const auto& number : faces.keys()) {
        const auto face = base::format("face {}", number);
        check_complete(faces.section(number), face, {"planes"});
        const auto planes = faces.section(number).section("planes");
        for (const auto& name : planes.keys()) {
            check_complete(planes.section(name), base::format("{}, plane {}", face, name),
                           {"angle", "pitch", "offset", "segments"});
        }
    }
    for (const auto& number : tpcs.keys()) {
        check_complete(tpcs.section(number), base::format("TPC {}", number),
                       {"anode", "face", "drift_direction", "low", "high"});
    }
    if (config.has("beam")) {
        check_complete(config.section("beam"), "the beam", {"tpc", "entry", "direction"});
    }
}

/// Every number of the table.
std::string text_of(const Detector& d) {
    auto text =
        base::format("{} {} {} {} {} {} {} {} {}", d.name, d.drift_speed, d.tick, d.simulation_time,
                     d.ticks, d.pixel, d.pixels_z, d.pixels_y, d.channels_per_anode);
    const auto add = [&](const Point3& p) { text += base::format(" {} {} {}", p[0], p[1], p[2]); };
    for (const auto& face : d.faces) {
        text += base::format("; face {} {}", face.origin_z, face.origin_y);
        for (const auto& plane : face.planes) {
            text +=
                base::format(", {} {} {} {}", plane.name, plane.angle, plane.pitch, plane.offset);
            for (const auto& s : plane.segments) {
                text +=
                    base::format(" [{} {} {} {}]", s.first_wire, s.wires, s.first_channel, s.step);
            }
        }
    }
    for (const auto& tpc : d.tpcs) {
        text += base::format("; tpc {} {} {}", tpc.anode, tpc.face, tpc.drift_direction);
        add(tpc.low);
        add(tpc.high);
    }
    if (d.beam) {
        text += base::format("; beam {}", d.beam->tpc);
        add(d.beam->entry);
        add(d.beam->direction);
    }
    return text;
}

}  // namespace

Detector read_detector(const base::Path& file) {
    const auto config = base::Config::read(file);
    DetectorTable table;
    const auto faces = config.section("faces");
    table.faces.name(faces.keys());
    for (auto& [number, face] : table.faces.rows) {
        face.planes.name(faces.section(number).section("planes").keys());
    }
    table.tpcs.name(config.section("tpcs").keys());
    config.read_into(table);
    check_keys(config);
    try {
        return checked(table, config.has("beam"));
    } catch (const base::Error& error) {
        throw base::with_context(error, file.string());
    }
}

Detector detector_of(std::string_view option) {
    if (option == built_in_detector) return protodune_sp();
    const base::Path file = option;
    std::error_code problem;
    HODO_CHECK(std::filesystem::is_regular_file(file, problem),
               "there is no detector '{}', neither built in nor as a file; detector must be {} or "
               "a YAML file",
               option, built_in_detector);
    return read_detector(file);
}

std::string fact_of_detector(const Detector& detector) {
    if (detector == protodune_sp()) return std::string(built_in_detector);
    return base::format("{} ({:016x})", detector.name, base::fnv1a(text_of(detector)));
}

}  // namespace hodo::lartpc
