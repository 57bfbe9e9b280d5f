#pragma once
/// Pictures of events: true and ghost voxels in three dimensions, wire planes in time.

#include "hodo/detector/lartpc/files.hh"
#include "hodo/detector/lartpc/geometry.hh"
#include "hodo/detector/lartpc/tiling.hh"
#include "hodo/detector/lartpc/wire_signals.hh"
#include "hodo/draw/event_display.hh"
#include "hodo/draw/figure.hh"

#include <cstdint>
#include <span>
#include <string>

namespace hodo::lartpc {

/// Most voxels that one scene shows; of more, those with the largest charge.
inline constexpr std::int64_t most_voxels = 40'000;

/// What one voxel stands for.
struct VoxelScale {
    Point3 sides{};   ///< Drift, y, z [mm].
    double time = 0;  ///< Of drift [us].
};
/// The scale of voxels that merge so many ticks and pixels.
VoxelScale voxel_scale(const Detector& detector, Downsampling factors);

/// Scenes of events [first, first + count) of a tiled file: with truth, one of the true voxels and
/// one of the ghosts each; without, one of all. Sizes show the charge from the second plane,
/// colours and the clock the drift.
draw::EventDisplay voxel_display(const TiledBatch& batch, const VoxelScale& scale,
                                 std::int64_t first, std::int64_t count, const std::string& title);

/// The same with scores, one per voxel, of which those above `threshold` are kept: scenes of the
/// voxels kept and, with truth, of kept ghosts, lost true voxels, and true voxels.
draw::EventDisplay scored_display(const TiledBatch& batch, const VoxelScale& scale,
                                  std::span<const float> scores, double threshold,
                                  std::int64_t first, std::int64_t count, const std::string& title);

/// Scenes of events whose voxels have an energy [MeV] as their first number, as PILArNet-M has:
/// voxels of 3 mm; colours and the clock show x. Numbers of events begin with `first`.
draw::EventDisplay energy_display(const VoxelCloud& cloud, std::int64_t first,
                                  const std::string& title);

/// The three planes of a face: samples summed in cells of wires and ticks.
draw::Figure plane_figure(const WireSignals& signals, const AnodeFace& face);

}  // namespace hodo::lartpc
