#include "hodo/workflow/om2vec/learn/network.hh"

#include "hodo/base/config.hh"
#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/detector/optical/prepared.hh"
#include "hodo/io/weights.hh"
#include "hodo/tensor/view.hh"
#include "hodo/tensor/weights.hh"
#include "hodo/train/session.hh"
#include "hodo/workflow/network_file.hh"

#include <algorithm>

namespace hodo::om2vec {

namespace {

/// Modules worked on at a time by tensor operations: bounds memory, and fills a device.
constexpr std::int64_t modules_per_part = 32, modules_per_device_part = 1024;

constexpr std::string_view model_file = "model.safetensors";

/// Runs `work(first, last)` for the parts of [0, modules), which threads share; no gradients.
template <class Work>
void each_part(std::int64_t modules, at::Device device, Work work) {
    const auto size = device.is_cpu() ? modules_per_part : modules_per_device_part;
    const auto parts = (modules + size - 1) / size;
    base::parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
        const train::NoGradients no_gradients;
        for (auto part = begin; part < end; ++part) {
            const auto first = part * size;
            work(first, std::min(first + size, modules));
        }
    });
}

/// The options on one line, for messages.
template <class Options>
std::string one_line(Options options) {
    auto text = base::options_yaml(options);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

optical::Binning original_binning(std::int64_t bins) {
    return {
        .bins = bins, .window = static_cast<double>(bins), .rule = optical::BinningRule::om2vec};
}

bool is_original_architecture(const ModelOptions& options) {
    const ModelOptions original;
    return options.heads == original.heads && options.feedforward == original.feedforward &&
           options.tokens == original.tokens;
}

}  // namespace

Network load_network(const NetworkOptions& options, const optical::Binning& binning,
                     BinningChoice choice) {
    HODO_CHECK(!options.weights.empty(),
               "no weights are named; add --weights with a run directory or a weight file");
    base::Path path = options.weights;
    if (std::filesystem::is_directory(path)) {
        HODO_CHECK(std::filesystem::exists(path / model_file),
                   "{}: has no {} (training writes it when it ends); let the training end or name "
                   "a weight file",
                   path, model_file);
        path /= model_file;
    }
    const auto file = io::WeightFile::open(path, options.weight_choice);
    const auto stored_model = workflow::stored_options<ModelOptions>(file, "model");
    const auto model_options =
        stored_model ? *stored_model : infer_options(workflow::shapes_of(file), path.string());
    const auto stored_binning = workflow::stored_options<optical::Binning>(file, "binning");
    auto known = stored_binning ? *stored_binning : original_binning(model_options.bins);
    if (choice == BinningChoice::given) {
        HODO_CHECK(!stored_binning || *stored_binning == binning,
                   "{}: the weights were trained with another binning ({}); leave the binning out "
                   "or set it to that",
                   path, one_line(*stored_binning));
        HODO_CHECK(binning.width() == model_options.bins,
                   "{}: the network takes {} bins but the binning has {}; set binning.bins", path,
                   model_options.bins, binning.width());
        known = binning;
    }
    Network network{Model(model_options), known, path.string(), {}};
    tensor::load_parameters(tensor::named_parameters(network.model), file);
    network.fingerprint = tensor::fingerprint(tensor::named_parameters(network.model));
    return network;
}

void save_network(const base::Path& folder, Model& model, const optical::Binning& binning,
                  std::string_view which) {
    auto options = model.options();
    auto stored_binning = binning;
    const auto weights = tensor::parameter_arrays(tensor::named_parameters(model));
    io::Json metadata = io::Json::object();
    metadata["workflow"] = "om2vec";
    metadata["weights"] = which;
    metadata["model"] = base::options_yaml(options);
    metadata["binning"] = base::options_yaml(stored_binning);
    io::write_weights(folder / model_file, weights, metadata);
    if (!is_original_architecture(options)) return;
    io::Json hyper = io::Json::object();
    hyper["in_features"] = options.bins;
    hyper["latent_dim"] = options.latent;
    hyper["embed_dim"] = options.embed;
    hyper["sensor_positional_encoding"] = options.sensor_positional_encoding;
    io::Json checkpoint = io::Json::object();
    checkpoint["hyper_parameters"] = hyper;
    io::write_weights(folder / "model.ckpt", weights, checkpoint);
}

void move_to(Model& model, at::Device device) {
    for (const auto& parameter : tensor::named_parameters(model)) {
        *parameter.tensor = parameter.tensor->to(device);
    }
}

NetworkInUse::NetworkInUse(const Network& network, tensor::Precision precision)
    : model_(network.model), precision_(precision) {
    const bool on_cpu = model_.mem_embedding.device().is_cpu();
    if (on_cpu && precision == tensor::Precision::float32) fast_.emplace(model_);
}

nn::Pass NetworkInUse::pass() const {
    auto fresh = make_pass(model_, nn::Mode::evaluate);
    fresh.precision = precision_;
    return fresh;
}

void NetworkInUse::encode(const CountView& counts, std::span<float> means,
                          std::span<float> log_variances) const {
    if (fast_) return fast_->encode(counts, means, log_variances);
    const auto width = model_.options().latent;
    const auto copy_to = [&](const at::Tensor& from, std::span<float> to, std::int64_t first) {
        const auto plain = from.to(at::kCPU, at::kFloat).contiguous();
        const auto numbers = tensor::values<float>(plain);
        std::copy(numbers.begin(), numbers.end(), to.begin() + first * width);
    };
    const auto device = model_.mem_embedding.device();
    each_part(counts.size(), device, [&](std::int64_t first, std::int64_t last) {
        const auto batch = make_batch(counts.part(first, last), model_.options().bins, device);
        auto fresh = pass();
        const auto latent = model_.encode(batch, fresh);
        copy_to(latent.mean, means, first);
        if (!log_variances.empty()) copy_to(latent.log_variance, log_variances, first);
    });
}

void NetworkInUse::decode(std::span<const float> z, std::span<float> probabilities) const {
    const auto width = model_.options().latent, bins = model_.options().bins;
    const auto modules = std::ssize(z) / width;
    if (fast_) fast_->decode(z, probabilities);
    const auto device = model_.mem_embedding.device();
    each_part(modules, device, [&](std::int64_t first, std::int64_t last) {
        const auto part = static_cast<std::size_t>(first * bins);
        const auto target =
            probabilities.subspan(part, static_cast<std::size_t>((last - first) * bins));
        at::Tensor logits;
        if (fast_) {
            logits = tensor::copy(std::span<const float>(target), {last - first, bins});
        } else {
            const auto some = z.subspan(static_cast<std::size_t>(first * width),
                                        static_cast<std::size_t>((last - first) * width));
            auto fresh = pass();
            const auto input = tensor::copy(some, {last - first, width});
            logits = model_.decode(input.to(device), fresh);
        }
        const auto plain = at::softmax(logits.to(at::kFloat), 1).to(at::kCPU).contiguous();
        const auto numbers = tensor::values<float>(plain);
        std::copy(numbers.begin(), numbers.end(), target.begin());
    });
}

io::KeyValues provenance(const Network& network) {
    auto model = network.model.options();
    return {{"hodo_workflow", "om2vec"},
            {"hodo_weights", network.source},
            {"hodo_weights_fingerprint", network.fingerprint},
            {"hodo_model", base::options_yaml(model)},
            {"hodo_binning", optical::binning_json(network.binning).dump()},
            {"hodo_time_zero", network.binning.time_zero},
            {"hodo_latent_width", std::to_string(model.latent)}};
}

}  // namespace hodo::om2vec
