#pragma once
/// The report while it is made: the page, its figures as files, and its sections.

#include "hodo/base/text.hh"
#include "hodo/draw/figure.hh"
#include "hodo/draw/report.hh"
#include "hodo/workflow/lartpc/evaluation.hh"

#include <string>
#include <vector>

namespace hodo::lartpc::detail {

class ReportPage {
  public:
    ReportPage(std::string title, base::Path figures)
        : report(std::move(title)), figures_(std::move(figures)) {}

    /// Shows a figure and saves it as `name`.png, .pdf and .svg.
    void figure(const std::string& name, const std::string& caption, const draw::Figure& figure);

    draw::Report report;

  private:
    base::Path figures_;
};

/// One event to draw.
struct DrawnEvent {
    std::string title;
    std::vector<Voxel> active, true_kept, true_lost, ghosts_kept;
    std::vector<Voxel> not_active;  ///< True voxels that tiling lost.
};
DrawnEvent drawn_event(const ScoredEvent& event, double threshold, std::string title);

/// Loss and metrics against epochs; needs summaries_0.csv, else metrics.csv of the run.
void add_training(ReportPage& page, const base::Path& run);
/// Curves, scores, confusion, distances.
void add_ghosts(ReportPage& page, const GhostEvaluation& ghosts);
/// Curves and directions of particles, charge along tracks, segments.
void add_particles(ReportPage& page, const GhostEvaluation& ghosts);
/// Bias and width of predicted charges.
void add_charges(ReportPage& page, const ChargeEvaluation& charges);
/// Events seen from one side.
void add_events(ReportPage& page, const std::vector<DrawnEvent>& events, const Point3& sides);
/// What the words and numbers mean.
void add_conventions(ReportPage& page, const JudgementOptions& options);

}  // namespace hodo::lartpc::detail
