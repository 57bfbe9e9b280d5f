#pragma once
/// Liquid argon: what charged particles lose, what becomes of the charge.
///
/// Units here: MeV, cm for energy loss; us for time. Constants and their origin stand in argon.cc.

namespace hodo::lartpc::argon {

inline constexpr double density = 1.396;              ///< [g/cm3] at 87.3 K (PDG).
inline constexpr double radiation_length = 14.0;      ///< [cm] (PDG).
inline constexpr double interaction_length = 85.7;    ///< Nuclear [cm] (PDG: 119.7 g/cm2).
inline constexpr double work_per_electron = 23.6e-6;  ///< [MeV] (Miyajima et al. 1974).

inline constexpr double electron_mass = 0.51099895, muon_mass = 105.6583755, pion_mass = 139.57039,
                        proton_mass = 938.27209;  ///< [MeV]

/// Mean energy loss [MeV/cm] of a particle of unit charge in collisions that transfer at most
/// `limit` [MeV]: Bethe's formula with Sternheimer's density correction.
double energy_loss(double mass, double kinetic, double limit);

/// The largest energy transfer to an electron [MeV]; half the kinetic energy for electrons.
double largest_transfer(double mass, double kinetic);

/// Collisions per cm that transfer between `low` and `high` [MeV]; the spectrum falls as 1/T^2.
double collisions(double mass, double kinetic, double low, double high);

/// Range [cm] of a particle that loses the mean, by integration of 1 / `energy_loss`.
double range(double mass, double kinetic);

/// The part of the ionization that escapes recombination, for an energy loss [MeV/cm]: the
/// modified box model at 0.5 kV/cm.
double recombination(double loss);

/// Mean free paths [cm] of photons of `energy` [MeV].
double pair_length(double energy);
double compton_length(double energy);

}  // namespace hodo::lartpc::argon
