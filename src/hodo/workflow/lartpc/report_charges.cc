/// The report's section on predicted charges.

#include "hodo/workflow/lartpc/detail/report_sections.hh"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hodo::lartpc::detail {

namespace {

void draw_resolution(draw::ReportPage& page, const ChargeQuality& quality) {
    std::vector<double> centre, bias, width;
    for (const auto& bin : quality.bins()) {
        if (bin.voxels < 5) continue;
        centre.push_back(std::sqrt(bin.low * bin.high));
        bias.push_back(bin.bias);
        width.push_back(bin.width);
    }
    if (centre.empty()) return;
    draw::Figure figure(
        {.width = 460, .height = 380, .rows = 2, .columns = 1, .stacking = draw::Stacking::joined});
    auto& upper = figure.panel(0, 0);
    upper.points(centre, bias, {.colour = draw::palette(0)});
    upper.horizontal(0, {.width = 0.8, .dash = draw::Dash::dashed});
    upper.x({.label = "true charge", .scale = draw::Scale::log});
    upper.y({.label = "bias: median - 1"});
    auto& lower = figure.panel(1, 0);
    lower.points(centre, width, {.colour = draw::palette(1)});
    lower.x({.label = "true charge", .scale = draw::Scale::log});
    lower.y({.label = "width: half of 68 %", .low = 0.0});
    page.figure("charge_resolution",
                "Predicted over true charge of true voxels, in bins of true charge: median minus "
                "one, and half of the range that holds the middle 68 %. A bias that falls with "
                "charge is a network that predicts the mean.",
                figure);
}

void draw_cells(draw::ReportPage& page, const ChargeQuality& quality) {
    const auto& cells = quality.cells();
    if (cells.empty()) return;
    constexpr int per_decade = ChargeQuality::cells_per_decade;
    int low = cells.begin()->first.first, high = low;
    for (const auto& [cell, count] : cells) {
        low = std::min({low, cell.first, std::max(cell.second, low - 10)});
        high = std::max({high, cell.first, std::min(cell.second, high + 10)});
    }
    const auto n = static_cast<std::size_t>(high - low + 1);
    std::vector<double> edges, values(n * n, std::numeric_limits<double>::quiet_NaN());
    for (int i = low; i <= high + 1; ++i) edges.push_back(std::pow(10.0, double(i) / per_decade));
    for (const auto& [cell, count] : cells) {
        if (cell.second < low || cell.second > high) continue;
        values[static_cast<std::size_t>(cell.first - low) * n +
               static_cast<std::size_t>(cell.second - low)] = static_cast<double>(count);
    }
    draw::Figure figure({.width = 420, .height = 360});
    auto& axes = figure.panel();
    axes.heat_map(edges, edges, values, {.label = "voxels", .scale = draw::Scale::log, .low = 1.0});
    axes.diagonal({.width = 0.8, .dash = draw::Dash::dashed});
    axes.x({.label = "true charge", .scale = draw::Scale::log});
    axes.y({.label = "predicted charge", .scale = draw::Scale::log});
    page.figure("charges", "Predicted against true charge; right predictions are on the line.",
                figure);
}

}  // namespace

void add_charges(draw::ReportPage& page, const ChargeEvaluation& charges) {
    const auto& quality = charges.quality();
    page.report.section(
        "Charges", base::format("{} voxels of {} events.", base::with_thousands(quality.voxels()),
                                charges.event_sums().size()));
    page.report.number("mean of predicted minus true", quality.mean_error());
    page.report.number("deviation", quality.deviation());
    page.report.number("mean prediction on ghosts", quality.mean_on_ghosts());
    page.report.number("predicted sum over true sum", quality.sum_ratio());
    draw_resolution(page, quality);
    draw_cells(page, quality);
}

}  // namespace hodo::lartpc::detail
