#include "hodo/workflow/lartpc/learn/network.hh"

#include <ATen/core/grad_mode.h>

#include "hodo/base/config.hh"
#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/base/threads.hh"
#include "hodo/sparse/conv.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/tensor/view.hh"
#include "hodo/tensor/weights.hh"
#include "hodo/workflow/lartpc/learn/checkpoints.hh"
#include "hodo/workflow/lartpc/voxel_batch.hh"
#include "hodo/workflow/network_file.hh"

#include <algorithm>
#include <cmath>
#include <set>

namespace hodo::lartpc {

namespace {

constexpr std::string_view model_file = "model.safetensors";

nn::UResNetOptions body_options(const ModelOptions& options) {
    HODO_CHECK(options.downsample.size() == 2 && options.downsample_t.size() == 2,
               "downsample and downsample_t need two numbers each: [filter, stride]");
    nn::UResNetOptions body;
    body.channels = options.n_channels;
    body.levels = options.n_strides;
    body.flat_levels = options.n_2d;
    body.inputs = options.n_input_features;
    body.repetitions = options.reps;
    body.kernel = options.conv_kernel;
    body.filter = options.downsample[0];
    body.stride = options.downsample[1];
    body.drift_filter = options.downsample_t[0];
    body.drift_stride = options.downsample_t[1];
    body.keep = options.momentum;
    if (options.beyond == Beyond::drop) {
        body.extent = {{options.spatial_size[0], options.spatial_size[1], options.spatial_size[2]}};
    }
    return body;
}

/// 1 / (1 + exp(-x)). LibTorch computes numbers that do not fill a vector register by other
/// instructions than those before them; where nothing is learnt, all are computed alike here, so
/// that an answer does not depend on what else is in the batch.
at::Tensor probability(const at::Tensor& x) {
    constexpr std::int64_t worth_a_thread = 8192;
    if (at::GradMode::is_enabled() || !x.device().is_cpu() || x.scalar_type() != at::kFloat) {
        return at::sigmoid(x);
    }
    const auto plain = x.contiguous();
    auto y = at::empty_like(plain);
    const float* from = plain.data_ptr<float>();
    float* to = y.data_ptr<float>();
    base::parallel_for(x.numel(), worth_a_thread, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) {
            to[i] = static_cast<float>(1.0 / (1.0 + std::exp(-double{from[i]})));
        }
    });
    return y;
}

bool is_statistic(const tensor::NamedParameter& parameter) {
    return parameter.name.ends_with("running_mean") || parameter.name.ends_with("running_var");
}

/// By the file's metadata, else by its name.
std::optional<std::int64_t> stored_epoch(const io::WeightFile& file) {
    const auto& metadata = file.metadata();
    if (metadata.is_object() && metadata.has("epoch") && metadata.at("epoch").is_text()) {
        return base::parse_int(metadata.at("epoch").text());
    }
    return epoch_of_checkpoint(file.path());
}

/// The weight file meant by a path that may be a run directory.
base::Path weight_file(const base::Path& weights) {
    HODO_CHECK(!weights.empty(),
               "no weights are named; add --weights with a run directory or a weight file");
    if (!std::filesystem::is_directory(weights)) return weights;
    if (std::filesystem::exists(weights / model_file)) return weights / model_file;
    const auto newest = newest_checkpoint(weights);
    HODO_CHECK(newest.has_value(),
               "{}: has neither {} nor checkpoints/checkpoint_NNN.pth.tar (training writes them); "
               "let the training go on or name a weight file",
               weights, model_file);
    return newest->file;
}

/// Takes over what is there by name, as PyTorch's non-strict loading does.
void load_known(CellNet& model, const io::WeightFile& file) {
    const at::NoGradGuard no_gradients;
    std::vector<std::string> missing;
    std::int64_t taken = 0;
    std::set<std::string> known;
    const auto parameters = tensor::named_parameters(model);
    for (const auto& [name, parameter] : parameters) {
        known.insert(name);
        if (!file.has(name)) {
            missing.push_back(name);
            continue;
        }
        const auto value = tensor::from_array(file.get(name));
        HODO_CHECK(value.sizes() == parameter->sizes(),
                   "{}: tensor '{}' has another shape than in this network; weights are taken "
                   "over only where shapes agree: check the options of the model",
                   file.path(), name);
        parameter->copy_(value);
        ++taken;
    }
    HODO_CHECK(taken > 0, "{}: none of its tensors has a name of this network; choose another file",
               file.path());
    std::vector<std::string> unused;
    for (const auto& entry : file.entries()) {
        if (!known.contains(entry.name)) unused.push_back(entry.name);
    }
    base::say("took {} of {} tensors from {}", taken, parameters.size(), file.path());
    if (!missing.empty()) base::say("not in the file: {}", base::join(missing, ", "));
    if (!unused.empty()) base::say("not used: {}", base::join(unused, ", "));
}

}  // namespace

CellNet::CellNet(const ModelOptions& options, const at::TensorOptions& tensors)
    : options_(options), body_(body_options(options), tensors) {
    const auto hidden = options.name == NetworkKind::cellnet_charge ? options.hidden_layers : 0;
    for (std::int64_t i = 0; i < hidden; ++i) {
        head_.push_back(nn::Linear::make(options.n_channels, options.n_channels, tensors));
    }
    head_.push_back(nn::Linear::make(options.n_channels, 1, tensors));
}

void CellNet::initialise(std::uint64_t seed) {
    const base::Random random(seed, "lartpc weights");
    body_.initialise(random.child("sparseModel"));
    for (std::size_t i = 0; i < head_.size(); ++i) {
        head_[i].initialise(random.child("linear", static_cast<std::uint64_t>(i)));
    }
}

void CellNet::visit(tensor::ParameterVisitor& v) {
    v.group("sparseModel", body_);
    if (options_.name == NetworkKind::cellnet_binary) return v.group("linear", head_.front());
    // Positions in the original's container, where a ReLU stands after each hidden layer.
    for (std::size_t i = 0; i < head_.size(); ++i) {
        v.group("linear." + std::to_string(2 * i), head_[i]);
    }
}

std::vector<tensor::NamedParameter> CellNet::trainable_parameters() {
    auto parameters = tensor::named_parameters(*this);
    std::erase_if(parameters, is_statistic);
    return parameters;
}

std::vector<tensor::NamedParameter> CellNet::learning_parameters() {
    auto parameters = trainable_parameters();
    if (options_.freeze) {
        std::erase_if(parameters, [](const auto& p) { return !p.name.starts_with("linear"); });
    }
    return parameters;
}

sparse::Input CellNet::input_of(const VoxelBatch& batch) const {
    HODO_CHECK(batch.width == options_.n_input_features,
               "the network reads {} numbers per voxel but the data has {} (three charges and one "
               "for each z segment); set n_input_features or z_segments",
               options_.n_input_features, batch.width);
    const auto& weight = head_.front().weight;
    const auto rows = batch.size();
    const auto coordinates =
        tensor::copy(std::span<const std::int32_t>(batch.coordinates), {rows, 4});
    const auto features = tensor::copy(std::span<const float>(batch.features), {rows, batch.width});
    return sparse::from_rows(coordinates, features.to(weight.device(), weight.scalar_type()),
                             {.event_column = sparse::EventColumn::last, .events = batch.events()});
}

at::Tensor CellNet::head_of(sparse::SparseTensor y, const sparse::Input& input) const {
    // Maps as pointwise convolutions: a row's product does not depend on where it stands.
    for (std::size_t i = 0; i < head_.size(); ++i) {
        if (i > 0) y = y.with(at::relu(y.features));
        y = sparse::conv(y, head_[i].weight.t(), head_[i].bias, sparse::submanifold({1, 1, 1}));
    }
    if (options_.name == NetworkKind::cellnet_binary) y = y.with(probability(y.features));
    return sparse::to_rows(y, input).reshape({-1});
}

at::Tensor CellNet::operator()(const VoxelBatch& batch, nn::Mode mode) {
    const auto input = input_of(batch);
    if (options_.freeze) {
        // The frozen part still notes the statistics of what it sees.
        const auto seen = [&] {
            const at::NoGradGuard no_gradients;
            return mode == nn::Mode::train ? body_(input.tensor, mode)
                                           : body_.evaluate(input.tensor);
        }();
        return head_of(seen, input);
    }
    const bool fused = mode == nn::Mode::evaluate && !at::GradMode::is_enabled();
    const auto y = fused ? body_.evaluate(input.tensor) : body_(input.tensor, mode);
    return head_of(y, input);
}

std::vector<float> CellNet::predict(const VoxelBatch& batch) const {
    const at::NoGradGuard no_gradients;
    const auto input = input_of(batch);
    const auto y = head_of(body_.evaluate(input.tensor), input);
    const auto plain = y.to(at::kCPU, at::kFloat).contiguous();
    const auto values = tensor::values<float>(plain);
    return {values.begin(), values.end()};
}

io::WeightFile open_weights(const base::Path& weights) {
    return io::WeightFile::open(weight_file(weights));
}

void load_weights(CellNet& model, const base::Path& weights, Match match) {
    const auto file = open_weights(weights);
    if (match == Match::transfer) return load_known(model, file);
    tensor::load_parameters(tensor::named_parameters(model), file);
}

Network load_network(const base::Path& weights, const std::optional<ModelOptions>& options) {
    const auto path = weight_file(weights);
    const auto file = io::WeightFile::open(path);
    auto model = options;
    if (!model) model = workflow::stored_options<ModelOptions>(file, "model");
    if (!model) model = infer_model(workflow::shapes_of(file), path.string());
    Network network{CellNet(*model), path.string(), {}, stored_epoch(file)};
    tensor::load_parameters(tensor::named_parameters(network.model), file);
    network.fingerprint = tensor::fingerprint(tensor::named_parameters(network.model));
    return network;
}

std::optional<std::int64_t> epoch_of_weights(const base::Path& weights) {
    if (const auto epoch = epoch_of_checkpoint(weights)) return epoch;
    return stored_epoch(open_weights(weights));
}

void save_network(const base::Path& folder, CellNet& model, std::string_view which,
                  std::optional<std::int64_t> epoch) {
    auto options = model.options();
    io::Json metadata = io::Json::object();
    metadata["workflow"] = "lartpc";
    metadata["weights"] = which;
    metadata["model"] = base::options_yaml(options);
    if (epoch) metadata["epoch"] = std::to_string(*epoch);
    io::write_weights(folder / model_file,
                      tensor::parameter_arrays(tensor::named_parameters(model)), metadata);
}

io::KeyValues provenance(const Network& network) {
    auto model = network.model.options();
    return {{"hodo_workflow", "lartpc"},
            {"hodo_weights", network.source},
            {"hodo_weights_fingerprint", network.fingerprint},
            {"hodo_model", base::options_yaml(model)}};
}

}  // namespace hodo::lartpc
