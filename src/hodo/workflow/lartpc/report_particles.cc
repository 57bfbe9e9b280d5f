/// The report's sections on particles, places and tracks.

#include "hodo/workflow/lartpc/detail/report_sections.hh"

#include <algorithm>
#include <cmath>

namespace hodo::lartpc::detail {

namespace {

/// Residual ranges of dQ/dx: bins of 20 mm up to 800 mm.
constexpr double range_bin = 20, largest_range = 800;

double median(std::vector<double> values) {
    const auto middle = values.begin() + std::ssize(values) / 2;
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

void draw_particles(draw::ReportPage& page, const GhostEvaluation& ghosts) {
    draw::Figure figure({.width = 760, .height = 340, .rows = 1, .columns = 2});
    auto& curves = figure.panel(0, 0).title("by particle");
    std::size_t place = 0;
    for (const auto& [name, curve] : ghosts.by_particle()) {
        const auto is_one = [&kind = name](const auto& particle) {
            return particle_name(particle.quality.pdg) == kind;
        };
        const auto count =
            std::count_if(ghosts.particles().begin(), ghosts.particles().end(), is_one);
        curves.line(curve.purity, curve.sensitivity,
                    {.label = base::format("{} ({}): area {:.3f}", name, count, curve.area()),
                     .colour = draw::palette(place++)});
    }
    curves.x({.label = "purity", .low = 0.0, .high = 1.0});
    curves.y({.label = "efficiency", .low = 0.0, .high = 1.0});
    std::vector<double> theta, phi, area;
    for (const auto& particle : ghosts.particles()) {
        theta.push_back(particle.quality.direction.theta());
        phi.push_back(particle.quality.direction.phi());
        area.push_back(particle.quality.curve.area());
    }
    auto& angles = figure.panel(0, 1).title("by direction");
    angles.discs(theta, phi, area, {.label = "area", .low = 0.5, .high = 1.0, .radius = 2.5});
    angles.x({.label = "angle to the reversed drift [degree]", .low = 0.0, .high = 180.0});
    angles.y({.label = "angle around it, from z to y [degree]", .low = -180.0, .high = 180.0});
    page.figure("particles",
                "Left: mean curves of particles with at least 50 active and 20 true voxels. Right: "
                "the area of each against its direction; near 0 and 180 degrees tracks run along "
                "the drift, near 90 degrees along the wire planes, where ghosts are most.",
                figure);
}

void draw_deviations(draw::ReportPage& page, const GhostEvaluation& ghosts) {
    constexpr int bins = 30;
    constexpr double width = 0.5;
    std::vector<double> edges, counts(bins), deviations;
    for (int i = 0; i <= bins; ++i) edges.push_back(i * width);
    for (const auto& particle : ghosts.particles()) {
        if (!particle.quality.deviation || particle.quality.direction.explained < 0.95) continue;
        const double angle = *particle.quality.deviation;
        deviations.push_back(angle);
        ++counts[static_cast<std::size_t>(std::min<double>(bins - 1, angle / width))];
    }
    if (deviations.empty()) return;
    page.report.number("direction of straight particles, median deviation", median(deviations),
                       std::numeric_limits<double>::quiet_NaN(), "degrees");
    draw::Figure figure({.width = 460, .height = 260});
    auto& axes = figure.panel();
    axes.steps(edges, counts, {.fill = draw::Fill::filled});
    axes.x({.label = "angle between true and found direction [degree]"});
    axes.y({.label = "particles / 0.5 degree", .low = 0.0});
    page.figure("directions",
                "Directions of straight particles (95 % of their spread along one axis): principal "
                "axis of the kept voxels against that of the true ones. The last bin holds all "
                "larger angles.",
                figure);
}

struct Profile {
    std::vector<double> range, dqdx;
};

Profile profile_of(const std::vector<TrackCharge>& tracks) {
    std::vector<std::vector<double>> values(static_cast<std::size_t>(largest_range / range_bin));
    for (const auto& track : tracks) {
        if (std::abs(track.pdg) != 13) continue;
        for (std::size_t i = 0; i < track.dqdx.size(); ++i) {
            const auto bin = static_cast<std::size_t>(track.residual_range[i] / range_bin);
            if (bin < values.size()) values[bin].push_back(track.dqdx[i]);
        }
    }
    Profile profile;
    for (std::size_t bin = 0; bin < values.size(); ++bin) {
        if (values[bin].size() < 3) continue;
        profile.range.push_back((static_cast<double>(bin) + 0.5) * range_bin);
        profile.dqdx.push_back(median(values[bin]));
    }
    return profile;
}

void draw_tracks(draw::ReportPage& page, const GhostEvaluation& ghosts) {
    const auto truth = profile_of(ghosts.true_tracks());
    const auto found = profile_of(ghosts.found_tracks());
    if (truth.range.empty()) return;
    draw::Figure figure({.width = 460, .height = 300});
    auto& axes = figure.panel();
    axes.line(truth.range, truth.dqdx, {.label = "truth", .colour = draw::palette(0)});
    axes.points(found.range, found.dqdx, {.label = "kept voxels", .colour = draw::palette(1)});
    axes.x({.label = "residual range [mm]", .low = 0.0, .high = largest_range});
    axes.y({.label = "true value / mm", .low = 0.0});
    page.figure(
        "dqdx",
        "Charge per length of muons that stop inside the active volume, medians in bins of the "
        "distance to their end: true values on true voxels, and charges of upright wires on "
        "kept voxels, scaled to the same sum. Stopping muons rise towards 0; ghosts and "
        "losses shift the points off the line.",
        figure);
}

void draw_segments(draw::ReportPage& page, const GhostEvaluation& ghosts) {
    const auto segments = ghosts.by_segment();
    if (segments.size() < 2) return;
    std::map<int, std::map<int, double>> areas;
    int last = 0;
    for (const auto& [segment, quality] : segments) {
        areas[segment.first][segment.second] = quality.curve.area();
        last = std::max(last, segment.second);
    }
    draw::Figure figure({.width = 520, .height = 260});
    auto& axes = figure.panel();
    std::vector<std::string> names;
    for (int z = 0; z <= last; ++z) names.push_back(base::format("{}", z));
    for (const auto& [y, of_row] : areas) {
        std::vector<double> heights;
        for (int z = 0; z <= last; ++z) {
            const auto place = of_row.find(z);
            heights.push_back(place == of_row.end() ? 0 : place->second);
        }
        axes.bars(names, heights,
                  {.label = base::format("voxels {} to {} in y", y * segment_y,
                                         (y + 1) * segment_y - 1)});
    }
    axes.x({.label = base::format("segment of {} voxels in z", segment_z)});
    axes.y({.label = "area", .low = 0.0, .high = 1.25});
    page.figure("segments",
                "Area by place on the anode plane. Segments at the border have more ghosts, since "
                "pixels that no wire covers count as covered.",
                figure);
}

}  // namespace

void add_particles(draw::ReportPage& page, const GhostEvaluation& ghosts) {
    page.report.section("Particles and places");
    if (ghosts.by_tpc().size() > 1) {
        std::vector<std::vector<io::Json>> rows;
        for (const auto& [tpc, curve] : ghosts.by_tpc()) {
            rows.push_back({tpc, base::format("{:.3f}", curve.area())});
        }
        page.report.table({"TPC", "area"}, std::move(rows), "Area by TPC.");
    }
    draw_segments(page, ghosts);
    if (ghosts.particles().empty()) {
        page.report.text(
            "The truth names no particles, or none has at least 50 active and 20 true voxels.");
        return;
    }
    draw_particles(page, ghosts);
    draw_deviations(page, ghosts);
    draw_tracks(page, ghosts);
}

}  // namespace hodo::lartpc::detail
