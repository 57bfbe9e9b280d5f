#pragma once
/// The charges of the voxels of an event from the samples of its wires, slice by slice.
///
/// A slice is the ticks of one coarse voxel. Its samples, summed channel by channel, are shared
/// among the voxels of the slice (charge_solve.hh). Slices are independent, so the result does not
/// depend on threads.

#include "hodo/detector/lartpc/charge_solve.hh"
#include "hodo/detector/lartpc/voxel_cloud.hh"
#include "hodo/detector/lartpc/wire_signals.hh"

#include <span>
#include <string_view>
#include <vector>

namespace hodo::lartpc {

/// Charges >= 0 with a penalty on their sum (`solve_lasso`), or `solve_least_squares`.
enum class ChargeMethod { lasso, ols };

struct ChargeOptions {
    ChargeMethod method = ChargeMethod::lasso;
    LassoOptions lasso{};
    Downsampling factors{};  ///< Of the voxels.
};

/// One charge per voxel of `voxels` (x, y, z), which stand in any order, in the unit of the
/// samples: what one plane's wires see of the voxel. Errors begin with `origin`; voxels that do not
/// belong to these signals or factors are one.
std::vector<double> solve_charges(const PixelGrid& grid, const WireSignals& signals,
                                  std::span<const Voxel> voxels, const ChargeOptions& options,
                                  std::string_view origin);

}  // namespace hodo::lartpc
