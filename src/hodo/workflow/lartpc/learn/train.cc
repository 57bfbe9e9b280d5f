/// The verb `train`.

#include "hodo/base/error.hh"
#include "hodo/base/interrupt.hh"
#include "hodo/base/log.hh"
#include "hodo/io/npz_archive.hh"
#include "hodo/tensor/device.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/tensor/weights.hh"
#include "hodo/train/loop.hh"
#include "hodo/train/ranks.hh"
#include "hodo/workflow/lartpc/learn/checkpoints.hh"
#include "hodo/workflow/lartpc/learn/recipe.hh"
#include "hodo/workflow/lartpc/learn/start.hh"
#include "hodo/workflow/lartpc/learn/verbs.hh"

#include <optional>

namespace hodo::lartpc {

namespace {

using Feed = train::Feed<TrainingBatch>;

train::Existing existing_of(workflow::Existing existing) {
    switch (existing) {
        case workflow::Existing::refuse:
            return train::Existing::refuse;
        case workflow::Existing::overwrite:
            return train::Existing::overwrite;
        case workflow::Existing::resume:
            return train::Existing::resume;
    }
    return train::Existing::refuse;
}

/// The device of this rank: ranks of one machine take its CUDA devices in turn.
at::Device device_of(const workflow::Job& job, const base::Launch& launch) {
    auto device = tensor::parse_device(job.device);
    const int known = tensor::cuda_devices();
    if (device.kind == tensor::Device::Kind::cuda && launch.local_size > 1 && known > 0) {
        device.index = (device.index + launch.local_rank) % known;
    }
    return tensor::torch_device(device);
}

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

/// Writes the weights to be used: the average where one is kept, else the best of validation,
/// else the last.
void export_model(const train::Journal& journal, CellRecipe& recipe, const TrainOptions& options) {
    std::string_view which = "last";
    if (recipe.learner().average().count() > 0) {
        const train::AveragedWeights averaged(recipe.learner());
        which = options.learner.average.kind == train::AverageKind::swa ? "swa" : "ema";
        save_network(journal.folder(), recipe.model(), which);
    } else {
        if (const auto best = journal.best_checkpoint(); !best.empty()) {
            auto archive = train::Archive::read(best);
            archive.group("recipe", recipe);
            which = "best";
        }
        save_network(journal.folder(), recipe.model(), which);
    }
    base::say("wrote {} ({} weights)", journal.folder() / "model.safetensors", which);
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
    base::say("judging {} on {} files", judged.weights, validation.order().size());
    const auto means = train::evaluate(recipe, validation, context);
    if (!ranks.first()) return;
    for (const auto& [name, value] : means.entries()) {
        std::fputs(base::format("valid_{} {:.6g}\n", name, value).c_str(), stdout);
    }
}

struct Data {
    FileSource training, validation;
};

train::RunInfo run_info(const workflow::Job& job, const TrainOptions& options, const Data& data,
                        const train::Ranks& ranks) {
    auto extra = io::Json::object();
    if (ranks.size() > 1) extra["ranks"] = ranks.size();
    if (options.start_epoch > 0) extra["start_epoch"] = options.start_epoch;
    train::RunInfo info{
        .folder = options.output,
        .existing = existing_of(job.existing),
        .title = "lartpc train",
        .config = "workflow: lartpc\ntrain:\n" + job.resolved,
        .command_line = job.command_line,
        .replay = "hodo lartpc train " + options.output + "/config.yaml --replay FOLDER",
        .seed = options.seed,
        .device = job.device,
        .threads = job.threads,
        .rank = ranks.rank(),
        .inputs = {},
        .libraries = {},
        .extra = extra};
    for (const auto& file : data.training.data().files()) info.inputs.push_back(file.path);
    return info;
}

void announce(const Data& data, CellRecipe& recipe) {
    base::say("training on {} files, validating on {}; {} parameters", data.training.data().size(),
              data.validation.data().size(),
              base::with_thousands(tensor::parameter_count(recipe.model().trainable_parameters())));
    if (data.validation.data().size() == 0) {
        base::warn(
            "no file was left for validation (there are few), so nothing says whether the training "
            "learns by heart; set data.inference_i, or a larger data.held_out");
    }
}

void train_network(const workflow::Job& job, TrainOptions options, train::Ranks& ranks,
                   const base::Launch& launch) {
    const auto device = device_of(job, launch);
    const train::Share share{ranks.rank(), ranks.size()};
    const Data data{source_of(options, Subset::training), source_of(options, Subset::validation)};
    auto stored = options.feed;
    stored.order = train::RowOrder::stored;
    stored.last_batch = train::LastBatch::keep;
    std::optional<Feed> validation;
    if (data.validation.data().size() > 0) {
        validation.emplace(data.validation, stored, options.seed, train::Passes::single, share);
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
        HODO_CHECK(ranks.size() == 1, "a step is replayed by a single process; start hodo once");
        const auto step = train::replay(recipe, feed, options.replay, options.plan, options.seed);
        for (const auto& [name, value] : step.scalars.entries()) base::say("{} {}", name, value);
        return;
    }
    if (ranks.first()) announce(data, recipe);
    if (!ranks.first()) ranks.barrier();  // Rank 0 prepares the folder first.
    train::Journal journal(run_info(job, options, data, ranks), options.journal);
    if (ranks.first()) ranks.barrier();
    train::run(recipe, feed, validation ? &*validation : nullptr, journal, options.plan,
               options.seed, &ranks);
    recipe.close_epoch();
    if (ranks.first()) export_model(journal, recipe, options);
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
