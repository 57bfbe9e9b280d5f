/// The report's sections on quality: distances, likelihoods and times beside the baselines.

#include "hodo/detector/optical/quality.hh"
#include "hodo/draw/colour.hh"
#include "hodo/workflow/om2vec/detail/report_sections.hh"

#include <algorithm>
#include <cmath>

namespace hodo::om2vec::detail {

namespace {

constexpr int classes = static_cast<int>(optical::hit_class_names.size());

std::int64_t latent_size(const Evaluation& evaluation) {
    return evaluation.info.at("latent").integer();
}

/// What a code is called in tables and legends.
std::string code_label(const Evaluation& evaluation, std::string_view code) {
    if (code == "sampled") return "network, sampled latent";
    if (code == "mean") return "network, mean latent";
    if (code == "quantiles") return base::format("{} quantiles", latent_size(evaluation));
    if (code == "tight_quantiles") {
        return base::format("{} quantiles to the last photon", latent_size(evaluation));
    }
    if (code == "equal_bins") return base::format("{} equal bins", latent_size(evaluation));
    return "64 quantiles";
}

std::string class_name(int hit_class) {
    return std::string(optical::hit_class_names[static_cast<std::size_t>(hit_class)]);
}

Spread class_spread(const Evaluation& evaluation, std::string_view code,
                    double CodeFigures::*figure, int hit_class) {
    return spread_of(evaluation.modules.values(code, figure, hit_class));
}

double median_hits(const Evaluation& evaluation, int hit_class) {
    std::vector<double> hits;
    for (const double n : evaluation.modules.hits) {
        if (optical::hit_class(n) == hit_class) hits.push_back(n);
    }
    return spread_of(std::move(hits)).median;
}

/// "0.0821 ± 0.0013": two digits of the error decide.
io::Json with_error(const Spread& spread) {
    if (spread.count == 0) return "";
    if (!(spread.error > 0)) return base::format("{:.3f}", spread.median);
    const auto digits =
        std::clamp(1 - static_cast<int>(std::floor(std::log10(spread.error))), 0, 4);
    return base::format("{:.{}f} ± {:.{}f}", spread.median, digits, spread.error, digits);
}

/// A table of medians: a row per class, a column per code.
void median_table(draw::ReportPage& page, const Evaluation& evaluation, double CodeFigures::*figure,
                  const std::vector<std::string>& codes, const std::string& caption) {
    std::vector<std::string> columns{"hits", "modules"};
    for (const auto& code : codes) columns.push_back(code_label(evaluation, code));
    std::vector<std::vector<io::Json>> rows;
    for (int hit_class = 0; hit_class < classes; ++hit_class) {
        const auto count = evaluation.modules.count(hit_class);
        if (count == 0) continue;
        std::vector<io::Json> row{class_name(hit_class), count};
        for (const auto& code : codes) {
            row.push_back(with_error(class_spread(evaluation, code, figure, hit_class)));
        }
        rows.push_back(std::move(row));
    }
    page.report.table(std::move(columns), std::move(rows), caption);
}

/// Medians against the number of hits, one series per code.
void median_panel(draw::Axes& axes, const Evaluation& evaluation, double CodeFigures::*figure,
                  const std::vector<std::string>& codes, const std::string& label) {
    static constexpr draw::Marker markers[] = {draw::Marker::circle, draw::Marker::open_circle,
                                               draw::Marker::square, draw::Marker::triangle,
                                               draw::Marker::diamond};
    std::size_t place = 0;
    for (const auto& code : codes) {
        std::vector<double> x, y, errors;
        for (int hit_class = 0; hit_class < classes; ++hit_class) {
            const auto spread = class_spread(evaluation, code, figure, hit_class);
            if (spread.count == 0) continue;
            // Neighbouring series stand a little apart so that error bars stay readable.
            x.push_back(median_hits(evaluation, hit_class) *
                        std::pow(1.06, static_cast<double>(place)));
            y.push_back(spread.median);
            errors.push_back(std::isnan(spread.error) ? 0.0 : spread.error);
        }
        const auto colour = draw::palette(place);
        axes.line(x, y, {.colour = colour, .width = 0.8});
        axes.points(x, y,
                    {.label = code_label(evaluation, code),
                     .colour = colour,
                     .marker = markers[place % std::size(markers)],
                     .radius = 2.8,
                     .y_errors = errors});
        ++place;
    }
    axes.x({.label = "photons per module", .scale = draw::Scale::log});
    axes.y({.label = label});
}

std::vector<std::string> distance_codes() {
    return {"sampled", "mean", "quantiles", "tight_quantiles", "equal_bins"};
}

void add_distances(draw::ReportPage& page, const Evaluation& evaluation) {
    const auto codes = distance_codes();
    draw::Figure figure({.width = 460, .height = 320});
    median_panel(figure.panel(), evaluation, &CodeFigures::js, codes,
                 "median Jensen-Shannon distance");
    page.figure(
        "jensen_shannon",
        "Jensen-Shannon distance between photons and code (square root, natural logarithm, "
        "0 to 0.833; less is better): medians per class of hits with their standard errors.",
        figure);
    median_table(page, evaluation, &CodeFigures::js, codes,
                 "Median Jensen-Shannon distance in the network's own bins.");
    draw::Figure coarse({.width = 720, .height = 300, .rows = 1, .columns = 2});
    median_panel(coarse.panel(0, 0).title("bins of 8 ns"), evaluation, &CodeFigures::js_8ns, codes,
                 "median Jensen-Shannon distance");
    median_panel(coarse.panel(0, 1).title("bins of 32 ns"), evaluation, &CodeFigures::js_32ns,
                 codes, "median Jensen-Shannon distance");
    page.figure("jensen_shannon_coarse",
                "The same after summing bins: a finite sample has a distance well above 0 from "
                "its own density in fine bins, less so in coarse ones.",
                coarse);
    median_table(page, evaluation, &CodeFigures::js_8ns, codes,
                 "Median Jensen-Shannon distance after summing to 8 ns.");
    median_table(page, evaluation, &CodeFigures::js_32ns, codes,
                 "Median Jensen-Shannon distance after summing to 32 ns.");
}

void add_likelihoods(draw::ReportPage& page, const Evaluation& evaluation) {
    std::vector<std::string> codes{"mean", "quantiles", "tight_quantiles", "equal_bins"};
    if (evaluation.modules.has("quantiles_64")) codes.push_back("quantiles_64");
    const double uniform = evaluation.info.at("uniform_log_likelihood").number();
    draw::Figure figure({.width = 720, .height = 320, .rows = 1, .columns = 2});
    const auto panel = [&](int column, const char* title, double CodeFigures::*what) {
        auto& axes = figure.panel(0, column).title(title);
        median_panel(axes, evaluation, what, codes, "log-likelihood per photon [nats]");
        axes.horizontal(uniform, {.label = "uniform", .width = 1.0, .dash = draw::Dash::dashed});
    };
    panel(0, "photons the code was made of", &CodeFigures::log_likelihood);
    panel(1, "photons held out", &CodeFigures::held_out_log_likelihood);
    page.figure(
        "log_likelihood",
        base::format("Log-likelihood per photon (more is better) beside the uniform "
                     "density's {:.3f}. Left: the photons that the code was made of. Right: "
                     "the code is made of a random half of the photons and judged on the "
                     "other half, which punishes codes that learn photons by heart.",
                     uniform),
        figure);
    median_table(page, evaluation, &CodeFigures::log_likelihood, codes,
                 "Median log-likelihood per photon, photons that the code was made of [nats].");
    median_table(page, evaluation, &CodeFigures::held_out_log_likelihood, codes,
                 "Median log-likelihood per photon, photons held out [nats].");
}

/// Numbers over all modules, for comparing runs.
void add_totals(draw::ReportPage& page, const Evaluation& evaluation) {
    const auto number = [&](const char* name, const char* code, double CodeFigures::*figure,
                            const char* unit) {
        const auto spread = spread_of(evaluation.modules.values(code, figure));
        page.report.number(name, spread.median, spread.error, unit);
    };
    number("median JS distance, sampled latent", "sampled", &CodeFigures::js, "");
    number("median JS distance, mean latent", "mean", &CodeFigures::js, "");
    number("median JS distance, quantiles", "quantiles", &CodeFigures::js, "");
    number("median held-out log-likelihood, mean latent", "mean",
           &CodeFigures::held_out_log_likelihood, "nats");
    number("median held-out log-likelihood, quantiles", "quantiles",
           &CodeFigures::held_out_log_likelihood, "nats");
    number("median Wasserstein distance, mean latent", "mean", &CodeFigures::wasserstein, "ns");
}

struct TimingFigure {
    const char* title;
    const char* label;
    double CodeFigures::*member;
};
constexpr TimingFigure timing_figures[] = {
    {"first hit", "median |error| [ns]", &CodeFigures::first_error},
    {"median time", "median |error| [ns]", &CodeFigures::median_error},
    {"10-90 % width", "median |error| [ns]", &CodeFigures::width_error},
    {"1-Wasserstein distance", "median distance [ns]", &CodeFigures::wasserstein}};

}  // namespace

std::string quantile_warning(const Evaluation& evaluation) {
    std::vector<std::string> worse;
    for (int hit_class = 0; hit_class < classes; ++hit_class) {
        const auto network = class_spread(evaluation, "mean", &CodeFigures::js, hit_class);
        const auto quantiles = class_spread(evaluation, "quantiles", &CodeFigures::js, hit_class);
        if (network.median > quantiles.median) worse.push_back(class_name(hit_class));
    }
    if (worse.empty()) return {};
    return base::format(
        "{} quantiles describe modules with {} photons better than the network's {} latents do "
        "(Jensen-Shannon distance, mean latent), so as a code of arrival times the network is not "
        "worth its cost there.",
        latent_size(evaluation), base::join(worse, ", "), latent_size(evaluation));
}

void add_quality(draw::ReportPage& page, const Evaluation& evaluation) {
    const auto available = evaluation.info.at("modules_available").integer();
    page.report.section(
        "Quality",
        base::format(
            "{} of {} modules, weights {} (fingerprint {}). A code of {} numbers is only "
            "worth having if it beats {} quantiles of the photon times, which cost nothing.",
            base::with_thousands(evaluation.modules.size()), base::with_thousands(available),
            evaluation.info.at("weights").text(), evaluation.info.at("fingerprint").text(),
            latent_size(evaluation), latent_size(evaluation)));
    add_totals(page, evaluation);
    add_distances(page, evaluation);
    add_likelihoods(page, evaluation);
}

void add_timing(draw::ReportPage& page, const Evaluation& evaluation) {
    page.report.section("Times",
                        "Errors are the code's time minus the photons' time. Table and figures "
                        "give the median of their absolute values per class of hits, in ns.");
    const std::vector<std::string> codes{"mean", "quantiles", "tight_quantiles", "equal_bins"};
    draw::Figure figure({.width = 720, .height = 560, .rows = 2, .columns = 2});
    auto absolute = evaluation;
    for (auto& figures : absolute.modules.figures) {
        for (auto& one : figures) {
            for (const auto& timing : timing_figures) {
                one.*timing.member = std::abs(one.*timing.member);
            }
        }
    }
    int place = 0;
    for (const auto& timing : timing_figures) {
        auto& axes = figure.panel(place / 2, place % 2).title(timing.title);
        median_panel(axes, absolute, timing.member, codes, timing.label);
        ++place;
    }
    page.figure("timing",
                "Errors of times, and the 1-Wasserstein distance between photons and code.",
                figure);
    for (const auto& timing : timing_figures) {
        median_table(page, absolute, timing.member, codes,
                     base::format("{}: {}.", timing.title, timing.label));
    }
}

void add_conventions(draw::ReportPage& page, const Evaluation& evaluation) {
    if (!evaluation.info.has("conventions")) return;
    std::vector<std::vector<io::Json>> rows;
    for (const auto& [name, text] : evaluation.info.at("conventions").members()) {
        rows.push_back({name, text});
    }
    page.report.section("What the numbers mean");
    page.report.table({"name", "definition"}, std::move(rows));
}

}  // namespace hodo::om2vec::detail
