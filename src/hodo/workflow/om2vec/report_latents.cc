/// The report's section on the latents: which are used, and how they hang together.

#include "hodo/base/error.hh"
#include "hodo/draw/corner.hh"
#include "hodo/io/npz.hh"
#include "hodo/workflow/om2vec/detail/report_sections.hh"
#include "hodo/workflow/om2vec/latent_reader.hh"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hodo::om2vec::detail {

namespace {

/// Latents whose divergence from the prior is below this tell nothing of the photons [nats].
constexpr double used_divergence = 0.01;

double value(const std::vector<double>& table, std::int64_t width, std::int64_t row,
             std::int64_t column) {
    return table[static_cast<std::size_t>(row * width + column)];
}

std::vector<double> column_of(const LatentTable& latents, std::int64_t column) {
    std::vector<double> values;
    for (std::int64_t row = 0; row < latents.size(); ++row) {
        values.push_back(value(latents.mean, latents.width, row, column));
    }
    return values;
}

struct Moments {
    double mean = 0, deviation = 0;
};

Moments moments(const std::vector<double>& values) {
    const auto count = static_cast<double>(values.size());
    Moments result;
    result.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    for (const double v : values) {
        result.deviation += (v - result.mean) * (v - result.mean) / count;
    }
    result.deviation = std::sqrt(result.deviation);
    return result;
}

/// Mean divergence from the standard normal prior of each latent [nats]; empty without variances.
std::vector<double> divergences(const LatentTable& latents) {
    if (latents.log_variance.empty()) return {};
    std::vector<double> result(static_cast<std::size_t>(latents.width), 0.0);
    for (std::int64_t row = 0; row < latents.size(); ++row) {
        for (std::int64_t column = 0; column < latents.width; ++column) {
            const double mean = value(latents.mean, latents.width, row, column);
            const double log_variance = value(latents.log_variance, latents.width, row, column);
            result[static_cast<std::size_t>(column)] +=
                0.5 * (mean * mean + std::exp(log_variance) - 1.0 - log_variance) /
                static_cast<double>(latents.size());
        }
    }
    return result;
}

/// Latents, the one with the greatest weight first.
std::vector<std::int64_t> by_weight(const std::vector<double>& weight) {
    std::vector<std::int64_t> order(weight.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return weight[static_cast<std::size_t>(a)] > weight[static_cast<std::size_t>(b)];
    });
    return order;
}

/// Correlations [width, width]; 0 with a latent that is constant.
std::vector<double> correlations(const LatentTable& latents) {
    const auto width = static_cast<std::size_t>(latents.width);
    std::vector<std::vector<double>> standard;
    for (std::int64_t column = 0; column < latents.width; ++column) {
        auto values = column_of(latents, column);
        const auto [mean, deviation] = moments(values);
        for (auto& v : values) v = deviation > 0 ? (v - mean) / deviation : 0.0;
        standard.push_back(std::move(values));
    }
    std::vector<double> result(width * width, 1.0);
    for (std::size_t a = 0; a < width; ++a) {
        for (std::size_t b = 0; b < a; ++b) {
            const double sum = std::inner_product(standard[a].begin(), standard[a].end(),
                                                  standard[b].begin(), 0.0);
            result[a * width + b] = result[b * width + a] =
                sum / static_cast<double>(latents.size());
        }
    }
    return result;
}

std::vector<double> edges(std::int64_t count) {
    std::vector<double> result;
    for (std::int64_t i = 0; i <= count; ++i) result.push_back(static_cast<double>(i) - 0.5);
    return result;
}

void add_spread(draw::ReportPage& page, const LatentTable& latents,
                const std::vector<double>& deviation, const std::vector<double>& divergence) {
    draw::Figure figure({.width = 560,
                         .height = divergence.empty() ? 220.0 : 380.0,
                         .rows = divergence.empty() ? 1 : 2,
                         .columns = 1});
    auto& spread = figure.panel(0, 0);
    spread.steps(edges(latents.width), deviation, {.fill = draw::Fill::filled});
    spread.x({.label = "latent"}).y({.label = "spread of the mean", .low = 0.0});
    if (!divergence.empty()) {
        auto& axes = figure.panel(1, 0);
        axes.steps(edges(latents.width), divergence,
                   {.colour = draw::palette(1), .fill = draw::Fill::filled});
        axes.x({.label = "latent"}).y({.label = "divergence [nats]", .low = 0.0});
        const auto used = std::count_if(divergence.begin(), divergence.end(),
                                        [](double d) { return d > used_divergence; });
        page.report.number("latents used", static_cast<double>(used));
        page.report.number("divergence from the prior",
                           std::accumulate(divergence.begin(), divergence.end(), 0.0), not_known,
                           "nats");
    }
    page.figure("latent_spread",
                "Standard deviation of each latent's mean over modules and, where known, its mean "
                "Kullback-Leibler divergence from the prior: latents at 0 carry nothing.",
                figure);
}

}  // namespace

LatentTable evaluation_latents(const base::Path& file) {
    const auto mean = io::read_npz(file, "mean");
    HODO_CHECK(mean.shape.size() == 2, "{}: latents have {} dimensions instead of 2", file,
               mean.shape.size());
    return {.width = mean.shape[1],
            .mean = mean.doubles(),
            .log_variance = io::read_npz(file, "log_variance").doubles()};
}

LatentTable applied_latents(const base::Path& file) {
    const auto latents = read_latents(file);
    const auto note = latents.note("hodo_latent_width");
    LatentTable table;
    table.width = note ? base::parse_int(*note).value_or(latents.width) : latents.width;
    const bool with_variances = latents.width == 2 * table.width;
    HODO_CHECK(with_variances || latents.width == table.width,
               "{}: has {} numbers per module but says that its network has {} latents", file,
               latents.width, table.width);
    for (std::int64_t row = 0; row < latents.size(); ++row) {
        const auto begin = latents.values.begin() + row * latents.width;
        table.mean.insert(table.mean.end(), begin, begin + table.width);
        if (with_variances) {
            table.log_variance.insert(table.log_variance.end(), begin + table.width,
                                      begin + latents.width);
        }
    }
    return table;
}

void add_latents(draw::ReportPage& page, const LatentTable& latents) {
    page.report.section("Latents");
    if (latents.size() < 2) {
        page.report.text("There are fewer than two modules, so nothing can be said of latents.");
        return;
    }
    std::vector<double> deviation;
    for (std::int64_t i = 0; i < latents.width; ++i) {
        deviation.push_back(moments(column_of(latents, i)).deviation);
    }
    const auto divergence = divergences(latents);
    add_spread(page, latents, deviation, divergence);

    draw::Figure matrix({.width = 400, .height = 340});
    matrix.panel().heat_map(edges(latents.width), edges(latents.width), correlations(latents),
                            {.label = "correlation", .low = -1.0, .high = 1.0});
    matrix.panel().x({.label = "latent"}).y({.label = "latent"});
    page.figure("latent_correlations", "Linear correlations between the latents' means.", matrix);

    const auto order = by_weight(divergence.empty() ? deviation : divergence);
    std::vector<std::vector<double>> leading;
    draw::CornerOptions options;
    for (std::size_t i = 0; i < std::min<std::size_t>(5, order.size()); ++i) {
        leading.push_back(column_of(latents, order[i]));
        options.labels.push_back(base::format("latent {}", order[i]));
    }
    page.figure("latent_corner", "The latents that tell most, against each other.",
                draw::corner(leading, options));
}

}  // namespace hodo::om2vec::detail
