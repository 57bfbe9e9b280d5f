#pragma once
/// The figures by which a network is judged, and the folder that holds them.
///
/// A code is a few numbers that stand for the photons of a module and can be turned back into a
/// density over the time bins. These are judged side by side:
///
///   sampled          the network, latent drawn from its normal distribution
///   mean             the network, latent at its mean (what `apply` writes)
///   quantiles        L positions at equal steps of the cumulative distribution, the last at the
///                    end of the window
///   tight_quantiles  the same, the last position at the last photon
///   equal_bins       L bins of equal length
///   quantiles_64     64 quantiles; left out when L = 64
///
/// Every number is defined in docs/guide/quality.md. An evaluation is a folder:
///
///   modules.parquet  one row per judged module: file, row (its place in the data), string_id,
///                    sensor_id, x, y, z [m], hits, hit_class, and one struct per code with the
///                    fields of `CodeFigures`
///   examples.npz     module (row of modules.parquet), hits; counts, sampled, mean, quantiles,
///                    tight_quantiles, equal_bins [examples, bins]
///   latents.npz      hits [kept]; mean, log_variance [kept, L]: the first judged modules
///   evaluation.json  weights, fingerprint, binning, conventions, medians per class of hits
///   config.yaml, run.json

#include "hodo/base/random.hh"
#include "hodo/base/text.hh"
#include "hodo/detector/optical/events.hh"
#include "hodo/io/json.hh"
#include "hodo/io/table.hh"

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::om2vec {

inline constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

/// Part of the uniform density that is mixed into every density before its logarithm is taken: one
/// photon of a hundred may come from anywhere.
inline constexpr double likelihood_floor = 0.01;

/// How well one code describes one module; NaN where undefined. Errors are code minus photons.
struct CodeFigures {
    double js = not_known;              ///< Jensen-Shannon distance (square root, natural log).
    double js_8ns = not_known;          ///< The same after summing bins to 8 ns ...
    double js_32ns = not_known;         ///< ... and to 32 ns.
    double log_likelihood = not_known;  ///< Per photon [nats].
    /// The same when the code is made from a random half of the photons and judged on the rest.
    double held_out_log_likelihood = not_known;
    double first_error = not_known;   ///< Of the expected first hit [ns].
    double median_error = not_known;  ///< Of the median time [ns].
    double width_error = not_known;   ///< Of the time between the 10 and 90 % quantiles [ns].
    double wasserstein = not_known;   ///< 1-Wasserstein distance [ns].
};

/// Names of the figures, as columns have them.
struct FigureField {
    std::string_view name;
    double CodeFigures::*member;
};
inline constexpr std::array<FigureField, 9> figure_fields{{
    {"js", &CodeFigures::js},
    {"js_8ns", &CodeFigures::js_8ns},
    {"js_32ns", &CodeFigures::js_32ns},
    {"log_likelihood", &CodeFigures::log_likelihood},
    {"held_out_log_likelihood", &CodeFigures::held_out_log_likelihood},
    {"first_error", &CodeFigures::first_error},
    {"median_error", &CodeFigures::median_error},
    {"width_error", &CodeFigures::width_error},
    {"wasserstein", &CodeFigures::wasserstein},
}};

/// All figures of a density but the held-out likelihood. `bin_width` in ns.
CodeFigures judge(std::span<const double> counts, std::span<const double> density,
                  double bin_width);

/// The photons of a histogram dealt into two halves by fair coins.
struct Halves {
    std::vector<double> first, second;
};
/// Empty halves when a count is not a whole number.
Halves split_photons(std::span<const double> counts, base::Random& random);

/// Judged modules, as modules.parquet holds them.
struct JudgedModules {
    std::vector<std::string> codes;
    std::vector<std::int64_t> file, row;
    std::vector<optical::ModuleId> id;
    std::vector<optical::Point> position;  ///< [m]
    std::vector<double> hits;
    std::vector<std::vector<CodeFigures>> figures;  ///< [code][module]

    std::int64_t size() const { return static_cast<std::int64_t>(hits.size()); }
    bool has(std::string_view code) const;
    /// One figure of all modules, or of those of one class of hits; error for an unknown code.
    std::vector<double> values(std::string_view code, double CodeFigures::*figure) const;
    std::vector<double> values(std::string_view code, double CodeFigures::*figure,
                               int hit_class) const;
    std::int64_t count(int hit_class) const;
};

/// Codes judged beside a network with `latent` numbers, in the order of the file comment.
std::vector<std::string> code_names(std::int64_t latent);

/// Columns of modules.parquet, and modules [first, last) as a chunk of them.
std::vector<io::ColumnSpec> module_columns(const std::vector<std::string>& codes);
io::Chunk module_chunk(const JudgedModules& modules, std::int64_t first, std::int64_t last);

/// Median with its standard error (from the order statistics around it) and the 16 and 84 %
/// quantiles of the values that are not NaN; NaN without any.
struct Spread {
    std::int64_t count = 0;
    double median = not_known, error = not_known, low = not_known, high = not_known;
};
Spread spread_of(std::vector<double> values);

/// Medians of every figure and code per class of hits: a list of {hits, modules, <code>: {<figure>:
/// {median, error}}}.
io::Json class_summary(const JudgedModules& modules);
/// What every number means, one sentence each, for evaluation.json and the report.
io::Json evaluation_conventions();
/// A few lines for the terminal: JS distance of network and baselines per class.
std::vector<std::string> class_table(const JudgedModules& modules);

/// An evaluation folder, read back. Errors say what is wrong with the folder.
struct Evaluation {
    base::Path folder;
    io::Json info;  ///< evaluation.json
    JudgedModules modules;
};
Evaluation read_evaluation(const base::Path& folder);

}  // namespace hodo::om2vec
