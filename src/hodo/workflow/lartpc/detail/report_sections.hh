#pragma once
/// The sections of the report.

#include "hodo/base/text.hh"
#include "hodo/draw/report_page.hh"
#include "hodo/workflow/lartpc/evaluation.hh"

#include <string>
#include <vector>

namespace hodo::lartpc::detail {

/// One event to draw.
struct DrawnEvent {
    std::string title;
    std::vector<Voxel> active, true_kept, true_lost, ghosts_kept;
    std::vector<Voxel> not_active;  ///< True voxels that tiling lost.
};
DrawnEvent drawn_event(const ScoredEvent& event, double threshold, std::string title);

/// Loss and metrics against epochs; needs summaries_0.csv of the run, else there is no section.
void add_training(draw::ReportPage& page, const base::Path& run);
/// Curves, scores, confusion, distances.
void add_ghosts(draw::ReportPage& page, const GhostEvaluation& ghosts);
/// Curves and directions of particles, charge along tracks, segments.
void add_particles(draw::ReportPage& page, const GhostEvaluation& ghosts);
/// Bias and width of predicted charges.
void add_charges(draw::ReportPage& page, const ChargeEvaluation& charges);
/// Events seen from one side.
void add_events(draw::ReportPage& page, const std::vector<DrawnEvent>& events, const Point3& sides);
/// What the words and numbers mean.
void add_conventions(draw::ReportPage& page, const JudgementOptions& options);

}  // namespace hodo::lartpc::detail
