#pragma once
/// The native unit system: length m, time ns, energy GeV, charge e, angle rad, temperature K.
///
/// A value that enters the program is multiplied by its unit, a value that leaves is divided:
/// `double pitch = 4.67 * units::mm;`.

#include <numbers>

namespace hodo::units {

inline constexpr double m = 1.0;
inline constexpr double cm = 1e-2 * m;
inline constexpr double mm = 1e-3 * m;
inline constexpr double km = 1e3 * m;

inline constexpr double ns = 1.0;
inline constexpr double us = 1e3 * ns;
inline constexpr double ms = 1e6 * ns;
inline constexpr double second = 1e9 * ns;
inline constexpr double hertz = 1.0 / second;

inline constexpr double GeV = 1.0;
inline constexpr double MeV = 1e-3 * GeV;
inline constexpr double TeV = 1e3 * GeV;

inline constexpr double rad = 1.0;
inline constexpr double degree = std::numbers::pi / 180.0 * rad;

}  // namespace hodo::units

namespace hodo::constants {

/// Speed of light in vacuum [m/ns]; exact by definition of the metre (SI, 2019).
inline constexpr double speed_of_light = 0.299792458 * units::m / units::ns;

}  // namespace hodo::constants
