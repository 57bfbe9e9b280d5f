#pragma once
/// How well scores remove the ghosts of one event: counts, curves, places and distances.

#include "hodo/detector/lartpc/purity.hh"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace hodo::lartpc {

/// An event as a network saw it. `truth` is ordered by (x, y, z) and holds no voxel twice.
struct ScoredEvent {
    const VoxelImage& truth;
    std::span<const Voxel> voxels;
    std::span<const float> scores;  ///< One per voxel.
};

/// Voxels with at least this true value (and more than nothing), ordered.
VoxelImage truth_above(const VoxelImage& truth, double least);

/// Numbers of voxels at one threshold of the score.
struct Confusion {
    std::int64_t true_kept = 0, true_lost = 0;  ///< Active true voxels.
    std::int64_t ghosts_kept = 0, ghosts_removed = 0;
    std::int64_t not_active = 0;  ///< True voxels that tiling lost.

    Confusion& operator+=(const Confusion& other);
    double efficiency() const;  ///< Of active true voxels; 0 without any.
    double purity() const;      ///< 1 when nothing is kept.
    /// Part of the active voxels that are judged rightly.
    double accuracy() const;
};
Confusion confusion(const ScoredEvent& event, double threshold);
/// The true voxels of each kind of particle (PDG number, column 2 of the truth); no ghosts.
std::map<std::int64_t, Confusion> confusion_by_particle(const ScoredEvent& event, double threshold);

/// Scores of true voxels and of ghosts, in bins of 0.02; what lies outside [0, 1] is in the first
/// or last one.
struct ScoreHistogram {
    static constexpr std::size_t bins = 50;
    std::array<std::int64_t, bins> of_true{}, of_ghosts{};
};
void add_scores(ScoreHistogram& histogram, const ScoredEvent& event);

/// Distances of wrongly judged voxels to the class that they were taken for, in voxels: of kept
/// ghosts to the nearest true voxel, of lost true voxels to the nearest kept true one.
struct ErrorDistances {
    static constexpr std::size_t bins = 20;  ///< Of one voxel; the last one holds all farther ones.
    std::array<std::int64_t, bins> of_ghosts{}, of_true{};
};
void add_distances(ErrorDistances& distances, const ScoredEvent& event, double threshold);

/// Cells of the anode plane: 374 voxels in y, 72 in z, four in z per TPC.
inline constexpr std::int32_t segment_y = 374, segment_z = 72;
using Segment = std::pair<int, int>;  ///< y, z.

/// Voxels of an event, in all and in a segment.
struct VoxelCounts {
    double all_true = 0;     ///< True voxels.
    double active_true = 0;  ///< Of them active.
    double ghosts = 0;       ///< Active voxels that are not true.
};
VoxelCounts count_voxels(const ScoredEvent& event);

struct SegmentQuality {
    PurityCurve curve;
    VoxelCounts counts;
};
/// The curves of the segments that hold truth.
std::map<Segment, SegmentQuality> segment_quality(const ScoredEvent& event,
                                                  const PurityOptions& options);

}  // namespace hodo::lartpc
