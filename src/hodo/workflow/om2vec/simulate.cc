/// The verb `simulate`: neutrino events in true Prometheus files.

#include "hodo/detector/optical/simulate.hh"
#include "hodo/base/count.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/workflow/array_job.hh"
#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/om2vec/verbs.hh"
#include "hodo/workflow/output.hh"
#include "hodo/workflow/shard.hh"

namespace hodo::om2vec {

namespace {

/// Events [begin, end) into `folder`.
std::vector<base::Path> simulate_events(const optical::EventSimulator& simulator,
                                        const base::Path& folder, std::int64_t begin,
                                        std::int64_t end) {
    base::Progress progress("om2vec simulate", end - begin, "events");
    std::int64_t done = 0;
    auto files = optical::simulate_to_files(simulator, folder, begin, end, [&](std::int64_t now) {
        progress.advance(now - done);
        done = now;
    });
    progress.finish();
    return files;
}

/// Simulating as an array job: the files of all shards are numbered through, so the events and
/// their order are those of one process, while files also end where a shard ends.
workflow::ArrayJob array_of(const optical::EventSimulator& simulator, const base::Path& output) {
    const auto events = simulator.options().events;
    workflow::ArrayJob array;
    array.output = output;
    array.make = [&simulator, events](const base::Path& folder, const workflow::Shard& shard) {
        const auto share = workflow::share_of({{events, events}}, shard);
        if (!share.empty()) {
            simulate_events(simulator, folder, share.front().begin, share.front().end);
        } else if (events == 0 && shard.index == 0) {
            simulate_events(simulator, folder, 0, 0);
        }
    };
    array.join = [output](const std::vector<workflow::Part>& parts) {
        std::vector<base::Path> files;
        for (const auto& part : parts) {
            for (const auto& file : part.files) {
                files.push_back(output / base::format("events-{:05d}.parquet", files.size()));
                workflow::place_file(file, files.back());
            }
        }
        return files;
    };
    return array;
}

}  // namespace

void run_simulate(const workflow::Job& job) {
    const auto options = job.config.as<SimulateOptions>();
    const optical::EventSimulator simulator(options.simulation);
    if (job.portion != workflow::Portion::whole) {
        return workflow::run_array(job, array_of(simulator, options.output));
    }
    workflow::claim_folder(options.output, job.existing);
    const auto files = simulate_events(simulator, options.output, 0, options.simulation.events);
    workflow::record_run(options.output, job, {}, options.simulation.seed);
    base::say("wrote {} to {}", base::counted(std::ssize(files), "files"), options.output);
}

}  // namespace hodo::om2vec
