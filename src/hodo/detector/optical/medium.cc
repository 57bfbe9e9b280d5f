#include "hodo/detector/optical/medium.hh"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "hodo/base/error.hh"

namespace hodo::optical {

double Medium::cherenkov_cosine() const {
    return 1.0 / phase_index;
}

double Medium::cherenkov_sine() const {
    const double c = cherenkov_cosine();
    return std::sqrt(1.0 - c * c);
}

double Medium::propagation_length() const {
    return std::min(absorption, std::sqrt(absorption * effective_scattering / 3.0));
}

double Medium::diffusion_length() const {
    return effective_scattering / (3.0 * std::exp(-effective_scattering / absorption));
}

const Medium& ice() {
    static const Medium medium{.name = "ice",
                               .phase_index = 1.3195,
                               .group_index = 1.3557,
                               .absorption = 98.0,
                               .effective_scattering = 25.0,
                               .track = {33.3, 557.0},
                               .cascade = {47.0, 450.0},
                               .density = 0.917,
                               .radiation_length = 0.3932};
    return medium;
}

const Medium& water() {
    static const Medium medium{.name = "water",
                               .phase_index = 1.35,
                               .group_index = 1.38,
                               .absorption = 60.0,
                               .effective_scattering = 265.0,
                               .track = {265.0, 100.0},
                               .cascade = {265.0, 100.0},
                               .density = 1.039,
                               .radiation_length = 0.347};
    return medium;
}

const Medium& medium_named(std::string_view name) {
    if (name == "ice") return ice();
    if (name == "water") return water();
    base::fail("the medium '{}' is unknown; it is ice or water", name);
}

double cherenkov_photons_per_metre(const Medium& medium, double low, double high) {
    constexpr double fine_structure = 7.2973525693e-3;  // CODATA 2018
    constexpr double nanometre = 1e-9;
    const double sine = medium.cherenkov_sine();
    return 2 * std::numbers::pi * fine_structure * sine * sine * (1 / low - 1 / high) / nanometre;
}

}  // namespace hodo::optical
