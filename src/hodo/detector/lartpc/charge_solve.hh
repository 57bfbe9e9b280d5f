#pragma once
/// The charge of pixels from the samples of the wires that cross them: samples = matrix x charges.

#include "hodo/detector/lartpc/tiling.hh"

#include <array>
#include <span>
#include <vector>

namespace hodo::lartpc {

/// A sparse matrix by columns: column c has entries [starts[c], starts[c + 1]).
struct WireMatrix {
    int rows = 0;
    std::vector<std::int64_t> starts{0};
    std::vector<std::int32_t> row;
    std::vector<double> value;

    int columns() const { return static_cast<int>(starts.size()) - 1; }
};

/// Overlap of every channel with every coarse pixel (z, y), in units of that pixel's area. Where
/// the face ends in the midst of a coarse pixel, only its part on the face counts.
WireMatrix wire_matrix(const PixelGrid& grid, std::span<const std::array<int, 2>> pixels,
                       Downsampling factors);

struct LassoOptions {
    double alpha = 1e-4;
    int passes = 1000;
    /// The passes end when a pass changes no charge by more than this part of the largest charge
    /// and the duality gap is below this part of the samples' squares: where the published analysis
    /// (scikit-learn) ends.
    double tolerance = 1e-4;
};

/// Charges q >= 0 that minimise |y - A q - b|^2 / (2 N) + alpha sum q, with a free offset b.
std::vector<double> solve_lasso(const WireMatrix& matrix, std::span<const double> samples,
                                const LassoOptions& options = {});

/// The least-squares charges of least norm.
std::vector<double> solve_least_squares(const WireMatrix& matrix, std::span<const double> samples);

}  // namespace hodo::lartpc
