#pragma once
/// Detectors by name: the built-in one, or a table of its numbers in YAML.
///
/// Keys of a table are described in docs/formats/lartpc.md; configs/detectors/protodune-sp.yaml is
/// ProtoDUNE-SP as a table. What is read here can be tiled and simulated: sizes fit the types of
/// wires, channels and pixels, and memory.

#include "hodo/base/text.hh"
#include "hodo/detector/lartpc/geometry.hh"

#include <string>
#include <string_view>

namespace hodo::lartpc {

inline constexpr std::string_view built_in_detector = "protodune-sp";
/// What the option `detector` of the verbs is.
inline constexpr const char* detector_help =
    "the wire TPC: protodune-sp, or a YAML file with the table of another one";

/// An error names the file, the place in it, and what is wrong or cannot be.
Detector read_detector(const base::Path& file);

/// The detector of the option: built in, or read from the file of that name.
Detector detector_of(std::string_view option);

/// What tells detectors apart in notes beside files: "protodune-sp", else the name and a number
/// that every number of the table decides.
std::string fact_of_detector(const Detector& detector);

}  // namespace hodo::lartpc
