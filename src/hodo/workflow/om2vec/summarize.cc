/// The verb `summarize`: nine summary statistics per module as an encoder without a network.

#include "hodo/base/text.hh"
#include "hodo/detector/optical/summary.hh"
#include "hodo/workflow/om2vec/encode_events.hh"
#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/om2vec/verbs.hh"

namespace hodo::om2vec {

void run_summarize(const workflow::Job& job) {
    const auto options = job.config.as<SummarizeOptions>();
    const std::vector<std::string> statistics(optical::summary_names.begin(),
                                              optical::summary_names.end());
    const EventEncoder encoder{
        .label = "om2vec summarize",
        .width = std::ssize(optical::summary_names),
        .metadata = {{"hodo_workflow", "om2vec"},
                     {"hodo_encoder", "summary"},
                     {"hodo_latent_names", base::join(statistics, ",")},
                     {"hodo_time_zero", "first"},
                     {"hodo_latent_width", std::to_string(statistics.size())}},
        .encode = [](const optical::Events& events) {
            const auto found = optical::summarize_modules(events, optical::TimeZero{},
                                                          optical::ModuleOrder::ascending);
            EncodedModules encoded{found.event, found.id, {}};
            for (const auto& values : found.values) {
                for (const double value : values) {
                    encoded.values.push_back(static_cast<float>(value));
                }
            }
            return encoded;
        }};
    encode_events(options.input, options.read, options.latents, encoder, job);
}

}  // namespace hodo::om2vec
