/// The verb `simulate`: neutrino events in true Prometheus files.

#include "hodo/detector/optical/simulate.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/om2vec/verbs.hh"
#include "hodo/workflow/output.hh"

namespace hodo::om2vec {

void run_simulate(const workflow::Job& job) {
    const auto options = job.config.as<SimulateOptions>();
    const optical::EventSimulator simulator(options.simulation);
    workflow::claim_folder(options.output, job.existing);
    const auto& simulation = options.simulation;
    base::Progress progress("om2vec simulate", simulation.events, "events");
    std::int64_t done = 0;
    const auto files =
        optical::simulate_to_files(simulator, options.output, [&](std::int64_t events) {
            progress.advance(events - done);
            done = events;
        });
    progress.finish();
    workflow::record_run(options.output, job, {}, simulation.seed);
    base::say("wrote {} files to {}", files.size(), options.output);
}

}  // namespace hodo::om2vec
