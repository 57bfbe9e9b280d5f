#include "hodo/draw/corner.hh"

#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/draw/contour.hh"

namespace hodo::draw {
namespace {

constexpr std::size_t most_points = 800;  ///< Drawn per panel; contours use all.
const Colour truth_colour = Colour::hex("#D55E00");

/// One parameter: its finite draws in order, and the range shown.
struct Parameter {
    std::vector<double> sorted;
    Range range;

    explicit Parameter(const std::vector<double>& draws, double truth) {
        std::copy_if(draws.begin(), draws.end(), std::back_inserter(sorted),
                     [](double value) { return std::isfinite(value); });
        std::sort(sorted.begin(), sorted.end());
        if (sorted.empty()) return;
        range = {quantile(0.001), quantile(0.999)};
        const double pad = std::max(0.08 * (range.high - range.low), 1e-9 * std::abs(range.low));
        range = {range.low - pad, range.high + pad};
        if (std::isfinite(truth)) {
            range.low = std::min(range.low, truth - pad);
            range.high = std::max(range.high, truth + pad);
        }
        if (!(range.low < range.high)) range = {range.low - 0.5, range.high + 0.5};
    }

    double quantile(double fraction) const {
        const double place = fraction * double(sorted.size() - 1);
        const auto index = static_cast<std::size_t>(place);
        const std::size_t next = std::min(index + 1, sorted.size() - 1);
        return sorted[index] + (place - double(index)) * (sorted[next] - sorted[index]);
    }

    /// "12.3 ^{+1.2}_{-0.9}" with two digits of the smaller error.
    std::string summary() const {
        if (sorted.empty()) return {};
        const double median = quantile(0.5);
        const double up = quantile(0.84) - median, down = median - quantile(0.16);
        const double least = std::min(up, down);
        if (!(least > 0)) return number_text(median);
        const int decimals = std::clamp(1 - static_cast<int>(std::floor(std::log10(least))), 0, 9);
        return base::format("{}{:.{}f} ^{{+{:.{}f}}}_{{\u2212{:.{}f}}}", median < 0 ? "\u2212" : "",
                            std::abs(median), decimals, up, decimals, down, decimals);
    }
};

void draw_marginal(Axes& axes, const Parameter& parameter) {
    const int bins =
        std::clamp(static_cast<int>(2 * std::cbrt(double(parameter.sorted.size()))), 10, 40);
    const Range range = parameter.range;
    std::vector<double> edges, counts(static_cast<std::size_t>(bins), 0.0);
    for (int i = 0; i <= bins; ++i)
        edges.push_back(range.low + (range.high - range.low) * i / bins);
    for (const double value : parameter.sorted) {
        const double bin = std::floor((value - range.low) / (range.high - range.low) * bins);
        if (bin >= 0 && bin < bins) counts[static_cast<std::size_t>(bin)] += 1.0;
    }
    if (parameter.sorted.empty()) return;
    axes.steps(std::move(edges), std::move(counts), {.width = 1.1, .fill = Fill::filled});
    for (const double fraction : {0.16, 0.5, 0.84}) {
        axes.vertical(parameter.quantile(fraction), {.width = 0.7, .dash = Dash::dashed});
    }
}

void draw_pair(Axes& axes, const std::vector<double>& x, const std::vector<double>& y,
               Range x_range, Range y_range) {
    std::vector<double> shown_x, shown_y;
    const std::size_t stride = std::max<std::size_t>(1, x.size() / most_points);
    for (std::size_t i = 0; i < x.size(); i += stride) {
        shown_x.push_back(x[i]);
        shown_y.push_back(y[i]);
    }
    axes.points(shown_x, shown_y,
                {.colour = Colour{0.55, 0.55, 0.55, 1}, .radius = 0.7, .opacity = 0.35});
    if (x.size() < 20) return;
    const int bins = std::clamp(static_cast<int>(2 * std::cbrt(double(x.size()))), 12, 50);
    const Density density = density_of(x, y, x_range, y_range, bins);
    const Colour colour = palette(0);
    for (const double fraction : {0.95, 0.68}) {
        const double level = enclosing_level(density, x, y, fraction);
        for (const auto& line : contour_lines(density, level)) {
            std::vector<double> line_x, line_y;
            for (const Position& p : line) {
                line_x.push_back(p.x);
                line_y.push_back(p.y);
            }
            axes.line(std::move(line_x), std::move(line_y),
                      {.colour = fraction > 0.9 ? colour.lighter(0.45) : colour, .width = 1.2});
        }
    }
}

}  // namespace

Figure corner(const std::vector<std::vector<double>>& samples, CornerOptions options) {
    const std::size_t count = samples.size();
    HODO_DOOR(count > 0 && options.labels.size() == count);
    HODO_DOOR(options.truth.empty() || options.truth.size() == count);
    for (const auto& draws : samples) HODO_DOOR(draws.size() == samples[0].size());
    options.truth.resize(count, std::nan(""));
    std::vector<Parameter> parameters;
    for (std::size_t i = 0; i < count; ++i) parameters.emplace_back(samples[i], options.truth[i]);

    const double side = options.panel_size * double(count) + 50;
    const int size = static_cast<int>(count);
    Figure figure({.width = side,
                   .height = side,
                   .rows = size,
                   .columns = size,
                   .stacking = Stacking::joined,
                   .title = options.title});
    const auto axis = [&](std::size_t i, bool outer) {
        return AxisOptions{.label = outer ? options.labels[i] : "",
                           .low = parameters[i].range.low,
                           .high = parameters[i].range.high,
                           .labels = outer ? Labels::shown : Labels::hidden};
    };
    const LineOptions truth_line{.colour = truth_colour, .width = 0.9};
    for (std::size_t row = 0; row < count; ++row) {
        for (std::size_t column = 0; column <= row; ++column) {
            Axes& axes = figure.panel(int(row), int(column));
            axes.x(axis(column, row + 1 == count));
            const double true_x = options.truth[column], true_y = options.truth[row];
            if (row == column) {
                axes.y({.labels = Labels::hidden});
                axes.title(parameters[row].summary());
                draw_marginal(axes, parameters[row]);
            } else {
                axes.y(axis(row, column == 0));
                draw_pair(axes, samples[column], samples[row], parameters[column].range,
                          parameters[row].range);
                if (std::isfinite(true_y)) axes.horizontal(true_y, truth_line);
            }
            if (std::isfinite(true_x)) axes.vertical(true_x, truth_line);
        }
    }
    return figure;
}

}  // namespace hodo::draw
