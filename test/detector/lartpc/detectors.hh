#pragma once
/// A wire TPC that is not ProtoDUNE-SP: one face, planes at -60, 30 and 90 degrees, no wrapping.

#include "hodo/detector/lartpc/geometry.hh"

namespace hodo::lartpc {

inline Detector small_detector() {
    const auto plane = [](const char* name, double angle, double offset, int first_channel) {
        return WirePlane{name, angle, 3.0, offset, {{0, 100, first_channel, 1}}};
    };
    Detector detector;
    detector.name = "small";
    detector.drift_speed = 1.6;
    detector.tick = 0.5;
    detector.ticks = 64;
    detector.pixel = 1.5;
    detector.pixels_z = 80;
    detector.pixels_y = 90;
    detector.channels_per_anode = 300;
    detector.faces = {
        {{plane("A", -60, -120, 0), plane("B", 30, 1, 100), plane("C", 90, 1, 200)}, 0, 0}};
    detector.tpcs = {{.anode = 0, .face = 0, .low = {0, 0, 0}, .high = {50, 135, 120}}};
    return detector;
}

/// The same as a table in YAML.
inline constexpr const char* small_table = R"(name: small
drift_speed: 1.6
tick: 0.5
ticks: 64
pixel: 1.5
pixels_z: 80
pixels_y: 90
channels_per_anode: 300
faces:
  0:
    planes:
      A: {angle: -60, pitch: 3, offset: -120, segments: [[0, 100, 0, 1]]}
      B: {angle: 30, pitch: 3, offset: 1, segments: [[0, 100, 100, 1]]}
      C: {angle: 90, pitch: 3, offset: 1, segments: [[0, 100, 200, 1]]}
tpcs:
  0: {anode: 0, face: 0, drift_direction: 1, low: [0, 0, 0], high: [50, 135, 120]}
)";

}  // namespace hodo::lartpc
