/// The report's pictures of events, and its table of words.

#include "hodo/workflow/lartpc/detail/report_sections.hh"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace hodo::lartpc::detail {

namespace {

/// Points beyond this number are thinned evenly.
constexpr std::int64_t most_points = 3000, most_turned = 12'000;
constexpr std::size_t cells = 160;

/// Where a voxel stands on the sheet: z to the right and up, drift to the left and up, y up [m].
struct Projection {
    std::vector<double> across, up;

    Projection(const std::vector<Voxel>& voxels, const Point3& sides) {
        const auto step = std::max<std::int64_t>(1, std::ssize(voxels) / most_points);
        for (std::int64_t i = 0; i < std::ssize(voxels); i += step) {
            add(voxels[static_cast<std::size_t>(i)], sides);
        }
    }
    Projection() = default;

    void add(const Voxel& voxel, const Point3& sides) {
        const double x = voxel[0] * sides[0] / 1000, y = voxel[1] * sides[1] / 1000,
                     z = voxel[2] * sides[2] / 1000;
        across.push_back((z - x) * std::sqrt(3.0) / 2);
        up.push_back(y + (z + x) / 2);
    }
};

void draw_box(draw::Axes& axes, const std::array<std::int32_t, 3>& size, const Point3& sides) {
    for (int corner = 0; corner < 8; ++corner) {
        for (int d = 0; d < 3; ++d) {
            if ((corner >> d & 1) != 0) continue;
            Projection edge;
            for (const int end : {corner, corner | 1 << d}) {
                edge.add({(end & 1) != 0 ? size[0] : 0, (end & 2) != 0 ? size[1] : 0,
                          (end & 4) != 0 ? size[2] : 0},
                         sides);
            }
            axes.line(edge.across, edge.up, {.colour = draw::Colour::hex("#999999"), .width = 0.6});
        }
    }
}

struct Frame {
    std::array<std::int32_t, 3> size{};
    double left = 0, right = 0, bottom = 0, top = 0;
};

Frame frame_of(const DrawnEvent& event, const Point3& sides) {
    Frame frame;
    for (const auto* voxels : {&event.active, &event.not_active}) {
        for (const auto& voxel : *voxels) {
            for (std::size_t d = 0; d < 3; ++d) {
                frame.size[d] = std::max(frame.size[d], voxel[d] + 1);
            }
        }
    }
    Projection corners;
    for (int corner = 0; corner < 8; ++corner) {
        corners.add({(corner & 1) != 0 ? frame.size[0] : 0, (corner & 2) != 0 ? frame.size[1] : 0,
                     (corner & 4) != 0 ? frame.size[2] : 0},
                    sides);
    }
    const auto [left, right] = std::minmax_element(corners.across.begin(), corners.across.end());
    const auto [bottom, top] = std::minmax_element(corners.up.begin(), corners.up.end());
    return {frame.size, *left - 0.1, *right + 0.1, *bottom - 0.1, *top + 0.1};
}

/// Numbers of voxels in cells of the sheet: too many to be points.
void draw_density(draw::Axes& axes, const std::vector<Voxel>& voxels, const Point3& sides,
                  const Frame& frame) {
    std::vector<double> across, up, values(cells * cells, std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i <= cells; ++i) {
        const double part = static_cast<double>(i) / cells;
        across.push_back(std::lerp(frame.left, frame.right, part));
        up.push_back(std::lerp(frame.bottom, frame.top, part));
    }
    Projection places;
    for (const auto& voxel : voxels) places.add(voxel, sides);
    const auto cell = [](double value, double low, double high) {
        return std::min(cells - 1, static_cast<std::size_t>((value - low) / (high - low) * cells));
    };
    for (std::size_t i = 0; i < places.across.size(); ++i) {
        auto& value = values[cell(places.across[i], frame.left, frame.right) * cells +
                             cell(places.up[i], frame.bottom, frame.top)];
        value = (std::isnan(value) ? 0.0 : value) + 1;
    }
    axes.heat_map(across, up, values, {.label = "voxels", .scale = draw::Scale::log, .low = 1.0});
}

void draw_points(draw::Axes& axes, const std::vector<Voxel>& voxels, const Point3& sides,
                 const char* label, draw::Colour colour, double radius) {
    if (voxels.empty()) return;
    Projection places(voxels, sides);
    axes.points(std::move(places.across), std::move(places.up),
                {.label = base::format("{} ({})", label, base::with_thousands(std::ssize(voxels))),
                 .colour = colour,
                 .radius = radius,
                 .opacity = 0.8});
}

draw::Figure event_figure(const DrawnEvent& event, const Point3& sides) {
    draw::Figure figure({.width = 1050, .height = 400, .rows = 1, .columns = 3});
    const auto frame = frame_of(event, sides);
    const char* titles[] = {"all active voxels", "true voxels", "kept voxels"};
    for (int column = 0; column < 3; ++column) {
        auto& axes = figure.panel(0, column).title(titles[column]);
        draw_box(axes, frame.size, sides);
        axes.x({.label = "z - drift, oblique [m]", .low = frame.left, .high = frame.right});
        axes.y({.label = column == 0 ? "height, oblique [m]" : "",
                .low = frame.bottom,
                .high = frame.top});
    }
    draw_density(figure.panel(0, 0), event.active, sides, frame);
    auto& truth = figure.panel(0, 1);
    draw_points(truth, event.not_active, sides, "not active", draw::palette(2), 1.0);
    draw_points(truth, event.true_lost, sides, "lost", draw::palette(1), 1.0);
    draw_points(truth, event.true_kept, sides, "found", draw::palette(0), 0.6);
    auto& kept = figure.panel(0, 2);
    draw_points(kept, event.ghosts_kept, sides, "ghosts", draw::palette(1), 1.0);
    draw_points(kept, event.true_kept, sides, "true", draw::palette(0), 0.6);
    return figure;
}

/// Voxels as points that turn, beam and drift on the floor and y upwards.
draw::Clouds::Cloud cloud_of(const std::vector<Voxel>& voxels, const Point3& sides,
                             const char* label, draw::Colour colour) {
    const auto step = (std::ssize(voxels) + most_turned - 1) / most_turned;
    draw::Clouds::Cloud cloud{
        .label = base::format("{} ({})", label, base::with_thousands(std::ssize(voxels))),
        .colour = colour};
    if (step > 1) cloud.label += base::format(", 1 of {} drawn", step);
    for (std::int64_t i = 0; i < std::ssize(voxels); i += step) {
        const auto& voxel = voxels[static_cast<std::size_t>(i)];
        for (const std::size_t d : {2U, 0U, 1U}) {
            cloud.points.push_back(static_cast<float>(voxel[d] * sides[d] / 1000));
        }
    }
    return cloud;
}

draw::Clouds event_clouds(const DrawnEvent& event, const Point3& sides) {
    draw::Clouds clouds{.axes = {"z (beam)", "x (drift)", "y"}, .side = 2 * sides[2] / 1000};
    clouds.clouds = {cloud_of(event.active, sides, "all active", draw::Colour::hex("#999999")),
                     cloud_of(event.ghosts_kept, sides, "kept ghosts", draw::palette(1)),
                     cloud_of(event.not_active, sides, "true, not active", draw::palette(2)),
                     cloud_of(event.true_lost, sides, "true, lost", draw::palette(3)),
                     cloud_of(event.true_kept, sides, "true, kept", draw::palette(0))};
    clouds.clouds.front().shown = draw::Clouds::Shown::on_demand;
    return clouds;
}

}  // namespace

DrawnEvent drawn_event(const ScoredEvent& event, double threshold, std::string title) {
    DrawnEvent drawn{.title = std::move(title),
                     .active = {event.voxels.begin(), event.voxels.end()},
                     .true_kept = {},
                     .true_lost = {},
                     .ghosts_kept = {},
                     .not_active = {}};
    std::set<Voxel> active;
    for (std::size_t i = 0; i < event.voxels.size(); ++i) {
        const bool kept = static_cast<double>(event.scores[i]) > threshold;
        const auto& voxel = event.voxels[i];
        if (std::binary_search(event.truth.voxels.begin(), event.truth.voxels.end(), voxel)) {
            (kept ? drawn.true_kept : drawn.true_lost).push_back(voxel);
            active.insert(voxel);
        } else if (kept) {
            drawn.ghosts_kept.push_back(voxel);
        }
    }
    for (const auto& voxel : event.truth.voxels) {
        if (!active.contains(voxel)) drawn.not_active.push_back(voxel);
    }
    return drawn;
}

void add_events(draw::ReportPage& page, const std::vector<DrawnEvent>& events,
                const Point3& sides) {
    if (events.empty()) return;
    page.report.section(
        "Events",
        base::format(
            "Drag to turn, Ctrl and wheel to zoom, double-click to begin again; the names "
            "hide and show voxels. In print and in the files of figures events are seen "
            "obliquely: the beam goes to the upper right, the drift to the upper left, and "
            "of sets with more than {} voxels every few are drawn.",
            base::with_thousands(most_points)));
    int number = 0;
    for (const auto& event : events) {
        page.clouds(base::format("event_{}", number++),
                    base::format("{}: what tiling offers, the truth by what became of it, and "
                                 "what the network keeps; orange is wrong.",
                                 event.title),
                    event_figure(event, sides), event_clouds(event, sides));
    }
}

void add_conventions(draw::ReportPage& page, const JudgementOptions& options) {
    page.report.section("Words");
    std::vector<std::vector<io::Json>> rows{
        {"active", "on all three planes a wire saw something there: what tiling offers"},
        {"true", base::format("with a true value of at least {}", options.truth_threshold)},
        {"ghost", "active but not true"},
        {"kept", base::format("with a score above {:.2f}", options.threshold)},
        {"purity", "true voxels among the kept ones"},
        {"efficiency", "kept voxels among the true and active ones (all: among all true ones)"},
        {"area", "sum over thresholds of purity times the fall of efficiency; 1 is perfect"},
        {"weighted", "efficiency by sum of true values"},
        {"merged", base::format("of voxels merged by {} x {} x {}, kept if one of theirs is",
                                options.merge.x, options.merge.y, options.merge.z)}};
    page.report.table({"word", "meaning"}, std::move(rows));
}

}  // namespace hodo::lartpc::detail
