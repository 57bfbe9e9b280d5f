/// The verb `train`.

#include "hodo/base/error.hh"
#include "hodo/base/interrupt.hh"
#include "hodo/base/log.hh"
#include "hodo/tensor/allocator.hh"
#include "hodo/tensor/device.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/train/loop.hh"
#include "hodo/train/ranks.hh"
#include "hodo/workflow/om2vec/data_request.hh"
#include "hodo/workflow/om2vec/learn/network.hh"
#include "hodo/workflow/om2vec/learn/recipe.hh"
#include "hodo/workflow/om2vec/learn/verbs.hh"

namespace hodo::om2vec {

namespace {

/// Module data as batches on a device.
class BatchSource final : public train::Source<Batch> {
  public:
    BatchSource(const DataRequest& request, at::Device device)
        : data_(request), bins_(request.binning.width()), device_(device) {}

    std::vector<std::int64_t> groups() const override { return data_.groups(); }
    Batch load(const train::Request& request) const override {
        std::vector<ModuleIndex> modules;
        for (const auto& row : request.rows) modules.push_back({row.group, row.row});
        return make_batch(view(data_.load(modules)), bins_, device_);
    }
    const ModuleData& data() const { return data_; }

  private:
    ModuleData data_;
    std::int64_t bins_;
    at::Device device_;
};

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

/// Writes the weights to be used: the average where one is kept, else the best of validation,
/// else the last.
void export_model(const train::Journal& journal, VaeRecipe& recipe, const TrainOptions& options) {
    std::string_view which = "last";
    if (recipe.learner().average().count() > 0) {
        const train::AveragedWeights averaged(recipe.learner());
        which = options.learner.average.kind == train::AverageKind::swa ? "swa" : "ema";
        save_network(journal.folder(), recipe.model(), options.data.binning, which);
    } else {
        if (const auto best = journal.best_checkpoint(); !best.empty()) {
            auto archive = train::Archive::read(best);
            archive.group("recipe", recipe);
            which = "best";
        }
        save_network(journal.folder(), recipe.model(), options.data.binning, which);
    }
    base::say("wrote {} ({} weights)", journal.folder() / "model.safetensors", which);
}

/// Judges the weights on the validation data and says what it found.
void test(VaeRecipe& recipe, train::Feed<Batch>& validation, const train::StepContext& context) {
    const auto means = train::evaluate(recipe, validation, context);
    if (!context.ranks->first()) return;
    for (const auto& [name, value] : means.entries()) {
        std::fputs(base::format("test_{} {:.6g}\n", name, value).c_str(), stdout);
    }
}

/// The device of this rank: ranks of one machine take its CUDA devices in turn.
tensor::Device device_of(const workflow::Job& job, const base::Launch& launch) {
    auto device = tensor::parse_device(job.device);
    const int known = tensor::cuda_devices();
    if (device.kind == tensor::Device::Kind::cuda && launch.local_size > 1 && known > 0) {
        device.index = (device.index + launch.local_rank) % known;
    }
    return device;
}

void train_model(const workflow::Job& job, const TrainOptions& options, train::Ranks& ranks,
                 const base::Launch& launch) {
    const auto device = tensor::torch_device(device_of(job, launch));
    const train::Share share{ranks.rank(), ranks.size()};

    std::optional<BatchSource> held_out;
    std::optional<train::Feed<Batch>> validation;
    auto validation_feed = options.feed;
    validation_feed.order = train::RowOrder::stored;
    validation_feed.last_batch = train::LastBatch::keep;
    if (has_validation(options)) {
        held_out.emplace(validation_request(options), device);
        if (held_out->data().size() > 0) {
            validation.emplace(*held_out, validation_feed, options.seed, train::Passes::single,
                               share);
        } else if (options.task == Task::train && ranks.first()) {
            base::warn(
                "no module was left for validation (there are few events), so nothing says whether "
                "the training learns by heart; set data.valid, or a larger data.valid_fraction");
        }
    }
    VaeRecipe recipe(options, device);
    if (options.task == Task::test) {
        HODO_CHECK(validation.has_value(), "no validation data to test on; set data.valid");
        return test(recipe, *validation,
                    {.dataset_size = 1,
                     .batch_size = options.feed.batch_size,
                     .seed = options.seed,
                     .ranks = &ranks});
    }
    const BatchSource source(training_request(options), device);
    train::Feed<Batch> feed(source, options.feed, options.seed, train::Passes::endless, share);
    base::say("training on {} modules of {} files, validating on {}; {} parameters",
              base::with_thousands(source.data().size()), source.data().files().size(),
              base::with_thousands(held_out ? held_out->data().size() : 0),
              base::with_thousands(parameter_count(options.model)));
    if (!options.replay.empty()) {
        HODO_CHECK(ranks.size() == 1, "a step is replayed by a single process; start hodo once");
        const auto step = train::replay(recipe, feed, options.replay, options.plan, options.seed);
        for (const auto& [name, value] : step.scalars.entries()) base::say("{} {}", name, value);
        return;
    }
    auto extra = io::Json::object();
    if (ranks.size() > 1) extra["ranks"] = ranks.size();
    if (!ranks.first()) ranks.barrier();  // Rank 0 prepares the folder first.
    train::Journal journal(
        {.folder = options.output,
         .existing = existing_of(job.existing),
         .title = "om2vec train",
         .config = "workflow: om2vec\ntrain:\n" + job.resolved,
         .command_line = job.command_line,
         .replay = "hodo om2vec train " + options.output + "/config.yaml --replay FOLDER",
         .seed = options.seed,
         .device = job.device,
         .threads = job.threads,
         .rank = ranks.rank(),
         .inputs = source.data().files(),
         .extra = extra},
        options.journal);
    if (ranks.first()) ranks.barrier();
    train::run(recipe, feed, validation ? &*validation : nullptr, journal, options.plan,
               options.seed, &ranks);
    if (ranks.first()) export_model(journal, recipe, options);
}

}  // namespace

void run_train(const workflow::Job& job) {
    auto options = job.config.as<TrainOptions>();
    options.apply_compat();
    base::watch_signals();
    tensor::prepare_process();
    tensor::set_freed_memory(tensor::FreedMemory::kept);
    train::with_ranks(options.ranks, [&](train::Ranks& ranks, const base::Launch& launch) {
        HODO_CHECK(options.task == Task::train || !options.weights.empty(),
                   "task 'test' judges trained weights; name them with --weights");
        train_model(job, options, ranks, launch);
    });
}

}  // namespace hodo::om2vec
