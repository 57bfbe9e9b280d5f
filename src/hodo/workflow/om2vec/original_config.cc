#include "hodo/workflow/om2vec/original_config.hh"

#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/workflow/om2vec/options.hh"

namespace hodo::om2vec {

namespace {

/// The original's keys. The values are the defaults of its classes, which apply to missing keys
/// and differ from those of its example file.
struct OriginalOptions {
    struct Model {
        std::int64_t in_features = 5000, latent_dim = 128, embed_dim = 32, beta_peak_epoch = 4;
        double beta_factor = 1e-5;
        bool sensor_positional_encoding = true;
        void describe(base::Fields& f) {
            f("in_features", in_features, "time bins").at_least(1);
            f("latent_dim", latent_dim, "numbers in a latent vector").at_least(1);
            f("embed_dim", embed_dim, "channels of a token").at_least(1);
            f("beta_factor", beta_factor, "weight of the divergence at its peak").at_least(0);
            f("beta_peak_epoch", beta_peak_epoch, "epochs until the peak").at_least(1);
            f("sensor_positional_encoding", sensor_positional_encoding, "use module positions");
        }
    };
    struct Data {
        std::vector<std::string> train_data_files, valid_data_files;
        Ranges train_data_file_ranges, valid_data_file_ranges;
        std::int64_t file_chunk_size = 250'000;
        void describe(base::Fields& f) {
            f("train_data_files", train_data_files, "folders of chunk files");
            f("train_data_file_ranges", train_data_file_ranges, "[first, last] per folder");
            f("valid_data_files", valid_data_files, "folders of chunk files");
            f("valid_data_file_ranges", valid_data_file_ranges, "[first, last] per folder");
            f("file_chunk_size", file_chunk_size, "rows per file (read from the files instead)");
        }
    };
    struct Training {
        std::int64_t batch_size = 128, epochs = 25, save_epochs = 5;
        int num_workers = 2;
        double lr = 1e-3, weight_decay = 1e-5;
        std::vector<std::int64_t> lr_schedule{2, 20};
        void describe(base::Fields& f) {
            f("batch_size", batch_size, "modules per batch").at_least(1);
            f("lr", lr, "learning rate").above(0);
            f("lr_schedule", lr_schedule, "epochs at which the rate falls by 10");
            f("weight_decay", weight_decay, "decoupled weight decay").at_least(0);
            f("epochs", epochs, "passes over the data").at_least(1);
            f("save_epochs", save_epochs, "epochs between checkpoints").at_least(1);
            f("num_workers", num_workers, "reading threads").at_least(0);
        }
    };

    std::string accelerator = "gpu", dataloader = "prometheus", checkpoint, project_name = "om2vec",
                project_save_dir = ".";
    std::int64_t num_devices = 1;
    bool training = true, resume_training = false;
    Model model_options;
    Data data_options;
    Training training_options;

    void describe(base::Fields& f) {
        f("accelerator", accelerator, "gpu or cpu");
        f("num_devices", num_devices, "devices to train on").at_least(1);
        f("training", training, "train, or test on the validation files");
        f("dataloader", dataloader, "kind of data");
        f("checkpoint", checkpoint, "weights to start from");
        f("resume_training", resume_training, "continue the checkpoint's training");
        f("project_name", project_name, "name of the run");
        f("project_save_dir", project_save_dir, "folder of runs");
        f.group("model_options", model_options, "the network");
        f.group("data_options", data_options, "the data");
        f.group("training_options", training_options, "the training");
        f.rule(dataloader == "prometheus", "dataloader must be prometheus");
    }
};

TrainOptions train_options(const OriginalOptions& original) {
    const auto& model = original.model_options;
    const auto& data = original.data_options;
    const auto& training = original.training_options;
    TrainOptions options;
    options.output = (base::Path(original.project_save_dir) / original.project_name).string();
    options.task = original.training ? Task::train : Task::test;
    options.weights = original.checkpoint;
    options.optimizer_state = original.resume_training && !original.checkpoint.empty();
    options.data.train = data.train_data_files;
    options.data.train_ranges = data.train_data_file_ranges;
    options.data.valid = data.valid_data_files;
    options.data.valid_ranges = data.valid_data_file_ranges;
    options.data.binning = {.bins = model.in_features,
                            .window = static_cast<double>(model.in_features),
                            .rule = optical::BinningRule::om2vec};
    options.model.bins = model.in_features;
    options.model.latent = model.latent_dim;
    options.model.embed = model.embed_dim;
    options.model.sensor_positional_encoding = model.sensor_positional_encoding;
    options.loss.beta.factor = model.beta_factor;
    options.loss.beta.peak_epoch = model.beta_peak_epoch;
    options.loss.kl_reduction = KlReduction::sum;  // How the original's beta_factor is meant.
    options.feed.batch_size = training.batch_size;
    options.feed.workers = std::max(1, training.num_workers - 1);
    auto& learner = options.learner;
    learner.optimizer.kind = train::OptimizerKind::adamw;
    learner.optimizer.rate = training.lr;
    learner.optimizer.weight_decay = training.weight_decay;
    learner.clip = 0.1;
    if (!training.lr_schedule.empty()) {
        learner.schedule.kind = train::ScheduleKind::steps;
        learner.schedule.milestones = training.lr_schedule;
    }
    learner.average.kind = train::AverageKind::swa;
    learner.average.start = 0.8;
    if (original.accelerator == "gpu") learner.precision = tensor::Precision::bf16;
    options.plan.epochs = training.epochs;
    return options;
}

EvaluateOptions evaluate_options(const OriginalOptions& original) {
    const auto train = train_options(original);
    EvaluateOptions options;
    options.input = train.data.valid;
    options.ranges = train.data.valid_ranges;
    options.network.weights = train.weights;
    options.binning = train.data.binning;
    return options;
}

}  // namespace

std::optional<base::Config> translate_original(const base::Config& file, std::string_view verb) {
    const bool is_original =
        file.has("model_options") || file.has("data_options") || file.has("training_options");
    if (!is_original || (verb != "train" && verb != "evaluate")) return std::nullopt;
    const auto original = file.as<OriginalOptions>();
    if (original.num_devices > 1) {
        base::warn("{}: num_devices is {}, but one process trains on one device", file.origin(),
                   original.num_devices);
    }
    if (verb == "evaluate") {
        auto options = evaluate_options(original);
        return base::Config::parse(base::options_yaml(options), file.origin());
    }
    auto options = train_options(original);
    return base::Config::parse(base::options_yaml(options), file.origin());
}

}  // namespace hodo::om2vec
