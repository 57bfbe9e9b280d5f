/// The report's section of examples: photons of a module, and what comes out of codes of them.

#include "hodo/base/error.hh"
#include "hodo/io/npz.hh"
#include "hodo/workflow/om2vec/detail/report_sections.hh"

#include <algorithm>
#include <cmath>

namespace hodo::om2vec::detail {

namespace {

/// Bins of a picture.
constexpr std::int64_t most_bins = 60;

/// The part of a histogram worth showing: where the photons are, with room on both sides, cut into
/// at most `most_bins` groups of `factor` bins.
struct Window {
    std::int64_t first = 0, groups = 0, factor = 1;
};

Window window_of(std::span<const float> counts) {
    double total = 0;
    for (const float n : counts) total += static_cast<double>(n);
    const auto place_of = [&](double part) {
        double sum = 0;
        std::int64_t bin = 0;
        while (bin < std::ssize(counts) - 1 &&
               (sum += static_cast<double>(counts[static_cast<std::size_t>(bin)])) < part * total) {
            ++bin;
        }
        return bin;
    };
    const auto first = place_of(1e-9), last = place_of(0.97);
    const auto room = std::max<std::int64_t>(8, (last - first + 1) / 4);
    const auto low = std::max<std::int64_t>(0, first - room);
    const auto high = std::min<std::int64_t>(std::ssize(counts), last + 1 + room);
    Window window{.first = low};
    window.factor = (high - low + most_bins - 1) / most_bins;
    window.groups = (high - low) / window.factor;
    return window;
}

/// Photons per group within the window.
std::vector<double> grouped(std::span<const float> values, const Window& window, double scale) {
    std::vector<double> result;
    for (std::int64_t group = 0; group < window.groups; ++group) {
        double sum = 0;
        for (std::int64_t i = 0; i < window.factor; ++i) {
            sum += static_cast<double>(
                values[static_cast<std::size_t>(window.first + group * window.factor + i)]);
        }
        result.push_back(sum * scale);
    }
    return result;
}

std::vector<double> group_edges(const Window& window, double bin_width) {
    std::vector<double> edges;
    for (std::int64_t group = 0; group <= window.groups; ++group) {
        edges.push_back(static_cast<double>(window.first + group * window.factor) * bin_width);
    }
    return edges;
}

}  // namespace

void add_examples(draw::ReportPage& page, const Evaluation& evaluation) {
    const auto file = evaluation.folder / "examples.npz";
    if (!std::filesystem::exists(file)) return;
    const auto counts = io::read_npz(file, "counts");
    HODO_CHECK(counts.shape.size() == 2, "{}: counts have {} dimensions instead of 2", file,
               counts.shape.size());
    const auto modules = counts.shape[0];
    if (modules == 0) return;
    const auto bins = static_cast<std::size_t>(counts.shape[1]);
    const auto mean = io::read_npz(file, "mean");
    const auto quantiles = io::read_npz(file, "tight_quantiles");
    const auto number = io::read_npz(file, "module").integers();
    const auto hits = io::read_npz(file, "hits").doubles();
    const auto& binning = evaluation.info.at("binning");
    const double bin_width = binning.at("window_ns").number() / binning.at("bins").number();

    constexpr int columns = 2;
    const auto rows = static_cast<int>((modules + columns - 1) / columns);
    draw::Figure figure(
        {.width = 720, .height = 40.0 + 210.0 * rows, .rows = rows, .columns = columns});
    for (int i = 0; i < static_cast<int>(modules); ++i) {
        const auto row = static_cast<std::size_t>(i);
        const auto part = [&](const io::Array& array) {
            return array.as<float>().subspan(row * bins, bins);
        };
        const auto window = window_of(part(counts));
        const auto edges = group_edges(window, bin_width);
        const auto& modules_judged = evaluation.modules;
        const auto id = modules_judged.id[static_cast<std::size_t>(number[row])];
        auto& axes = figure.panel(i / columns, i % columns);
        axes.title(
            base::format("string {}, sensor {}: {} photons", id.string, id.sensor, hits[row]));
        axes.steps(edges, grouped(part(counts), window, 1.0),
                   {.label = "photons", .colour = draw::palette(0), .fill = draw::Fill::filled});
        axes.steps(edges, grouped(part(mean), window, hits[row]),
                   {.label = "network", .colour = draw::palette(1)});
        axes.steps(edges, grouped(part(quantiles), window, hits[row]),
                   {.label = "quantiles",
                    .colour = draw::palette(2),
                    .width = 1.0,
                    .dash = draw::Dash::dashed});
        axes.x({.label = "time after the event's time zero [ns]"});
        axes.y({.label = base::format("photons / {:.4g} ns",
                                      static_cast<double>(window.factor) * bin_width),
                .low = 0.0});
    }
    page.report.section("Examples");
    page.figure(
        "examples",
        "Photons of some modules and the distributions that come out of the network (mean "
        "latent) and of as many quantiles up to the last photon, scaled to the number of photons.",
        figure);
}

}  // namespace hodo::om2vec::detail
