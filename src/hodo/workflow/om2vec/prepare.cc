/// The verb `prepare`: events to sparse histograms.

#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/detector/optical/files.hh"
#include "hodo/detector/optical/prepared.hh"
#include "hodo/workflow/om2vec/module_data.hh"
#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/om2vec/verbs.hh"
#include "hodo/workflow/output.hh"

namespace hodo::om2vec {

void run_prepare(const workflow::Job& job) {
    auto options = job.config.as<PrepareOptions>();
    HODO_CHECK(!options.input.empty(), "no input is named; write 'hodo om2vec prepare INPUT OUTPUT'");
    const auto files = optical::event_files(options.input);
    const auto time_zero = optical::TimeZero::parse(options.binning.time_zero);
    options.read.truth = optical::TruthReading::no;
    if (time_zero.kind == optical::TimeZero::Kind::trigger) options.read.trigger = time_zero.column;
    optical::EventReader reader(files, options.read);
    workflow::claim_folder(options.output, job.existing);
    (void)reader;
}

}  // namespace hodo::om2vec
