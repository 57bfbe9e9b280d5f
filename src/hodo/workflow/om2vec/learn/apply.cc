/// The verb `apply`: events to latents.

#include "hodo/tensor/device.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/tensor/view.hh"
#include "hodo/train/session.hh"
#include "hodo/workflow/om2vec/encode_events.hh"
#include "hodo/workflow/om2vec/learn/network.hh"
#include "hodo/workflow/om2vec/learn/verbs.hh"

#include <algorithm>

namespace hodo::om2vec {

namespace {

/// Latents [modules, width] of all modules of a block, in parts of bounded memory.
std::vector<float> encode_modules(const Network& network, const optical::ModuleCounts& modules,
                                  bool with_logvar, tensor::Precision precision) {
    const auto latent = network.model.options().latent;
    const auto width = with_logvar ? 2 * latent : latent;
    std::vector<float> values(static_cast<std::size_t>(modules.size() * width));
    const auto counts = view(modules);
    const auto device = network.model.mem_embedding.device();
    for (std::int64_t first = 0; first < modules.size(); first += modules_per_part) {
        const auto last = std::min(first + modules_per_part, modules.size());
        const auto batch =
            make_batch(counts.part(first, last), network.model.options().bins, device);
        auto pass = make_pass(network.model, nn::Mode::evaluate);
        if (precision == tensor::Precision::bf16) pass.precision = nn::Precision::bfloat16;
        const auto latents = network.model.encode(batch, pass);
        const auto block =
            with_logvar ? at::cat({latents.mean, latents.log_variance}, 1) : latents.mean;
        const auto plain = block.to(at::kCPU, at::kFloat).contiguous();
        const auto numbers = tensor::values<float>(plain);
        std::copy(numbers.begin(), numbers.end(), values.begin() + first * width);
    }
    return values;
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
    const auto latent = network.model.options().latent;
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
            return EncodedModules{
                modules.event, modules.id,
                encode_modules(network, modules, options.with_logvar, options.network.precision)};
        }};
    encode_events(options.input, read, options.latents, encoder, job);
}

}  // namespace hodo::om2vec
