#pragma once
/// Optical and energy-loss properties of the two media of neutrino telescopes.
///
/// One wavelength stands for all: the properties are those at 400 nm (ice) and 440-470 nm (water),
/// and do not depend on depth. See docs/physics/optical_simulator.md.

#include <string_view>

namespace hodo::optical {

/// A gamma density of arrival-time residuals ("Pandel" form), see light.hh.
struct PandelParameters {
    double length = 0;  ///< lambda [m]
    double time = 0;    ///< tau [ns]
};

struct Medium {
    std::string_view name;
    double phase_index = 0;           ///< Refractive index of phases: fixes the Cherenkov angle.
    double group_index = 0;           ///< Of groups: fixes the speed of photons.
    double absorption = 0;            ///< Absorption length [m].
    double effective_scattering = 0;  ///< Scattering length / (1 - <cos>) [m].
    PandelParameters track, cascade;
    double density = 0;           ///< [g/cm^3]
    double radiation_length = 0;  ///< [m]

    double cherenkov_cosine() const;
    double cherenkov_sine() const;
    /// Attenuation length of diffuse light [m], never longer than the absorption length.
    double propagation_length() const;
    /// Length over which light turns diffuse [m].
    double diffusion_length() const;
};

/// Glacial ice at 1.5-2.5 km depth at the South Pole.
/// Indices: Price and Woschnagg, Astropart. Phys. 15 (2001) 97. Lengths: Ackermann et al.,
/// J. Geophys. Res. 111 (2006) D13203 (mean values). Residuals: the AMANDA parameters in
/// van Eijndhoven, Fadiran, Japaridze, Astropart. Phys. 28 (2007) 456.
const Medium& ice();
/// Deep Mediterranean water.
/// Lengths: Aguilar et al. (ANTARES), Astropart. Phys. 23 (2005) 131. Residuals: length = effective
/// scattering length; the time is chosen so that the mean delay at 60 m is about 15 ns.
const Medium& water();

/// The medium called "ice" or "water"; an error that names what was found.
const Medium& medium_named(std::string_view name);

/// Cherenkov photons per metre of a track of charge 1 at the speed of light, from wavelength
/// `low` to `high` [nm] (Frank and Tamm): 2 pi alpha sin^2(theta) (1/low - 1/high).
double cherenkov_photons_per_metre(const Medium& medium, double low = 300.0, double high = 600.0);

}  // namespace hodo::optical
