#pragma once
/// The path of a track through its voxels, and its charge per length.

#include "hodo/detector/lartpc/geometry.hh"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hodo::lartpc {

/// The direction in which points spread most.
struct PrincipalAxis {
    Point3 centre{}, direction{};
    double explained = 0;  ///< Part of the variance along it.

    /// Angle to the drift axis reversed, and around it from z to y [degree]. The direction's sign
    /// is a matter of taste: the opposite one has (180 - theta, phi +- 180).
    double theta() const;
    double phi() const;
};
PrincipalAxis principal_axis(std::span<const Point3> points);

struct TrackFitOptions {
    double step = 20;           ///< [mm]
    double max_deviation = 20;  ///< Of charge from the axis, and between neighbours [mm].
    double diagonal = 1.7;      ///< Of a voxel [mm].
    int min_neighbours = 25;    ///< Of a voxel in the bulk of the track ...
    int few_neighbours = 5;     ///< ... and where half of the track would be lost by that.
    int window = 100;           ///< Points that define the local axis.
    double explained = 0.98;    ///< Part of their variance along it, else the window shrinks.
};

struct TrackFit {
    std::vector<double> range;  ///< Length of the path before each step.
    std::vector<double> dqdx;   ///< Charge per length in each step.
    Point3 end{};
};

/// Walks along the track from `start` (default: the point with the highest y). Points without
/// enough neighbours are left out. A step closes at the first point farther along the local axis
/// than `step`; steps longer than that and a voxel's diagonal are gaps and give no value. The last
/// step of a window of points is walked again in the next one, if it ends within a diagonal of the
/// window's end.
TrackFit fit_track(std::span<const Point3> points, std::span<const double> charge,
                   const TrackFitOptions& options, std::optional<std::size_t> start = {});

}  // namespace hodo::lartpc
