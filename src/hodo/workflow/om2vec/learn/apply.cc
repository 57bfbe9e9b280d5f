/// The verb `apply`: events to latents.

#include "hodo/tensor/device.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/train/session.hh"
#include "hodo/workflow/om2vec/encode_events.hh"
#include "hodo/workflow/om2vec/learn/network.hh"
#include "hodo/workflow/om2vec/learn/verbs.hh"

namespace hodo::om2vec {

namespace {

/// Latents [modules, width] of all modules of a block; log variances behind the means if asked for.
std::vector<float> encode_modules(const NetworkInUse& network, const optical::ModuleCounts& modules,
                                  bool with_logvar) {
    const auto latent = static_cast<std::size_t>(network.options().latent);
    const auto count = static_cast<std::size_t>(modules.size());
    std::vector<float> means(count * latent), log_variances(with_logvar ? count * latent : 0);
    network.encode(view(modules), means, log_variances);
    if (!with_logvar) return means;
    std::vector<float> both;
    both.reserve(2 * means.size());
    for (std::size_t begin = 0; begin < means.size(); begin += latent) {
        const auto at = static_cast<std::ptrdiff_t>(begin);
        const auto length = static_cast<std::ptrdiff_t>(latent);
        both.insert(both.end(), means.begin() + at, means.begin() + at + length);
        both.insert(both.end(), log_variances.begin() + at, log_variances.begin() + at + length);
    }
    return both;
}

}  // namespace

void run_apply(const workflow::Job& job) {
    const auto options = job.config.as<ApplyOptions>();
    tensor::prepare_process();
    const train::NoGradients no_gradients;
    auto network =
        load_network(options.network, options.binning,
                     job.config.has("binning") ? BinningChoice::given : BinningChoice::by_default);
    const auto device = tensor::torch_device(tensor::parse_device(job.device));
    move_to(network.model, device);
    const NetworkInUse in_use(network, options.network.precision);
    const auto latent = in_use.options().latent;
    auto read = options.read;
    const auto time_zero = optical::TimeZero::parse(network.binning.time_zero);
    if (time_zero.kind == optical::TimeZero::Kind::trigger) read.trigger = time_zero.column;
    const EventEncoder encoder{
        .label = "om2vec apply",
        .width = options.with_logvar ? 2 * latent : latent,
        .metadata = provenance(network),
        .encode = [&](const optical::Events& events) {
            const auto modules =
                bin_photons(events, network.binning, optical::ModuleOrder::ascending);
            return EncodedModules{modules.event, modules.id,
                                  encode_modules(in_use, modules, options.with_logvar)};
        }};
    encode_events(options.input, read, options.latents, encoder, job);
}

}  // namespace hodo::om2vec
