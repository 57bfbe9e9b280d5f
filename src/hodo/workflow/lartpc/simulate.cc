/// The verbs `simulate` and `validate`: events in parsed files, and the simulator's figures.

#include "hodo/detector/lartpc/simulate.hh"
#include "hodo/base/count.hh"
#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/detector/lartpc/validate.hh"
#include "hodo/draw/figure.hh"
#include "hodo/workflow/array_job.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/options.hh"
#include "hodo/workflow/lartpc/verbs.hh"
#include "hodo/workflow/output.hh"

#include <algorithm>

namespace hodo::lartpc {

namespace {

constexpr const char* facts_file = "simulate.json";

/// What decides the events.
io::KeyValues facts_of(const SimulateOptions& options) {
    auto facts = option_facts(options, {"output", "detector"});
    facts.push_back(detector_fact(options.detector));
    return facts;
}

/// Files [first, last) of a set; with `resume` those that are there, whole, are left alone.
std::vector<base::Path> simulate_files(const EventSimulator& simulator, const base::Path& folder,
                                       std::int64_t first, std::int64_t last,
                                       workflow::Existing existing) {
    std::filesystem::create_directories(folder);
    base::Progress progress("lartpc simulate", last - first, "files");
    std::vector<base::Path> files;
    for (auto file = first; file < last; ++file) {
        auto paths = simulated_paths(simulator.options(), file, folder);
        const bool is_done = existing == workflow::Existing::resume &&
                             std::all_of(paths.begin(), paths.end(), [](const auto& path) {
                                 return std::filesystem::exists(path);
                             });
        if (!is_done) simulate_file(simulator, file, folder);
        files.insert(files.end(), paths.begin(), paths.end());
        progress.advance();
    }
    progress.finish();
    return files;
}

workflow::ArrayJob array_of(const EventSimulator& simulator, const SimulateOptions& options) {
    const base::Path output = options.output;
    workflow::ArrayJob array{
        .output = output, .inputs = {}, .circumstances = {}, .make = {}, .join = {}};
    array.circumstances = {{"detector", fact_of_detector(simulator.detector())}};
    array.make = [&simulator](const base::Path& folder, const workflow::Shard& shard) {
        const auto files = file_count(simulator.options());
        simulate_files(simulator, folder, files * shard.index / shard.count,
                       files * (shard.index + 1) / shard.count, workflow::Existing::refuse);
    };
    array.join = [output, options](const std::vector<workflow::Part>& parts) {
        note_facts(output / facts_file, facts_of(options));
        std::vector<base::Path> placed{output / facts_file};
        for (const auto& part : parts) {
            for (const auto& file : part.files) {
                placed.push_back(output / file.filename());
                workflow::place_file(file, placed.back());
            }
        }
        return placed;
    };
    return array;
}

/// One bar per plane; a deviation far below a percent should look it.
void draw_planes(draw::Axes& axes, const ValidationCurve& curve) {
    axes.y({.label = curve.y_label, .low = 0, .high = 1.5});
    axes.bars(curve.names, curve.simulated, {.label = "simulated"});
    axes.horizontal(1, {.label = "closed form"});
}

void draw_curve(draw::Axes& axes, const ValidationCurve& curve) {
    axes.title(curve.name);
    axes.x({.label = curve.x_label});
    axes.y({.label = curve.y_label});
    if (!curve.names.empty()) return draw_planes(axes, curve);
    axes.line(curve.x, curve.expected, {.label = "closed form"});
    axes.points(curve.x, curve.simulated, {.label = "simulated", .y_errors = {curve.error}});
}

}  // namespace

void run_simulate(const workflow::Job& job) {
    auto options = job.config.as<SimulateOptions>();
    HODO_CHECK(!options.output.empty(), "no output is named; write 'hodo lartpc simulate OUTPUT'");
    const EventSimulator simulator(options.simulation, detector_of(options.detector));
    options.simulation = simulator.options();
    if (job.portion != workflow::Portion::whole) {
        return workflow::run_array(job, array_of(simulator, options));
    }
    workflow::claim_folder(options.output, job.existing);
    note_facts(base::Path(options.output) / facts_file, facts_of(options));
    const auto files =
        simulate_files(simulator, options.output, 0, file_count(options.simulation), job.existing);
    workflow::record_run(options.output, job, {}, options.simulation.seed);
    base::say("wrote {} to {}", base::counted(std::ssize(files), "files"), options.output);
}

void run_validate(const workflow::Job& job) {
    const auto options = job.config.as<ValidateOptions>();
    HODO_CHECK(!options.output.empty(), "no output is named; write 'hodo lartpc validate OUTPUT'");
    const auto detector = detector_of(options.detector);
    workflow::claim_folder(options.output, job.existing);
    const auto table = validate_simulator(options.validation, detector);
    draw::Figure figure({.width = 640, .height = 460, .rows = 2, .columns = 2});
    const ValidationCurve* curves[] = {&table.energy_loss, &table.attenuation, &table.diffusion,
                                       &table.charge};
    for (int i = 0; i < 4; ++i) {
        draw_curve(figure.panel(i / 2, i % 2), *curves[i]);
        base::say("{:<45} largest deviation {:5.2f} %", curves[i]->name, 100 * curves[i]->worst());
    }
    for (const auto& count : table.ghosts) {
        base::say(
            "{}: {:.0f} true voxels of at least {} MeV per event, {:.1f} % of them active, {:.0f} "
            "ghosts ({:.1f} per active true voxel)",
            count.sample, count.true_voxels, count.threshold,
            100 * count.active / std::max(1.0, count.true_voxels), count.ghosts, count.ratio());
    }
    const base::Path folder = options.output;
    for (const char* ending : {"simulator.png", "simulator.svg"}) figure.save(folder / ending);
    workflow::record_run(folder, job, {}, options.validation.seed);
}

}  // namespace hodo::lartpc
