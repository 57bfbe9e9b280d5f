#pragma once
/// Expected light and its arrival times at one optical module: closed forms.
///
/// Photons at a module of effective area A (symbols: r distance, theta Cherenkov angle, c
/// diffusion length, p propagation length, l0 photons per metre, n0 photons of a cascade):
///
///   track    l0 A / (2 pi sin theta) exp(-r/p) / (sqrt(m r) tanh(sqrt(r/m))),
///            m = (c / sin theta)^2 2 / (pi p)
///   cascade  n0 A / (4 pi) exp(-r/p) / (c r tanh(r/c)) * g
///
/// both go over from the direct light of a cone or a point to diffusion. g is the angular profile
/// of a cascade around its axis, of mean 1 over the sphere, that fades to 1 with distance:
/// g = f G(cos) + (1 - f), f = exp(-r / effective scattering length).
///
/// Arrival times: geometric time (Cherenkov cone, or straight line) plus a residual t >= 0 with
/// the gamma density of shape r / lambda and rate 1/tau + v / absorption (v the speed of light in
/// the medium).
///
/// References: light: M. G. Aartsen et al., JINST 9 (2014) P03009, section 4; yields: L. Raedel
/// and C. Wiebusch, Astropart. Phys. 38 (2012) 53 and 44 (2013) 102; residuals: van Eijndhoven,
/// Fadiran, Japaridze, Astropart. Phys. 28 (2007) 456.

#include "hodo/detector/optical/medium.hh"

namespace hodo::optical {

/// Gamma density of a residual t [ns]: rate^shape t^(shape-1) exp(-rate t) / Gamma(shape).
struct ResidualLaw {
    double shape = 0;
    double rate = 0;  ///< [1/ns]
    double mean() const { return shape / rate; }
    double variance() const { return shape / (rate * rate); }
    double density(double residual) const;
    /// Probability of a residual below `residual` (regularized incomplete gamma function).
    double cumulative(double residual) const;
};

enum class CascadeKind { electromagnetic, hadronic };

class Light {
  public:
    /// `effective_area` [m^2]: cross section of a module times its efficiency, averaged over
    /// wavelength; the same from all sides.
    Light(const Medium& medium, double effective_area);

    const Medium& medium() const { return medium_; }

    /// Photons per metre of a muon of energy [GeV], its low-energy secondaries included.
    double photons_per_metre(double energy) const;
    /// Photons of a cascade of energy [GeV].
    double cascade_photons(double energy, CascadeKind kind) const;

    /// Expected photons at perpendicular distance r [m] of an infinite track with `per_metre`.
    double track_mean(double per_metre, double r) const;
    /// Expected photons of a cascade of `photons` at distance r [m]; `cosine` is that of the angle
    /// between the axis and the line to the module.
    double cascade_mean(double photons, double r, double cosine) const;
    /// Largest value of `cascade_mean` over angles, decreasing with r.
    double cascade_bound(double photons, double r) const;

    ResidualLaw track_residual(double r) const { return residual(medium_.track, r); }
    ResidualLaw cascade_residual(double r) const { return residual(medium_.cascade, r); }

    /// Mean distance from the start of a cascade to its light [m].
    double cascade_depth(double energy) const;
    /// The angular profile G, of mean 1 over the sphere.
    double profile(double cosine) const;

  private:
    ResidualLaw residual(const PandelParameters& parameters, double r) const;
    double isotropic_mean(double photons, double r) const;

    Medium medium_;
    double area_;
    double vacuum_yield_;  ///< Photons per metre of a bare track.
    double profile_norm_ = 1.0;
};

}  // namespace hodo::optical
