#pragma once
/// The published analysis' files of curves: `epoch<E>-<type>-tpc<t>_stats-thres<x.xx>....npz`.
///
///   xs, ys, thresholds          purity, efficiency and score threshold, means over events [50]
///   n_T, n_TP_naive, n_FP_naive true voxels, true and active ones, ghosts; means over events
///   <y>_<z>                     per segment of 374 x 72 voxels: objects [5], xs, ys, n_T,
///                               n_TP_naive, n_FP_naive
///   event_stats                 objects [events, 7]: index of the file, event, xs, ys, n_T,
///                               n_TP_naive, n_FP_naive
///   arr_0, arr_1, ...           per particle objects [9]: the tuple (track, PDG, true voxels,
///                               (theta, phi, explained part), None, sum of the truth), xs, ys,
///                               active voxels, n_T, n_TP_naive, sum of the truth, index of the
///                               file, event
///
/// Segments, events and particles stand in the file of the plain curve.

#include "hodo/base/text.hh"
#include "hodo/workflow/lartpc/evaluation.hh"

#include <string>
#include <vector>

namespace hodo::lartpc {

/// What the names of stats files tell besides the curve.
struct StatsName {
    std::int64_t epoch = 0;
    std::string type;       ///< "BeamCosmic", or empty for several.
    std::int64_t tpc = -1;  ///< -1 for several.
    std::string tag;        ///< At the end, or empty.
};

/// "epoch24-BeamCosmic-tpc1_stats-thres0.17-comptrue-N500.npz" for the curve `all`.
std::string stats_file_name(const StatsName& name, CurveKind kind, const GhostEvaluation& ghosts);

/// Writes one file per curve; returns them.
std::vector<base::Path> write_stats(const base::Path& folder, const StatsName& name,
                                    const GhostEvaluation& ghosts);

}  // namespace hodo::lartpc
