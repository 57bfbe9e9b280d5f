#pragma once
/// How well scores tell true voxels from ghosts, and clouds of points as voxels.

#include "hodo/detector/lartpc/tiling.hh"
#include "hodo/detector/lartpc/voxel_cloud.hh"

#include <span>
#include <vector>

namespace hodo::lartpc {

/// What counts as all of the truth: every true voxel, or those that tiling kept.
enum class TruthSet { all, active };
/// Sensitivity by number of voxels or by their true charge.
enum class Weighting { number, charge };
/// A voxel is kept when its score exceeds the threshold, or also when it equals it.
enum class Comparison { above, at_least };

struct PurityOptions {
    TruthSet set = TruthSet::all;
    Weighting weighting = Weighting::number;
    Comparison comparison = Comparison::above;
};

/// Purity and sensitivity (efficiency) at thresholds 0, 0.02, ... 0.98.
struct PurityCurve {
    std::vector<double> thresholds, purity, sensitivity;

    /// Sum of purity times the fall of sensitivity, from threshold to threshold.
    double area() const;
    /// The first threshold with the largest sum of purity and sensitivity.
    std::size_t best() const;
};

/// `scores[i]` belongs to `voxels[i]`. Purity is 1 where nothing is kept. Truth without voxels
/// gives sensitivity 0.
PurityCurve purity_curve(const VoxelImage& truth, std::span<const Voxel> voxels,
                         std::span<const float> scores, const PurityOptions& options = {});

/// The same on merged voxels, one of which is kept when any of its voxels is.
PurityCurve merged_purity_curve(const VoxelImage& truth, std::span<const Voxel> voxels,
                                std::span<const float> scores, Downsampling factors,
                                const PurityOptions& options = {});

/// The mean of curves, threshold by threshold.
PurityCurve mean_curve(std::span<const PurityCurve> curves);

/// What becomes of a column of values when points share a voxel: their sum, their mean, or the most
/// frequent value (the lowest among equals).
enum class Merge { sum, mean, vote };

/// Points [n, 3 + columns] in mm as voxels of the given sides, ordered by (x, y, z).
VoxelImage voxelize(std::span<const double> points, const Point3& sides,
                    std::span<const Merge> columns);

}  // namespace hodo::lartpc
