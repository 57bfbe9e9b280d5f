#pragma once
/// Does the simulation follow its own closed forms? Numbers for the physics page and for tests.

#include "hodo/base/fields.hh"

#include <cstdint>
#include <string>
#include <vector>

namespace hodo::lartpc {

/// Expected values and what was simulated.
struct ValidationCurve {
    std::string name, x_label, y_label;
    std::vector<double> x, expected, simulated;
    std::vector<double> error;  ///< Statistical error of `simulated`.

    /// Largest of |simulated / expected - 1| over points with expectation.
    double worst() const;
};

struct ValidationOptions {
    std::uint64_t seed = 1;
    std::int64_t tracks = 60;  ///< Stopping muons.
    std::int64_t events = 2;   ///< Beam and cosmic events for the ghosts.
    void describe(base::Fields& f);
};

struct ValidationTable {
    /// Energy loss of stopping muons against residual range: Bethe's mean.
    ValidationCurve energy_loss;
    /// Charge that arrives against drift distance: the lifetime's exponential.
    ValidationCurve attenuation;
    /// Width of a point's signal in time against drift distance: diffusion and filter.
    ValidationCurve diffusion;
    /// Per plane: charge on wires over charge that arrived, for a track well inside.
    ValidationCurve charge;
    /// Of beam and cosmic events after tiling: voxels per event.
    double true_voxels = 0, true_and_active = 0, ghosts = 0;
};
ValidationTable validate_simulator(const ValidationOptions& options);

}  // namespace hodo::lartpc
