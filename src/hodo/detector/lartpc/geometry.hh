#pragma once
/// Wire TPCs as data: boxes, faces, planes, wires and channels.
///
/// Lengths here are millimetres, times microseconds, as the field states its geometries. A detector
/// is a table of numbers; nothing in the code knows ProtoDUNE-SP but the function that fills it.
///
/// Coordinates of an anode face are (z, y). A wire's perpendicular coordinate is
/// s = z cos a + y sin a; wire w owns the band offset + (w - 1/2) pitch <= s < offset + (w + 1/2)
/// pitch, so that the bands tile the face. Wrapped wires: several segments share one channel.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::lartpc {

inline constexpr int planes_per_face = 3;
/// The "channel" of pixels beyond the first or last wire of a plane.
inline constexpr int no_channel = -1;

/// Consecutive wires read by consecutive channels, upwards or downwards.
struct WireSegment {
    int first_wire = 0;
    int wires = 0;
    int first_channel = 0;  ///< Local channel of the first wire.
    int step = 1;           ///< +1 or -1.

    bool operator==(const WireSegment&) const = default;
};

struct WirePlane {
    std::string name;   ///< "U", "V" or "X".
    double angle = 0;   ///< Of the wires' normal to z [degree].
    double pitch = 0;   ///< [mm]
    double offset = 0;  ///< Perpendicular coordinate of wire 0 [mm].
    std::vector<WireSegment> segments;

    int wires() const;
    /// Local channel of a wire; `no_channel` outside the plane.
    int channel(int wire) const;
    bool operator==(const WirePlane&) const = default;
};

/// One side of an anode: three planes, sorted by angle. Feature k of a voxel is plane k's charge.
struct AnodeFace {
    std::array<WirePlane, planes_per_face> planes;
    /// Corner of the tiled box in the coordinates of the planes [mm].
    double origin_z = 0, origin_y = 0;

    bool operator==(const AnodeFace&) const = default;
};

using Point3 = std::array<double, 3>;

/// The volume that one face sees. Face 0 sees smaller x than its anode's (drift towards +x).
struct Tpc {
    int anode = 0;
    int face = 0;  ///< Index into `Detector::faces`.
    /// +1 when electrons drift towards larger x: local x counts from the upper end.
    int drift_direction = 1;
    Point3 low{}, high{};  ///< [mm]

    bool operator==(const Tpc&) const = default;
};

/// Where a beam enters the detector.
struct Beam {
    int tpc = 0;         ///< The TPC that it enters.
    Point3 entry{};      ///< [mm]
    Point3 direction{};  ///< Of length 1.

    bool operator==(const Beam&) const = default;
};

struct Detector {
    std::string name;
    double drift_speed = 0;      ///< [mm/us]
    double tick = 0;             ///< [us]
    double simulation_time = 0;  ///< Time from the readout's begin to t = 0 [us].
    int ticks = 0;               ///< Readout window.
    double pixel = 0;            ///< Side of a pixel of the anode plane [mm].
    int pixels_z = 0, pixels_y = 0;
    int channels_per_anode = 0;
    std::vector<AnodeFace> faces;
    std::vector<Tpc> tpcs;
    std::optional<Beam> beam;  ///< Without it nothing can start in a beam.

    /// Drift during one tick [mm].
    double drift_per_tick() const { return drift_speed * tick; }
    /// Sides of a voxel: drift, y, z [mm].
    Point3 voxel() const { return {drift_per_tick(), pixel, pixel}; }
    /// Length in x that a readout window covers [mm].
    double window() const { return drift_per_tick() * ticks; }
    /// An error that names the number of TPCs when there is no such one.
    const Tpc& tpc(std::int64_t number) const;
    const AnodeFace& face_of(std::int64_t tpc_number) const;
    /// The TPC to look at first: the beam's, or 0.
    int first_tpc() const { return beam ? beam->tpc : 0; }
    bool operator==(const Detector&) const = default;
};

/// The shortest readout window.
inline constexpr int least_ticks = 8;
/// An error when `ticks` samples of every channel of an anode would not fit into memory.
void check_samples(std::int64_t ticks, const Detector& detector);

/// ProtoDUNE-SP: 6 anodes of two faces, 2560 channels each, wrapped U and V wires.
const Detector& protodune_sp();

}  // namespace hodo::lartpc
