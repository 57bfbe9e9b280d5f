#include "hodo/detector/lartpc/argon.hh"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hodo::lartpc::argon {

namespace {

// Bethe's formula: PDG review 2022, section 34.2.
constexpr double bethe_constant = 0.307075;  // [MeV cm2/mol]
constexpr double charge_per_mass = 18.0 / 39.948;
constexpr double mean_excitation = 188e-6;  // [MeV]
// Sternheimer's parameters of liquid argon (ICARUS, NIM A 523 (2004) 275).
constexpr double sternheimer_a = 0.1956, sternheimer_k = 3.0, sternheimer_x0 = 0.2,
                 sternheimer_x1 = 3.0, sternheimer_c = 5.2146;
// Modified box model: ArgoNeuT, JINST 8 (2013) P08005; field of ProtoDUNE-SP.
constexpr double box_alpha = 0.93, box_beta = 0.212;  // [(kV/cm) (g/cm2) / MeV]
constexpr double field = 0.5;                         // [kV/cm]
// Electrons per cm3, for Compton scattering.
constexpr double electron_density = 6.02214076e23 * charge_per_mass * density;
constexpr double classical_radius = 2.8179403e-13;  // [cm]
// Pair production rises from its threshold to 7/9 per radiation length; the scale fits the
// tabulated coefficients of argon (NIST XCOM) within 15 % from 5 MeV to 1 GeV.
constexpr double pair_threshold = 2 * electron_mass, pair_scale = 30.0;  // [MeV]

struct Motion {
    double beta2, beta_gamma;
};

Motion motion(double mass, double kinetic) {
    const double gamma = 1 + kinetic / mass;
    const double beta_gamma2 = gamma * gamma - 1;
    return {beta_gamma2 / (gamma * gamma), std::sqrt(beta_gamma2)};
}

double density_correction(double beta_gamma) {
    const double x = std::log10(beta_gamma);
    if (x < sternheimer_x0) return 0;
    double delta = 2 * std::numbers::ln10 * x - sternheimer_c;
    if (x < sternheimer_x1) {
        delta += sternheimer_a * std::pow(sternheimer_x1 - x, sternheimer_k);
    }
    return std::max(0.0, delta);
}

}  // namespace

double largest_transfer(double mass, double kinetic) {
    if (mass <= electron_mass) return kinetic / 2;
    const auto m = motion(mass, kinetic);
    const double gamma = 1 + kinetic / mass, ratio = electron_mass / mass;
    return 2 * electron_mass * m.beta_gamma * m.beta_gamma /
           (1 + 2 * gamma * ratio + ratio * ratio);
}

double energy_loss(double mass, double kinetic, double limit) {
    const auto m = motion(mass, kinetic);
    const double most = largest_transfer(mass, kinetic);
    const double upper = std::min(limit, most);
    const double logarithm = 0.5 * std::log(2 * electron_mass * m.beta_gamma * m.beta_gamma *
                                            upper / (mean_excitation * mean_excitation));
    const double bracket =
        logarithm - 0.5 * m.beta2 * (1 + upper / most) - 0.5 * density_correction(m.beta_gamma);
    // Bethe's formula fails for the slowest particles; their loss is high and short.
    return bethe_constant * charge_per_mass * density / m.beta2 * std::max(bracket, 0.5);
}

double collisions(double mass, double kinetic, double low, double high) {
    const double upper = std::min(high, largest_transfer(mass, kinetic));
    if (upper <= low) return 0;
    return 0.5 * bethe_constant * charge_per_mass * density / motion(mass, kinetic).beta2 *
           (1 / low - 1 / upper);
}

double range(double mass, double kinetic) {
    // Equal steps in the logarithm of the energy, from where a particle stops within micrometres.
    constexpr double lowest = 0.05;
    constexpr int steps = 400;
    if (kinetic <= lowest) return 0;
    const double ratio = std::pow(kinetic / lowest, 1.0 / steps);
    double total = 0, energy = lowest;
    for (int i = 0; i < steps; ++i) {
        const double next = energy * ratio, middle = std::sqrt(energy * next);
        total += (next - energy) / energy_loss(mass, middle, kinetic);
        energy = next;
    }
    return total;
}

double recombination(double loss) {
    const double xi = box_beta * loss / (density * field);
    return xi < 1e-6 ? 1.0 : std::min(1.0, std::log(box_alpha + xi) / xi);
}

double pair_length(double energy) {
    if (energy <= pair_threshold) return 1e9;
    return 9.0 / 7.0 * radiation_length * (energy + pair_scale) / (energy - pair_threshold);
}

double compton_length(double energy) {
    // Klein and Nishina's cross section.
    const double k = energy / electron_mass, one = 1 + 2 * k, log = std::log(one);
    const double section = 2 * std::numbers::pi * classical_radius * classical_radius *
                           ((1 + k) / (k * k) * (2 * (1 + k) / one - log / k) + log / (2 * k) -
                            (1 + 3 * k) / (one * one));
    return 1 / (electron_density * section);
}

}  // namespace hodo::lartpc::argon
