#pragma once
/// The sections of the report.
///
/// Every section reads files: the run directory, the evaluation folder, a file of latents.

#include "hodo/base/text.hh"
#include "hodo/draw/report_page.hh"
#include "hodo/workflow/om2vec/evaluation.hh"

#include <string>
#include <vector>

namespace hodo::om2vec::detail {

/// Latents of modules, [modules, width].
struct LatentTable {
    std::int64_t width = 0;
    std::vector<double> mean;
    std::vector<double> log_variance;  ///< As long as `mean`, or empty.

    std::int64_t size() const { return width == 0 ? 0 : std::ssize(mean) / width; }
};
/// latents.npz of an evaluation.
LatentTable evaluation_latents(const base::Path& file);
/// A file of `apply` or `summarize`, in any of its forms.
LatentTable applied_latents(const base::Path& file);

/// What was trained, with what, when; needs config.yaml and run.json.
void add_run(draw::ReportPage& page, const base::Path& run);
/// Loss and its parts against training steps; needs metrics.csv.
void add_training(draw::ReportPage& page, const base::Path& run);
/// Jensen-Shannon distances and likelihoods beside the baselines.
void add_quality(draw::ReportPage& page, const Evaluation& evaluation);
/// First hit, median, width and Wasserstein distance.
void add_timing(draw::ReportPage& page, const Evaluation& evaluation);
/// True and decoded distributions of some modules; needs examples.npz.
void add_examples(draw::ReportPage& page, const Evaluation& evaluation);
/// Spread, correlations and corner plot of the latents.
void add_latents(draw::ReportPage& page, const LatentTable& latents);
/// What the figures mean.
void add_conventions(draw::ReportPage& page, const Evaluation& evaluation);

/// A sentence when the network is a worse code than as many quantiles, else empty.
std::string quantile_warning(const Evaluation& evaluation);

}  // namespace hodo::om2vec::detail
