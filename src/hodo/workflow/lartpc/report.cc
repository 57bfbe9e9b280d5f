/// The verb `report`: judges outputs beside the truth, and shows and writes what came out.

#include "hodo/base/config.hh"
#include "hodo/base/count.hh"
#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/workflow/lartpc/dataset.hh"
#include "hodo/workflow/lartpc/detail/report_sections.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/options.hh"
#include "hodo/workflow/lartpc/original_config.hh"
#include "hodo/workflow/lartpc/report_options.hh"
#include "hodo/workflow/lartpc/stats_files.hh"
#include "hodo/workflow/lartpc/train_options.hh"
#include "hodo/workflow/lartpc/verbs.hh"
#include "hodo/workflow/output.hh"

#include <algorithm>
#include <optional>
#include <set>

namespace hodo::lartpc {

namespace {

/// The training that `run` is the directory of, if it has a configuration.
std::optional<TrainOptions> training_of(const base::Path& run) {
    const auto file = run / "config.yaml";
    if (run.empty() || !std::filesystem::exists(file)) return std::nullopt;
    return base::Config::read(file).section("train").as<TrainOptions>();
}

/// What is left to be told by the run: where outputs and truth are, and what the outputs mean.
void complete(ReportOptions& options) {
    const base::Path run = options.run;
    HODO_CHECK(!run.empty() || (!options.inference.empty() && !options.truth.empty()),
               "neither a run nor inference and truth are named; write 'hodo lartpc report RUN'");
    HODO_CHECK(run.empty() || std::filesystem::is_directory(run),
               "{}: is not a folder; name a run directory", run);
    const auto training = training_of(run);
    if (options.inference.empty()) {
        const auto folder =
            run / (training ? training->store_inference.folder : std::string("inference"));
        HODO_CHECK(std::filesystem::is_directory(folder),
                   "{}: has no folder of outputs ({}); make one with 'hodo lartpc apply' and name "
                   "it with --inference",
                   run, folder.filename());
        options.inference = {folder.string()};
    }
    if (options.truth.empty()) {
        HODO_CHECK(training, "{}: has no config.yaml that tells the voxels; name them with --truth",
                   run);
        for (const auto subset : {Subset::validation, Subset::training}) {
            for (const auto& file : select_files(training->data, subset)) {
                options.truth.push_back(file.path.string());
            }
        }
    }
    if (!training) return;
    const bool is_charge = training->model.name == NetworkKind::cellnet_charge;
    if (options.quantity == Quantity::automatic) {
        options.quantity = is_charge ? Quantity::charge : Quantity::score;
    }
    const auto& scale = training->data.transforms.scale;
    if (options.scale == 0 && !scale.empty()) options.scale = scale.front();
}

bool all_scores(std::span<const float> values) {
    return std::all_of(values.begin(), values.end(),
                       [](float value) { return value >= 0 && value <= 1; });
}

Point3 voxel_sides(const ReportOptions& options, const Detector& detector) {
    auto sides = detector.voxel();
    for (std::size_t d = 0; d < 3; ++d) sides[d] *= static_cast<double>(options.downsample[d]);
    return sides;
}

/// Everything that the files say.
struct Judgement {
    JudgementOptions options;
    std::optional<GhostEvaluation> ghosts;
    std::optional<ChargeEvaluation> charges;
    std::vector<detail::DrawnEvent> drawn;
    StatsName name;
    std::vector<base::Path> inputs;
};

void draw_events(Judgement& judgement, const FileName& name, const TiledBatch& batch,
                 std::span<const float> scores, std::int64_t most) {
    const auto& cloud = batch.cloud;
    for (std::int64_t event = 0; event < cloud.events() && std::ssize(judgement.drawn) < most;
         ++event) {
        const auto truth =
            truth_above(truth_of(batch, event, name.text), judgement.options.truth_threshold);
        const auto first = static_cast<std::size_t>(cloud.begin(event));
        const auto count = static_cast<std::size_t>(cloud.end(event) - cloud.begin(event));
        if (truth.size() == 0 || count == 0) continue;
        judgement.drawn.push_back(detail::drawn_event(
            {truth, std::span(cloud.voxels).subspan(first, count), scores.subspan(first, count)},
            judgement.options.threshold, base::format("Event {} of {}", event, name.text)));
    }
}

std::vector<float> read_outputs(const base::Path& file, const TiledBatch& batch,
                                const base::Path& xy) {
    auto values = read_inference(file);
    HODO_CHECK(std::ssize(values) == batch.cloud.size(),
               "{}: has {} values for the {} voxels of {}; they belong to other files", file,
               values.size(), batch.cloud.size(), xy);
    return values;
}

/// Where the tracks of the file's events truly end; empty when no folder of parsed files is named.
std::vector<TrackEnds> ends_of(const ReportOptions& options, const FileName& name,
                               const TiledBatch& batch, std::vector<base::Path>& inputs) {
    if (options.parsed.empty()) return {};
    const auto file = base::Path(options.parsed) / parsed_name_of_all(name, "mcparticle");
    HODO_CHECK(std::filesystem::exists(file),
               "{}: the ends of its tracks, {}, are not there; name another folder with --parsed, "
               "or none",
               name.text, file);
    const ParsedFile particles(file);
    const auto count = batch.cloud.events(), first = name.batch.value_or(0) * count;
    HODO_CHECK(particles.events() >= first + count,
               "{}: holds {} events where {} needs {}; name the folder that it was prepared from "
               "with --parsed",
               file, particles.events(), name.text, first + count);
    std::vector<TrackEnds> ends;
    for (auto event = first; event < first + count; ++event) {
        ends.push_back(particles.track_ends(event));
    }
    inputs.push_back(file);
    return ends;
}

Judgement judge(const std::vector<JudgedFile>& files, const ReportOptions& options) {
    Judgement judgement;
    const auto detector = detector_of(options.detector);
    judgement.options = {.threshold = options.threshold,
                         .truth_threshold = options.truth_threshold,
                         .merge = downsampling_of(options.merge, "merge"),
                         .sides = voxel_sides(options, detector),
                         .scale = options.scale == 0 ? 1 : options.scale,
                         .detector = detector};
    std::set<std::string> types;
    std::set<std::int64_t> tpcs;
    auto quantity = options.quantity;
    base::Progress progress("lartpc report", std::ssize(files), "files");
    for (const auto& file : files) {
        const auto name = parse_file_name(file.xy.filename().string()).value();
        const auto batch = read_xy(file.xy);
        const auto outputs = read_outputs(file.inference, batch, file.xy);
        if (quantity == Quantity::automatic) {
            quantity = all_scores(outputs) ? Quantity::score : Quantity::charge;
        }
        types.insert(name.type);
        tpcs.insert(name.tpc.value_or(0));
        judgement.name.epoch =
            parse_file_name(file.inference.filename().string())->epoch.value_or(0);
        if (quantity == Quantity::score) {
            if (!judgement.ghosts) judgement.ghosts.emplace(judgement.options);
            judgement.ghosts->add(name, batch, outputs,
                                  ends_of(options, name, batch, judgement.inputs));
            draw_events(judgement, name, batch, outputs, options.displays);
        } else {
            HODO_CHECK(batch.has_truth, "{}: has no true charges (array 'Y')", file.xy);
            if (!judgement.charges) judgement.charges.emplace(judgement.options);
            const auto kept = file.ghosts.empty() ? std::vector<float>{}
                                                  : read_outputs(file.ghosts, batch, file.xy);
            judgement.charges->add(batch, outputs, kept);
        }
        judgement.inputs.insert(judgement.inputs.end(), {file.inference, file.xy});
        progress.advance();
    }
    progress.finish();
    if (types.size() == 1) judgement.name.type = *types.begin();
    if (tpcs.size() == 1) judgement.name.tpc = *tpcs.begin();
    judgement.name.tag = options.tag;
    return judgement;
}

io::Json evaluation_json(const Judgement& judgement) {
    auto json = io::Json::object();
    json["epoch"] = judgement.name.epoch;
    auto files = io::Json::list();
    for (const auto& file : judgement.inputs) files.push(file.string());
    json["files"] = std::move(files);
    if (judgement.ghosts) json["ghosts"] = judgement.ghosts->json();
    if (judgement.charges) json["charges"] = judgement.charges->json();
    return json;
}

void write_page(const Judgement& judgement, const ReportOptions& options,
                const base::Path& output) {
    const auto title =
        options.run.empty() ? base::Path(options.inference.front()) : base::Path(options.run);
    draw::ReportPage page("lartpc: " + title.lexically_normal().string(),
                          output.parent_path() / "figures");
    if (!options.run.empty()) detail::add_training(page, options.run);
    if (judgement.ghosts) {
        HODO_CHECK(!judgement.ghosts->events().empty(),
                   "no event has a true value of at least {}; choose a smaller --truth-threshold",
                   options.truth_threshold);
        detail::add_ghosts(page, *judgement.ghosts);
        detail::add_events(page, judgement.drawn, judgement.options.sides);
        detail::add_particles(page, *judgement.ghosts);
    }
    if (judgement.charges) detail::add_charges(page, *judgement.charges);
    detail::add_conventions(page, judgement.options);
    page.report.save(output);
}

void tell(const Judgement& judgement) {
    if (judgement.ghosts) {
        const auto& ghosts = *judgement.ghosts;
        const auto curve = ghosts.mean(CurveKind::active);
        const auto best = curve.best();
        base::say("{}: area {:.3f}, best threshold {:.2f} (purity {:.3f}, efficiency {:.3f})",
                  base::counted(std::ssize(ghosts.events()), "events"), curve.area(),
                  curve.thresholds[best], curve.purity[best], curve.sensitivity[best]);
        base::say("{:.1f} ghosts per true voxel; at {:.2f} purity {:.3f}, efficiency {:.3f}",
                  ghosts.ghosts_per_true(), ghosts.options().threshold, ghosts.confusion().purity(),
                  ghosts.confusion().efficiency());
    }
    if (judgement.charges) {
        const auto& quality = judgement.charges->quality();
        base::say("{} voxels: predicted minus true {:.4g} +- {:.4g}, sums {:.3f}",
                  base::with_thousands(quality.voxels()), quality.mean_error(), quality.deviation(),
                  quality.sum_ratio());
    }
}

}  // namespace

void run_report(const workflow::Job& job) {
    auto options = job.config.as<ReportOptions>();
    complete(options);
    const base::Path output = options.output.empty()
                                  ? (options.run.empty() ? base::Path("report.html")
                                                         : base::Path(options.run) / "report.html")
                                  : base::Path(options.output);
    // A report is made of files that stay, so one in the run directory may always be made again.
    const bool is_in_run = options.output.empty() && !options.run.empty();
    workflow::claim_file(output, is_in_run ? workflow::Existing::overwrite : job.existing);
    const auto files =
        judged_files(options.inference, options.truth, options.ghosts, options.epoch);
    const auto judgement = judge(files, options);
    write_page(judgement, options, output);
    io::write_text(output.parent_path() / "evaluation.json", evaluation_json(judgement).dump(1));
    if (judgement.ghosts)
        write_stats(output.parent_path() / "stats", judgement.name, *judgement.ghosts);
    tell(judgement);
    base::say("wrote {}", output);
}

}  // namespace hodo::lartpc
