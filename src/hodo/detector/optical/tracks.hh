#pragma once
/// Muons on their way: energy along the track, and the cascades of large energy losses.
///
/// Mean loss -dE/dx = a + b E. The part b E is made of single losses: per metre and loss fraction
/// v = loss / E, C / v^2 between v = 10^-3 and 1, C = b / ln(10^3), so that the mean is right; the
/// part a is continuous. Values of a and b: D. Chirkin and W. Rhode, hep-ph/0407075 (0.268 GeV and
/// 0.470e-3 per metre of water equivalent).

#include <vector>

#include "hodo/base/random.hh"
#include "hodo/detector/optical/events.hh"
#include "hodo/detector/optical/medium.hh"

namespace hodo::optical {

struct MuonLosses {
    double continuous = 0;    ///< a [GeV/m]
    double proportional = 0;  ///< b [1/m]
};
MuonLosses muon_losses(const Medium& medium);

/// Mean range [m] of a muon of energy [GeV]: ln(1 + E b / a) / b.
double mean_muon_range(const Medium& medium, double energy);

struct MuonTrack {
    Point origin{};
    Point direction{};      ///< Unit vector.
    double start_time = 0;  ///< [ns]
    /// A single loss, or the end of the track with what was left.
    struct Loss {
        double distance = 0;  ///< From the origin [m].
        double energy = 0;    ///< Lost [GeV].
        double before = 0;    ///< Energy of the muon just before [GeV].
    };
    double energy = 0;  ///< At the origin [GeV].
    double length = 0;  ///< To where the muon stops or is no longer followed [m].
    std::vector<Loss> losses;

    /// Energy of the muon at a distance from the origin [GeV].
    double energy_at(double distance, double continuous_loss) const;
};

/// Follows a muon for at most `longest` metres.
MuonTrack propagate_muon(const Medium& medium, const Point& origin, const Point& direction,
                         double start_time, double energy, double longest, base::Random& random);

}  // namespace hodo::optical
