#include "hodo/detector/optical/light.hh"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "hodo/base/error.hh"
#include "hodo/base/units.hh"

namespace hodo::optical {

namespace {

/// Light is not concentrated further than this distance [m]: the size of a module and of the core
/// of a cascade.
constexpr double smallest_track_distance = 0.2;
constexpr double smallest_cascade_distance = 2.0;

/// x / tanh(x), 1 at 0.
double over_tanh(double x) {
    if (x < 1e-4) return 1.0 + x * x / 3.0;
    if (x > 20) return x;
    const double e = std::exp(-2 * x);
    return x * (1 + e) / (1 - e);
}

/// Angular profile of Cherenkov light of electromagnetic cascades, not normalised; d = distance of
/// the cosine from that of the Cherenkov angle. Raedel and Wiebusch 2013.
double raw_profile(double d) {
    return std::exp(-6.02527 * std::pow(std::abs(d), 0.29887));
}

/// Regularized lower incomplete gamma function P(a, x): series below a + 1, else continued fraction
/// (Lentz). Abramowitz and Stegun 6.5.29, 6.5.31.
double lower_gamma(double a, double x) {
    if (x <= 0) return 0.0;
    const double front = std::exp(a * std::log(x) - x - std::lgamma(a));
    constexpr int most = 10'000;
    if (x < a + 1) {
        double term = 1.0 / a, sum = term;
        for (int n = 1; n < most && term > 1e-16 * sum; ++n) sum += term *= x / (a + n);
        return front * sum;
    }
    constexpr double tiny = 1e-300;
    double b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d;
    for (int n = 1; n < most; ++n) {
        const double factor = -n * (n - a);
        b += 2;
        d = factor * d + b;
        if (std::abs(d) < tiny) d = tiny;
        c = b + factor / c;
        if (std::abs(c) < tiny) c = tiny;
        d = 1 / d;
        h *= d * c;
        if (std::abs(d * c - 1) < 1e-15) break;
    }
    return 1 - front * h;
}

}  // namespace

double ResidualLaw::density(double residual) const {
    if (residual < 0) return 0.0;
    return std::exp(shape * std::log(rate) + (shape - 1) * std::log(residual) - rate * residual -
                    std::lgamma(shape));
}

double ResidualLaw::cumulative(double residual) const {
    return lower_gamma(shape, rate * residual);
}

Light::Light(const Medium& medium, double effective_area)
    : medium_(medium), area_(effective_area), vacuum_yield_(cherenkov_photons_per_metre(medium)) {
    HODO_DOOR(effective_area > 0);
    // Mean over the sphere by the midpoint rule; the integrand has a cusp at the Cherenkov angle,
    // so each side is integrated by itself in a variable that flattens it.
    const double peak = medium_.cherenkov_cosine();
    const auto side = [](double length) {
        constexpr int steps = 500;
        double sum = 0;
        for (int k = 0; k < steps; ++k) {
            const double u = (k + 0.5) / steps;
            sum += raw_profile(length * u * u * u) * 3 * u * u * length / steps;
        }
        return sum;
    };
    profile_norm_ = 2.0 / (side(1 + peak) + side(1 - peak));
}

double Light::profile(double cosine) const {
    return profile_norm_ * raw_profile(cosine - medium_.cherenkov_cosine());
}

double Light::photons_per_metre(double energy) const {
    // Raedel and Wiebusch 2012: secondaries below 0.5 GeV add light in proportion.
    return vacuum_yield_ * (1.0 + 0.1880 + 0.0206 * std::log(std::max(energy, 1.0)));
}

double Light::cascade_photons(double energy, CascadeKind kind) const {
    // Raedel and Wiebusch 2013: 532.07 cm of Cherenkov track per GeV in ice; scaled by density.
    const double track_length = 5.3207 * (ice().density / medium_.density) * energy;
    double fraction = 1.0;
    if (kind == CascadeKind::hadronic) {
        // Hadronic cascades shine less: 1 - (E/E0)^-m (1 - f0). Gabriel et al., Nucl. Instrum.
        // Meth. A 338 (1994) 336, with the parameters in use for South Pole ice.
        fraction = 1.0 - std::pow(std::max(energy, 1.0) / 0.399, -0.130) * (1.0 - 0.467);
    }
    return vacuum_yield_ * track_length * fraction;
}

double Light::cascade_depth(double energy) const {
    // Mean of the longitudinal gamma profile, Raedel and Wiebusch 2013.
    const double shape = 2.01849 + 1.45469 * std::log10(std::max(energy, 1.0));
    return medium_.radiation_length * shape / 0.63207;
}

double Light::track_mean(double per_metre, double r) const {
    const double sine = medium_.cherenkov_sine();
    const double distance = std::max(r, smallest_track_distance);
    const double p = medium_.propagation_length();
    const double c = medium_.diffusion_length() / sine;
    const double m = c * c * 2.0 / (std::numbers::pi * p);
    // 1 / (sqrt(m r) tanh(sqrt(r/m))) = over_tanh(x) / r with x = sqrt(r/m)
    const double shape = over_tanh(std::sqrt(distance / m)) / distance;
    return per_metre * area_ / (2 * std::numbers::pi * sine) * std::exp(-distance / p) * shape;
}

double Light::isotropic_mean(double photons, double r) const {
    const double distance = std::hypot(r, smallest_cascade_distance);
    const double shape = over_tanh(distance / medium_.diffusion_length()) / (distance * distance);
    return photons * area_ / (4 * std::numbers::pi) *
           std::exp(-distance / medium_.propagation_length()) * shape;
}

double Light::cascade_mean(double photons, double r, double cosine) const {
    const double isotropic = isotropic_mean(photons, r);
    const double direct = std::exp(-r / medium_.effective_scattering);
    if (direct < 1e-4) return isotropic;  // the profile, at most 10, no longer matters
    return isotropic * (1.0 + direct * (profile(cosine) - 1.0));
}

double Light::cascade_bound(double photons, double r) const {
    const double direct = std::exp(-r / medium_.effective_scattering);
    return isotropic_mean(photons, r) * (1.0 + direct * (profile_norm_ - 1.0));
}

ResidualLaw Light::residual(const PandelParameters& parameters, double r) const {
    const double speed = constants::speed_of_light / medium_.group_index;
    // A photon that comes from very near is not delayed: the shape stays above 0.
    const double shape = std::max(r, 0.01) / parameters.length;
    return {shape, 1.0 / parameters.time + speed / medium_.absorption};
}

}  // namespace hodo::optical
