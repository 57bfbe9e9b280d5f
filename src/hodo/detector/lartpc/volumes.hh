#pragma once
/// From the detector hall to the voxels of one TPC and back.
///
/// A readout sees a deposit at local x = distance to the anode plus the drift since the readout's
/// begin: local x = drift speed x (time + simulation time) + distance; y and z count from the lower
/// corner of the TPC's box.

#include "hodo/detector/lartpc/geometry.hh"
#include "hodo/detector/lartpc/voxel_cloud.hh"

#include <optional>
#include <span>

namespace hodo::lartpc {

/// Whether points outside a TPC's box are refused.
enum class Limits { box, none };

/// The local point [mm] of a deposit at `point` [mm] and `time` [us]; nothing when it lies outside
/// the box or the readout window.
std::optional<Point3> local_point(const Detector& detector, int tpc, const Point3& point,
                                  double time, Limits limits = Limits::box);

/// floor(local / voxel side).
Voxel voxel_at(const Detector& detector, const Point3& local);

/// Moves the voxels of a TPC into the frame of TPC `first`, so that TPCs can be joined.
class CommonFrame {
  public:
    /// `sides` are those of the (merged) voxels [mm]; `start` is the time of the product's first
    /// tick against the usual one [us]: 0 for wires and truth, 244 for space points.
    CommonFrame(const Detector& detector, int tpc, const Point3& sides, double start = 0,
                int first = 1);

    Voxel operator()(const Voxel& voxel) const;
    /// What rounding to whole voxels adds [mm].
    const Point3& residual() const { return residual_; }

  private:
    int direction_;
    Voxel offset_{};
    Point3 residual_{};
};

}  // namespace hodo::lartpc
