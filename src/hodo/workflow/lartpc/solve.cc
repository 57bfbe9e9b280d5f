/// The verb `solve`: wires and voxels to the charges of the voxels, without a charge network.

#include "hodo/base/count.hh"
#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/workflow/array_job.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/solution.hh"
#include "hodo/workflow/lartpc/verbs.hh"
#include "hodo/workflow/output.hh"
#include "hodo/workflow/shard.hh"

namespace hodo::lartpc {

namespace {

constexpr const char* facts_file = "solve.json";

/// What decides the charges beside the voxels.
io::KeyValues facts_of(const SolveOptions& options) {
    auto facts = option_facts(options, {"input", "output", "detector", "tpcs"});
    facts.push_back(detector_fact(options.detector));
    return facts;
}

SolutionCount solve(const std::vector<ChargeSource>& sources, const base::Path& folder,
                    const SolveOptions& options) {
    base::Progress progress("lartpc solve", std::ssize(sources), "files");
    const auto count = solve_files(sources, folder, options, [&] { progress.advance(); });
    progress.finish();
    return count;
}

/// Every file stands alone, so parts are joined by their files' names.
workflow::ArrayJob array_of(const std::vector<base::Path>& files, const SolveOptions& options) {
    workflow::ArrayJob array{
        .output = options.output, .inputs = files, .circumstances = {}, .make = {}, .join = {}};
    array.circumstances = {detector_fact(options.detector)};
    array.make = [&files, &options](const base::Path& folder, const workflow::Shard& shard) {
        solve(charge_sources(workflow::files_of_shard(files, shard), options), folder, options);
    };
    array.join = [&options](const std::vector<workflow::Part>& parts) {
        const base::Path output = options.output;
        note_facts(output / facts_file, facts_of(options));
        auto placed = workflow::place_files(parts, output);
        placed.push_back(output / facts_file);
        return placed;
    };
    return array;
}

}  // namespace

void run_solve(const workflow::Job& job) {
    const auto options = job.config.as<SolveOptions>();
    HODO_CHECK(!options.input.empty() && !options.output.empty() && !options.parsed.empty(),
               "input, output and parsed are needed; write 'hodo lartpc solve INPUT OUTPUT "
               "--parsed FOLDER'");
    const auto files = files_of_tpcs(options.input, "xy", options.tpcs);
    if (job.portion != workflow::Portion::whole) {
        return workflow::run_array(job, array_of(files, options));
    }
    const auto sources = charge_sources(files, options);
    workflow::claim_folder(options.output, job.existing);
    note_facts(base::Path(options.output) / facts_file, facts_of(options));
    const auto count = solve(sources, options.output, options);
    auto inputs = files;
    for (const auto& source : sources) {
        inputs.push_back(source.wires);
        if (!source.outputs.empty()) inputs.push_back(source.outputs);
    }
    workflow::record_run(options.output, job, inputs);
    base::say("solved for the charges of {} in {}, in {}; {} there already",
              base::counted(count.voxels, "voxels"), base::counted(count.files, "files"),
              options.output, count.present);
}

}  // namespace hodo::lartpc
