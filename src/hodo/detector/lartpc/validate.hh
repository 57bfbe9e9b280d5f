#pragma once
/// Does the simulation follow its own closed forms? Numbers for the physics page and for tests.

#include "hodo/base/fields.hh"
#include "hodo/detector/lartpc/readout.hh"

#include <cstdint>
#include <string>
#include <vector>

namespace hodo::lartpc {

/// Expected values and what was simulated.
struct ValidationCurve {
    std::string name, x_label, y_label;
    std::vector<double> x, expected, simulated;
    std::vector<double> error;         ///< Statistical error of `simulated`.
    std::vector<std::string> names{};  ///< Of the points, where x is no quantity.

    /// Largest of |simulated / expected - 1| over points with expectation.
    double worst() const;
};

struct ValidationOptions {
    std::uint64_t seed = 1;
    std::int64_t tracks = 60;   ///< Stopping muons.
    std::int64_t events = 2;    ///< Beam and cosmic events for the ghosts.
    std::int64_t singles = 10;  ///< Single electrons of 1 GeV for the ghosts.
    ReadoutOptions readout;     ///< Of those events.
    void describe(base::Fields& f);
};

/// Voxels per event after tiling and merging.
struct GhostCount {
    std::string sample;
    double threshold = 0;  ///< Of the truth per voxel [MeV].
    double true_voxels = 0, active = 0, ghosts = 0;

    /// Against the true voxels that are active, as published.
    double ratio() const { return active > 0 ? ghosts / active : 0; }
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
    /// Of beam and cosmic events, and of single electrons.
    std::vector<GhostCount> ghosts;
};
/// The curves are of the detector's first TPC (Detector::first_tpc). Without a beam, electrons
/// start anywhere inside, and no beam events are counted.
ValidationTable validate_simulator(const ValidationOptions& options,
                                   const Detector& detector = protodune_sp());

}  // namespace hodo::lartpc
