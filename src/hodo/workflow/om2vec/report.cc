/// The verb `report`: one HTML page from the files of a run.

#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/workflow/om2vec/detail/report_sections.hh"
#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/om2vec/verbs.hh"
#include "hodo/workflow/output.hh"

#include <optional>

namespace hodo::om2vec {

namespace {

/// The evaluation asked for, or the run's own if there is one.
std::optional<Evaluation> find_evaluation(const ReportOptions& options) {
    if (!options.evaluation.empty()) return read_evaluation(options.evaluation);
    const auto folder = base::Path(options.run) / "evaluation";
    if (!std::filesystem::exists(folder / "evaluation.json")) return std::nullopt;
    return read_evaluation(folder);
}

void add_evaluation(draw::ReportPage& page, const std::optional<Evaluation>& evaluation) {
    if (!evaluation) {
        page.report.section("Quality",
                            "The network has not been judged yet: run hodo om2vec evaluate "
                            "--weights RUN and make the report again.");
        return;
    }
    detail::add_quality(page, *evaluation);
    detail::add_timing(page, *evaluation);
    detail::add_examples(page, *evaluation);
}

}  // namespace

void run_report(const workflow::Job& job) {
    const auto options = job.config.as<ReportOptions>();
    HODO_CHECK(!options.run.empty(), "no run is named; write 'hodo om2vec report RUN'");
    const base::Path run = options.run;
    HODO_CHECK(std::filesystem::is_directory(run), "{}: is not a folder; name a run directory",
               run);
    HODO_CHECK(std::filesystem::exists(run / "config.yaml") &&
                   std::filesystem::exists(run / "metrics.csv"),
               "{}: is not the run directory of a training (it needs config.yaml and metrics.csv); "
               "name the folder that hodo om2vec train wrote",
               run);
    const base::Path output =
        options.output.empty() ? run / "report.html" : base::Path(options.output);
    // A report is made of files that stay, so one in the run directory may always be made again.
    workflow::claim_file(output,
                         options.output.empty() ? workflow::Existing::overwrite : job.existing);

    draw::ReportPage page("om2vec: " + run.lexically_normal().string(),
                          output.parent_path() / "figures");
    const auto evaluation = find_evaluation(options);
    detail::add_run(page, run);
    if (evaluation) {
        const auto warning = detail::quantile_warning(*evaluation);
        if (!warning.empty()) page.report.text("Warning: " + warning);
    }
    detail::add_training(page, run);
    add_evaluation(page, evaluation);
    if (!options.latents.empty()) {
        detail::add_latents(page, detail::applied_latents(options.latents));
    } else if (evaluation && std::filesystem::exists(evaluation->folder / "latents.npz")) {
        detail::add_latents(page, detail::evaluation_latents(evaluation->folder / "latents.npz"));
    }
    if (evaluation) detail::add_conventions(page, *evaluation);
    page.report.save(output);
    base::say("wrote {}", output);
}

}  // namespace hodo::om2vec
