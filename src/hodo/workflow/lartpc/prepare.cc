/// The verbs `prepare` and `join`: parsed files to tiled events, TPCs side by side.

#include "hodo/base/count.hh"
#include "hodo/base/error.hh"
#include "hodo/base/interrupt.hh"
#include "hodo/base/launch.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/geometry.hh"
#include "hodo/workflow/array_job.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/options.hh"
#include "hodo/workflow/lartpc/preparation.hh"
#include "hodo/workflow/lartpc/verbs.hh"
#include "hodo/workflow/output.hh"
#include "hodo/workflow/shard.hh"

namespace hodo::lartpc {

namespace {

constexpr const char* facts_file = "prepare.json";

/// What decides the voxels beside the wires. Files per event, saved pixels and the choice of TPCs
/// may differ from call to call.
io::KeyValues facts_of(const PrepareOptions& options) {
    auto facts =
        option_facts(options, {"input", "output", "detector", "tpcs", "batch_size", "save_pix"});
    facts.push_back(detector_fact(options.detector));
    return facts;
}

Present present_of(const workflow::Job& job) {
    return job.existing == workflow::Existing::overwrite ? Present::replace : Present::keep;
}

void tell(std::string_view what, const PreparationCount& count, std::string_view output) {
    base::say("{} {} in {}; {} there already, {} left out", what,
              base::counted(count.written, "files"), output, count.present, count.skipped);
}

/// Every file stands alone, so parts are joined by their files' names.
workflow::ArrayJob array_of(const std::vector<base::Path>& files, const PrepareOptions& options) {
    workflow::ArrayJob array{
        .output = options.output, .inputs = files, .circumstances = {}, .make = {}, .join = {}};
    array.circumstances = {detector_fact(options.detector)};
    array.make = [files, options](const base::Path& folder, const workflow::Shard& shard) {
        auto part = options;
        part.output = folder.string();
        prepare_files(workflow::files_of_shard(files, shard), part, Present::keep, [] {});
    };
    array.join = [output = array.output, options](const std::vector<workflow::Part>& parts) {
        note_facts(output / facts_file, facts_of(options));
        auto placed = workflow::place_files(parts, output);
        placed.push_back(output / facts_file);
        return placed;
    };
    return array;
}

}  // namespace

void run_prepare(const workflow::Job& job) {
    const auto options = job.config.as<PrepareOptions>();
    HODO_CHECK(!options.input.empty() && !options.output.empty(),
               "input and output are needed; write 'hodo lartpc prepare INPUT OUTPUT'");
    const auto source = names(options.source)[static_cast<std::size_t>(options.source)];
    const auto detector = detector_of(options.detector);
    for (const auto tpc : options.tpcs) detector.tpc(tpc);
    const auto all = files_of_tpcs(options.input, source, options.tpcs);
    if (job.portion != workflow::Portion::whole) {
        return workflow::run_array(job, array_of(all, options));
    }
    // Processes that one starter has started share the files.
    const auto launch = base::read_launch(base::launch_variables());
    const auto files = workflow::files_of_shard(all, {launch.rank, launch.size});
    const auto noted = base::Path(options.output) / facts_file;
    std::filesystem::create_directories(options.output);
    if (present_of(job) == Present::replace) {
        write_facts(noted, facts_of(options));
    } else {
        note_facts(noted, facts_of(options));
    }
    base::say_before_ending("interrupted; what is whole in " + options.output +
                            " is kept: the same command goes on");
    base::Progress progress("lartpc prepare", std::ssize(files), "files");
    const auto count = prepare_files(files, options, present_of(job), [&] { progress.advance(); });
    progress.finish();
    workflow::record_run(options.output, job, files);
    tell("prepared", count, options.output);
}

void run_join(const workflow::Job& job) {
    const auto options = job.config.as<JoinOptions>();
    HODO_CHECK(!options.input.empty(), "no input is named; write 'hodo lartpc join INPUT OUTPUT'");
    const auto count = join_files(options, present_of(job));
    tell("joined", count, options.output.empty() ? options.input : options.output);
}

}  // namespace hodo::lartpc
