#include "hodo/workflow/lartpc/original_config.hh"

#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/workflow/lartpc/train_options.hh"

#include <map>

namespace hodo::lartpc {

namespace {

/// Whether keys stand under `key`, rather than one value.
bool is_group(const base::Config& file, std::string_view key) {
    try {
        return !file.section(key).keys().empty();
    } catch (const base::Error&) {
        return false;
    }
}

/// A whole file, as a described struct: what may be a value or a group is told beforehand.
struct File {
    OriginalConfig& config;
    bool trainer_is_group, store_is_group;
    std::string store{};

    void describe(base::Fields& f) {
        if (trainer_is_group) {
            f.group("trainer", config.trainer, "how to train");
        } else {
            f("trainer", config.trainer.name, "basic, or schedule_plateau with its arguments");
        }
        f("output_dir", config.output_dir, "run directory");
        if (store_is_group) {
            f.group("store_inference", config.store_inference, "outputs that are kept");
        } else {
            f("store_inference", store, "whether outputs are kept");
        }
        f.group("data", config.data, "the files");
        f.group("model", config.model, "the network");
        f.group("loss", config.loss, "the loss");
        f.group("optimizer", config.optimizer, "the optimizer");
        f.group("train", config.train, "how long");
        Metrics metrics{config.metrics};
        f.group("metrics", metrics, "columns of the summary");
    }

    struct Metrics {
        std::vector<std::pair<std::string, std::string>>& entries;
        void describe(base::Fields& f) {
            for (auto& [column, name] : entries) f(column, name, "a metric");
        }
    };
};

/// Empty is false, as in the published code.
bool truth_of(const std::string& text, const base::Config& file) {
    if (text.empty()) return false;
    struct Truth {
        bool value = false;
        void describe(base::Fields& f) { f("store_inference", value, "whether outputs are kept"); }
    };
    try {
        return base::Config::parse("store_inference: " + text, "").as<Truth>().value;
    } catch (const base::Error&) {
        base::fail(
            "{}: 'store_inference' is '{}' but must be True, empty, or a group of "
            "everyNepoch, everyNsample and outdir",
            file.where("store_inference"), text);
    }
}

/// The index of `name` among the names of an enum; an error that lists them.
template <class Enum>
Enum choice(std::string_view name, std::string_view what, std::string_view origin) {
    const auto known = names(Enum{});
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (known[i] == name) return static_cast<Enum>(i);
    }
    const std::vector<std::string> all(known.begin(), known.end());
    base::fail("{}: {} '{}' is not known here; it can be {}", origin, what, name,
               base::join(all, ", "));
}

ModelOptions model_of(const OriginalConfig& original, std::string_view origin) {
    const auto& from = original.model;
    ModelOptions model;
    model.name = choice<NetworkKind>(from.name, "model", origin);
    model.spatial_size = from.spatial_size;
    model.n_channels = from.channels;
    model.n_strides = from.strides;
    model.n_2d = from.flat;
    model.n_input_features = from.inputs;
    model.reps = from.reps;
    model.conv_kernel = from.kernel;
    model.downsample = from.downsample;
    model.downsample_t = from.downsample_t;
    model.momentum = from.momentum;
    model.hidden_layers = from.hidden_layers;
    model.freeze = from.freeze;
    return model;
}

LossOptions loss_of(const OriginalConfig& original, std::string_view origin) {
    const auto& from = original.loss;
    LossOptions loss;
    const auto kind = loss_of_name(from.name);
    loss.name = kind ? *kind : choice<LossKind>(from.name, "loss", origin);
    loss.l1_lambda = from.l1_lambda;
    loss.negative_weight = from.negative_weight;
    loss.positive_weight = from.positive_weight;
    loss.downsample = from.downsample;
    loss.weight = from.weight;
    loss.beta = from.beta;
    return loss;
}

DataOptions data_of(const OriginalConfig& original) {
    const auto& from = original.data;
    DataOptions data;
    data.data_path = from.data_path;
    data.train_i = from.train_i;
    data.inference_i = from.inference_i;
    data.tpcs = from.tpcs;
    data.target = from.threshold.empty() ? Target::value : Target::label;
    if (!from.threshold.empty()) data.threshold = from.threshold.front();
    data.transforms = from.transforms;
    return data;
}

train::OptimizerOptions optimizer_of(const OriginalConfig& original, std::string_view origin) {
    const auto& from = original.optimizer;
    const std::map<std::string, train::OptimizerKind> kinds{{"Adam", train::OptimizerKind::adam},
                                                            {"AdamW", train::OptimizerKind::adamw},
                                                            {"SGD", train::OptimizerKind::sgd}};
    const auto kind = kinds.find(from.name);
    HODO_CHECK(kind != kinds.end(),
               "{}: optimizer '{}' is not known here; it can be Adam, AdamW "
               "or SGD",
               origin, from.name);
    train::OptimizerOptions optimizer;
    optimizer.kind = kind->second;
    optimizer.rate = from.lr;
    optimizer.beta1 = from.betas[0];
    optimizer.beta2 = from.betas[1];
    optimizer.epsilon = from.eps;
    optimizer.momentum = from.momentum;
    const double usual = kind->second == train::OptimizerKind::adamw ? 0.01 : 0.0;
    optimizer.weight_decay = from.weight_decay < 0 ? usual : from.weight_decay;
    return optimizer;
}

train::ScheduleOptions schedule_of(const OriginalConfig& original, const std::string& origin) {
    const auto& from = original.trainer;
    train::ScheduleOptions schedule;
    if (from.name == "basic") return schedule;
    schedule.kind = train::ScheduleKind::plateau;
    schedule.metric = from.metric.empty() ? "loss" : from.metric;
    schedule.better = from.mode == "min" ? train::Better::smaller : train::Better::larger;
    schedule.factor = from.factor;
    schedule.patience = static_cast<int>(from.patience);
    schedule.threshold = from.threshold;
    schedule.floor = from.min_lr / original.optimizer.lr;
    const OriginalConfig::Trainer usual;
    HODO_CHECK(from.threshold_mode == usual.threshold_mode && from.cooldown == usual.cooldown &&
                   from.eps == usual.eps,
               "{}: trainer.threshold_mode, cooldown and eps can only have their usual values "
               "(rel, 0, 1e-8); leave them out",
               origin);
    return schedule;
}

TrainOptions train_options(const OriginalConfig& original, const std::string& origin) {
    TrainOptions options;
    options.output = expand_variables(original.output_dir);
    options.data = data_of(original);
    options.model = model_of(original, origin);
    options.loss = loss_of(original, origin);
    if (options.loss.name == LossKind::charge_weighted_bce && !original.data.threshold.empty()) {
        base::warn("{}: data.threshold is not used, for the loss weighs voxels by their charge",
                   origin);
        options.data.target = Target::value;
    }
    for (const auto& [column, name] : original.metrics) {
        options.metrics.push_back(column + "=" + name);
    }
    options.store_inference = {.store = original.stores_inference,
                               .every_epoch = original.store_inference.every_epoch,
                               .every_sample = original.store_inference.every_sample,
                               .folder = original.store_inference.outdir};
    options.transfer = original.train.transfer;
    options.resume_from = original.train.start_epoch;
    options.feed.batch_size = original.data.batch_size;
    options.learner.optimizer = optimizer_of(original, origin);
    options.learner.schedule = schedule_of(original, origin);
    options.plan.epochs = original.train.n_epochs;
    return options;
}

}  // namespace

void OriginalConfig::Trainer::describe(base::Fields& f) {
    f("name", name, "basic or schedule_plateau");
    f("metric", metric, "metric of the validation that decides");
    f("mode", mode, "max or min: what is better");
    f("factor", factor, "factor on the rate").above(0);
    f("patience", patience, "epochs to wait").at_least(0);
    f("threshold", threshold, "least change that counts").at_least(0);
    f("threshold_mode", threshold_mode, "rel or abs");
    f("cooldown", cooldown, "epochs to rest after a change").at_least(0);
    f("min_lr", min_lr, "least rate").at_least(0);
    f("eps", eps, "least change of the rate").at_least(0);
    f("verbose", verbose, "say when the rate changes");
}

void OriginalConfig::StoreInference::describe(base::Fields& f) {
    f("everyNepoch", every_epoch, "after epochs divisible by this").at_least(1);
    f("everyNsample", every_sample, "of files whose number is divisible by this").at_least(1);
    f("outdir", outdir, "folder in output_dir");
}

void OriginalConfig::Data::describe(base::Fields& f) {
    f("name", name, "kind of data");
    f("data_path", data_path, "folders of xy files");
    f("train_i", train_i, "[first, last] index, or one per path");
    f("inference_i", inference_i, "[first, last] index, or one per path");
    f("tpcs", tpcs, "TPCs, or one list per path");
    f("batch_size", batch_size, "files per batch").at_least(1);
    f("threshold", threshold, "truth above it makes a voxel true");
    f.rule(threshold.size() <= 1, "data.threshold must be one number");
    f("full_y", full_y, "also give the file, for sums over cells");
    f("use_dist_sampler_train", use_dist_sampler_train, "ranks share the training files");
    f("use_dist_sampler_valid", use_dist_sampler_valid, "ranks share the validation files");
    f.group("transforms", transforms, "changes between file and network");
}

void OriginalConfig::Model::describe(base::Fields& f) {
    f("name", name, "kind of network");
    f("spatial_size", spatial_size, "voxels in x, y, z").at_least(1);
    f("nChannels", channels, "channels of the first level").at_least(1);
    f("nStrides", strides, "levels").at_least(1);
    f("n_2D", flat, "levels without reach along the drift").at_least(0);
    f("nInputFeatures", inputs, "features of a voxel").at_least(1);
    f("reps", reps, "blocks per level").at_least(1);
    f("conv_kernel", kernel, "size of kernels").at_least(1);
    f("downsample", downsample, "filter and stride").at_least(1);
    f("downsample_t", downsample_t, "filter and stride along the drift").at_least(1);
    f("momentum", momentum, "weight of old statistics").between(0, 1);
    f("nHiddenLayers", hidden_layers, "hidden layers of the charge head").at_least(0);
    f("freeze", freeze, "learn the head only");
}

void OriginalConfig::Loss::describe(base::Fields& f) {
    f("name", name, "class of the loss");
    f("reduction", reduction, "over voxels");
    f("L1_lambda", l1_lambda, "weight of the mean output").at_least(0);
    f("negative_weight", negative_weight, "weight of ghosts").at_least(0);
    f("positive_weight", positive_weight, "weight of true voxels").at_least(0);
    f("downsample", downsample, "voxels per coarse cell").at_least(1);
    f("weight", weight, "weight of the coarse term").at_least(0);
    f("beta", beta, "where the square ends").above(0);
    f.rule(reduction == "mean", "loss.reduction must be mean");
}

void OriginalConfig::Optimizer::describe(base::Fields& f) {
    f("name", name, "class of the optimizer");
    f("lr", lr, "learning rate").above(0);
    f("betas", betas, "decays of the moments").between(0, 1);
    f("eps", eps, "guard of the quotient").above(0);
    f("weight_decay", weight_decay, "weight decay");
    f("momentum", momentum, "momentum of SGD").at_least(0);
    f.rule(betas.size() == 2, "optimizer.betas needs two numbers");
}

void OriginalConfig::Train::describe(base::Fields& f) {
    f("n_epochs", n_epochs, "epochs in all").at_least(0);
    f("start_epoch", start_epoch, "epoch of the checkpoint to start from");
    f("transfer", transfer, "take what fits of the checkpoint's weights");
}

OriginalConfig OriginalConfig::read(const base::Config& file) {
    OriginalConfig config;
    for (const auto& column : file.section("metrics").keys()) {
        config.metrics.emplace_back(column, std::string());
    }
    File whole{config, is_group(file, "trainer"), is_group(file, "store_inference")};
    file.read_into(whole);
    config.stores_inference = whole.store_is_group || truth_of(whole.store, file);
    HODO_CHECK(config.trainer.name == "basic" || config.trainer.name == "schedule_plateau",
               "{}: trainer '{}' is not known; it can be basic or schedule_plateau",
               file.where("trainer"), config.trainer.name);
    HODO_CHECK(config.data.name == "sparse",
               "{}: data '{}' is not known; it must be sparse (test data are made by 'hodo lartpc "
               "simulate')",
               file.section("data").where("name"), config.data.name);
    return config;
}

bool is_original_config(const base::Config& file) {
    if (file.has("workflow") || !file.has("data") || !file.has("model")) return false;
    return file.has("trainer") || file.has("optimizer") || file.has("output_dir");
}

std::optional<base::Config> translate_original(const base::Config& file, std::string_view verb) {
    if (verb != "train" || !is_original_config(file)) return std::nullopt;
    const auto original = OriginalConfig::read(file);
    HODO_CHECK(!original.data.train_i.empty() || !original.data.inference_i.empty(),
               "{}: neither data.train_i nor data.inference_i is given, so there is nothing to do; "
               "add one of them",
               file.origin());
    if (!original.data.use_dist_sampler_train || !original.data.use_dist_sampler_valid) {
        base::warn(
            "{}: several processes share the files of every batch here, whatever "
            "use_dist_sampler_train and use_dist_sampler_valid say",
            file.origin());
    }
    auto options = train_options(original, file.origin());
    return base::Config::parse(base::options_yaml(options), file.origin());
}

}  // namespace hodo::lartpc
