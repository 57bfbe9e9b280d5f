#include "hodo/detector/optical/tracks.hh"

#include <algorithm>
#include <cmath>

namespace hodo::optical {

namespace {

constexpr double smallest_fraction = 1e-3;
constexpr double stopping_energy = 0.2;  // [GeV]; about the muon's Cherenkov threshold

}  // namespace

MuonLosses muon_losses(const Medium& medium) {
    return {0.268 * medium.density, 0.470e-3 * medium.density};
}

double mean_muon_range(const Medium& medium, double energy) {
    const MuonLosses losses = muon_losses(medium);
    return std::log1p(energy * losses.proportional / losses.continuous) / losses.proportional;
}

double MuonTrack::energy_at(double distance, double continuous_loss) const {
    const auto next = std::lower_bound(
        losses.begin(), losses.end(), distance,
        [](const Loss& loss, double position) { return loss.distance < position; });
    if (next == losses.begin()) return std::max(0.0, energy - continuous_loss * distance);
    const Loss& last = *(next - 1);
    return std::max(0.0, last.before - last.energy - continuous_loss * (distance - last.distance));
}

MuonTrack propagate_muon(const Medium& medium, const Point& origin, const Point& direction,
                         double start_time, double energy, double longest, base::Random& random) {
    const MuonLosses losses = muon_losses(medium);
    const double strength = losses.proportional / std::log(1 / smallest_fraction);
    const double per_metre = strength * (1 / smallest_fraction - 1);
    MuonTrack track{origin, direction, start_time, energy, 0.0, {}};
    while (energy > stopping_energy && track.length < longest) {
        const double step = random.exponential() / per_metre;
        const double until_stop = (energy - stopping_energy) / losses.continuous;
        const double until_end = longest - track.length;
        if (step >= std::min(until_stop, until_end)) {
            track.length += std::min(until_stop, until_end);
            break;
        }
        track.length += step;
        energy -= losses.continuous * step;
        // Inverse of the distribution 1/v^2 between the smallest fraction and 1.
        const double inverse = 1 / smallest_fraction;
        const double fraction = 1 / (inverse - random.uniform() * (inverse - 1));
        track.losses.push_back({track.length, fraction * energy, energy});
        energy -= fraction * energy;
    }
    return track;
}

}  // namespace hodo::optical
