/// The verb `train`.

#include "hodo/base/count.hh"
#include "hodo/base/error.hh"
#include "hodo/base/interrupt.hh"
#include "hodo/base/log.hh"
#include "hodo/io/npz_archive.hh"
#include "hodo/tensor/device.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/tensor/weights.hh"
#include "hodo/workflow/lartpc/learn/checkpoints.hh"
#include "hodo/workflow/lartpc/learn/recipe.hh"
#include "hodo/workflow/lartpc/learn/start.hh"
#include "hodo/workflow/lartpc/learn/verbs.hh"
#include "hodo/workflow/learn/training.hh"

#include <optional>

namespace hodo::lartpc {

namespace {

using Feed = train::Feed<TrainingBatch>;

FileSource source_of(const TrainOptions& options, Subset subset) {
    auto treatment = treatment_of(options.data, subset, options.target(), options.seed);
    if (options.loss.name == LossKind::downsample_mse) treatment.cells = options.loss.downsample;
    return FileSource(VoxelDataset(select_files(options.data, subset), std::move(treatment)));
}

bool has_truth(const VoxelDataset& data) {
    return std::ranges::any_of(data.files(), [](const VoxelFile& file) {
        return io::NpzArchive::open(file.path).has("Y");
    });
}

/// Judges weights on the validation files and keeps the answers: a run without training files.
void judge(TrainOptions options, Feed& validation, train::Ranks& ranks, at::Device device) {
    const auto judged = find_judged(options);
    options.weights = judged.weights.string();
    options.optimizer_state = false;
    options.start_epoch = judged.epoch;
    CellRecipe recipe(options, device, {options.output, ranks.first()});
    // As after the first epoch of a run that began with the checkpoint's.
    const train::StepContext context{.step = 1,
                                     .epoch = 1,
                                     .epoch_step = 0,
                                     .dataset_size = validation.order().size(),
                                     .batch_size = options.feed.batch_size,
                                     .seed = options.seed,
                                     .ranks = &ranks};
    base::say("judging {} on {}", judged.weights,
              base::counted(std::ssize(validation.order()), "files"));
    train::evaluate(recipe, validation, context);
    if (!ranks.first()) return;
    workflow::print_scalars("valid", recipe.judged());
}

struct Data {
    FileSource training, validation;
};

train::RunInfo info_of(const workflow::Job& job, const TrainOptions& options, const Data& data,
                       const train::Ranks& ranks) {
    auto info = workflow::run_info(job, options.output, options.seed, ranks);
    if (options.start_epoch > 0) info.extra["start_epoch"] = options.start_epoch;
    for (const auto& file : data.training.data().files()) info.inputs.push_back(file.path);
    return info;
}

void announce(const Data& data, CellRecipe& recipe, std::int64_t batch_size, int ranks) {
    base::say("training on {}, validating on {}; {} parameters",
              base::counted(static_cast<std::int64_t>(data.training.data().size()), "files"),
              data.validation.data().size(),
              base::with_thousands(tensor::parameter_count(recipe.model().trainable_parameters())));
    if (batch_size < ranks) {
        base::warn(
            "{} processes share batches of {} files, so some have nothing to do; for a file per "
            "process, as the published code trains, set feed.batch_size to {}",
            ranks, batch_size, ranks);
    }
    if (data.validation.data().size() == 0) {
        base::warn(
            "no file was left for validation (there are few), so nothing says whether the training "
            "learns by heart; set data.inference_i, or a larger data.held_out");
    }
}

void train_network(const workflow::Job& job, TrainOptions options, train::Ranks& ranks,
                   const base::Launch& launch) {
    const auto device = tensor::torch_device(workflow::rank_device(job, launch));
    const train::Share share{ranks.rank(), ranks.size()};
    const Data data{source_of(options, Subset::training), source_of(options, Subset::validation)};
    std::optional<Feed> validation;
    if (data.validation.data().size() > 0) {
        validation.emplace(data.validation, workflow::validation_feed(options.feed), options.seed,
                           train::Passes::single, share);
    }
    if (data.training.data().size() == 0 && validation) {
        return judge(options, *validation, ranks, device);
    }
    Feed feed(data.training, options.feed, options.seed, train::Passes::endless, share);
    if (options.replay.empty()) {
        find_start(options, job.existing, feed.order().batches(), ranks.first());
    }
    CellRecipe recipe(options, device, {options.output, ranks.first() && options.replay.empty()});
    if (validation && !has_truth(data.validation.data())) recipe.expect_no_truth();
    if (!options.replay.empty()) {
        return workflow::replay(recipe, feed, options.replay, options.plan, options.seed, ranks);
    }
    if (ranks.first()) announce(data, recipe, options.feed.batch_size, ranks.size());
    const auto journal =
        workflow::open_journal(info_of(job, options, data, ranks), options.journal, ranks);
    train::run(recipe, feed, validation ? &*validation : nullptr, *journal, options.plan,
               options.seed, &ranks);
    recipe.close_epoch();
    if (!ranks.first()) return;
    workflow::export_weights<TrainingBatch>(
        *journal, recipe, recipe.learner(), options.learner.average.kind,
        [&](std::string_view which) {
            save_network(options.output, recipe.model(), which, recipe.epoch());
        });
}

}  // namespace

void run_train(const workflow::Job& job) {
    const auto options = job.config.as<TrainOptions>();
    HODO_CHECK(!options.data.data_path.empty(),
               "no training data is named; set data.data_path to folders of xy files");
    base::watch_signals();
    tensor::prepare_process();
    train::with_ranks(options.ranks, [&](train::Ranks& ranks, const base::Launch& launch) {
        train_network(job, options, ranks, launch);
    });
}

}  // namespace hodo::lartpc
