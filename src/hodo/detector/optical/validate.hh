#pragma once
/// Does the simulation follow its own closed forms? Numbers for the physics page and for reports.
///
/// The checks run the same code as the simulation, with single sources at one module.

#include <cstdint>
#include <string>
#include <vector>

#include "hodo/detector/optical/simulate.hh"

namespace hodo::optical {

/// A curve of expected values and what was simulated.
struct ValidationCurve {
    std::string name;     ///< "light of a track", ...
    std::string x_label;  ///< "distance [m]"
    std::string y_label;  ///< "photons per metre of track and module"
    std::vector<double> x, expected, simulated;
    std::vector<double> error;  ///< Statistical error of `simulated`.

    /// Sum of squared deviations in units of the error, over points with an error above 0.
    double chi_square() const;
    std::int64_t points() const;  ///< Points that enter it.
};

struct ValidationOptions {
    std::string medium = "ice";
    std::uint64_t seed = 1;
    std::int64_t trials = 500;       ///< Sources per distance.
    std::int64_t residuals = 20000;  ///< Photons per residual histogram.
    void describe(base::Fields& f);
};

/// Curves: photons of a muon track and of a cascade against distance (closed form and simulated),
/// residual histograms against the gamma density at several distances, first arrival of a bright
/// track against the Cherenkov geometry.
struct ValidationTable {
    std::vector<ValidationCurve> light;
    std::vector<ValidationCurve> residuals;
    ValidationCurve first_arrival;
};
ValidationTable validate_simulator(const ValidationOptions& options);

}  // namespace hodo::optical
