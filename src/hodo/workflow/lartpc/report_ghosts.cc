/// The report's section on ghosts: curves, scores, counts and distances.

#include "hodo/workflow/lartpc/detail/report_sections.hh"

#include <algorithm>
#include <cmath>

namespace hodo::lartpc::detail {

namespace {

const char* label_of(CurveKind kind) {
    switch (kind) {
        case CurveKind::active:
            return "true and active voxels";
        case CurveKind::all:
            return "all true voxels";
        case CurveKind::weighted:
            return "weighted by true charge";
        case CurveKind::merged:
            return "merged voxels";
    }
    return "";
}

void draw_curves(draw::ReportPage& page, const GhostEvaluation& ghosts) {
    draw::Figure figure({.width = 460, .height = 400});
    auto& axes = figure.panel();
    std::size_t place = 0;
    for (const auto kind :
         {CurveKind::active, CurveKind::all, CurveKind::weighted, CurveKind::merged}) {
        const auto curve = ghosts.mean(kind);
        axes.line(curve.purity, curve.sensitivity,
                  {.label = base::format("{}: area {:.3f}", label_of(kind), curve.area()),
                   .colour = draw::palette(place++),
                   .width = kind == CurveKind::active ? 2.2 : 1.2});
    }
    const auto& counts = ghosts.confusion();
    axes.points({counts.purity()}, {counts.efficiency()},
                {.label = base::format("all events at {:.2f}", ghosts.options().threshold),
                 .colour = draw::Colour{},
                 .marker = draw::Marker::diamond,
                 .radius = 4});
    axes.x({.label = "purity", .low = 0.0, .high = 1.0});
    axes.y({.label = "efficiency", .low = 0.0, .high = 1.0});
    page.figure(
        "efficiency_purity",
        "Efficiency against purity, means over events at thresholds 0 to 0.98. A perfect "
        "network reaches the upper right corner. Curves begin at the left, where all active "
        "voxels are kept. The diamond is the working point.",
        figure);
}

void draw_scores(draw::ReportPage& page, const GhostEvaluation& ghosts) {
    constexpr auto bins = ScoreHistogram::bins;
    std::vector<double> edges, of_true, of_ghosts;
    for (std::size_t i = 0; i <= bins; ++i) edges.push_back(static_cast<double>(i) / bins);
    for (std::size_t i = 0; i < bins; ++i) {
        of_true.push_back(static_cast<double>(ghosts.scores().of_true[i]));
        of_ghosts.push_back(static_cast<double>(ghosts.scores().of_ghosts[i]));
    }
    draw::Figure figure({.width = 460, .height = 300});
    auto& axes = figure.panel();
    axes.steps(edges, of_ghosts, {.label = "ghosts", .colour = draw::palette(1)});
    axes.steps(edges, of_true, {.label = "true voxels", .colour = draw::palette(0)});
    axes.vertical(ghosts.options().threshold,
                  {.label = "threshold", .width = 1.0, .dash = draw::Dash::dashed});
    axes.x({.label = "score", .low = 0.0, .high = 1.0});
    axes.y({.label = "voxels / 0.02", .scale = draw::Scale::log});
    page.figure("scores",
                "Scores of true voxels and ghosts. The less they overlap, the better; what stands "
                "right of the line is kept.",
                figure);
}

std::vector<double> parts(const std::array<std::int64_t, ErrorDistances::bins>& counts) {
    double all = 0;
    for (const auto count : counts) all += static_cast<double>(count);
    std::vector<double> result;
    for (const auto count : counts) {
        result.push_back(static_cast<double>(count) / std::max(1.0, all));
    }
    return result;
}

void draw_distances(draw::ReportPage& page, const GhostEvaluation& ghosts) {
    std::vector<double> edges;
    for (std::size_t i = 0; i <= ErrorDistances::bins; ++i) edges.push_back(static_cast<double>(i));
    draw::Figure figure({.width = 460, .height = 280});
    auto& axes = figure.panel();
    axes.steps(edges, parts(ghosts.distances().of_ghosts),
               {.label = "kept ghosts to true voxels", .colour = draw::palette(1)});
    axes.steps(edges, parts(ghosts.distances().of_true),
               {.label = "lost true voxels to kept ones", .colour = draw::palette(0)});
    axes.x({.label = "distance [voxels]"});
    axes.y({.label = "part of them", .low = 0.0});
    page.figure("error_distances",
                "How far wrongly judged voxels are from the class that they were taken for (last "
                "bin: all farther ones). Errors of one or two voxels blur tracks a little; far "
                "ghosts are false tracks, far lost voxels are lost deposits.",
                figure);
}

void add_confusion(draw::ReportPage& page, const GhostEvaluation& ghosts) {
    const auto percent = [](double part) { return base::format("{:.1f} %", 100 * part); };
    std::vector<std::vector<io::Json>> rows;
    for (const auto& [name, counts] : ghosts.confusion_by_name()) {
        const auto all = counts.true_kept + counts.true_lost + counts.not_active;
        rows.push_back({name, all, counts.not_active, counts.true_lost, counts.true_kept,
                        percent(counts.efficiency())});
    }
    const auto& counts = ghosts.confusion();
    rows.push_back({"all true voxels", counts.true_kept + counts.true_lost + counts.not_active,
                    counts.not_active, counts.true_lost, counts.true_kept,
                    percent(counts.efficiency())});
    rows.push_back(
        {"ghosts", counts.ghosts_kept + counts.ghosts_removed, "", counts.ghosts_removed,
         counts.ghosts_kept,
         counts.ghosts_kept + counts.ghosts_removed == 0
             ? io::Json("")
             : io::Json(percent(static_cast<double>(counts.ghosts_kept) /
                                static_cast<double>(counts.ghosts_kept + counts.ghosts_removed)))});
    page.report.table({"voxels", "number", "not active", "removed", "kept", "kept of active"},
                      std::move(rows),
                      base::format("Voxels at the threshold {:.2f}: true ones by the particle that "
                                   "left most of them, and ghosts.",
                                   ghosts.options().threshold));
}

}  // namespace

void add_ghosts(draw::ReportPage& page, const GhostEvaluation& ghosts) {
    const auto counts = ghosts.mean_counts();
    page.report.section(
        "Ghosts",
        base::format("{} events with {:.0f} true voxels each, of which tiling keeps {:.1f} %, and "
                     "{:.0f} ghosts.",
                     ghosts.events().size(), counts.all_true,
                     100 * counts.active_true / std::max(1.0, counts.all_true), counts.ghosts));
    const auto curve = ghosts.mean(CurveKind::active);
    const auto best = curve.best();
    page.report.number("area under efficiency and purity", curve.area());
    page.report.number("ghosts per true voxel", ghosts.ghosts_per_true());
    page.report.number("best threshold", curve.thresholds[best]);
    page.report.number("purity there", curve.purity[best]);
    page.report.number("efficiency there", curve.sensitivity[best]);
    page.report.number("accuracy at the threshold", ghosts.confusion().accuracy());
    draw_curves(page, ghosts);
    draw_scores(page, ghosts);
    add_confusion(page, ghosts);
    draw_distances(page, ghosts);
}

}  // namespace hodo::lartpc::detail
