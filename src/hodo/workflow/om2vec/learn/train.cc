/// The verb `train`.

#include "hodo/base/error.hh"
#include "hodo/base/interrupt.hh"
#include "hodo/base/log.hh"
#include "hodo/tensor/device.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/train/loop.hh"
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
    for (const auto& [name, value] : means.entries()) {
        std::fputs(base::format("test_{} {:.6g}\n", name, value).c_str(), stdout);
    }
}

}  // namespace

void run_train(const workflow::Job& job) {
    auto options = job.config.as<TrainOptions>();
    options.apply_compat();
    HODO_CHECK(options.task == Task::train || !options.weights.empty(),
               "task 'test' judges trained weights; name them with --weights");
    base::watch_signals();
    tensor::prepare_process();
    const auto device = tensor::torch_device(tensor::parse_device(job.device));

    std::optional<BatchSource> held_out;
    std::optional<train::Feed<Batch>> validation;
    auto validation_feed = options.feed;
    validation_feed.order = train::RowOrder::stored;
    validation_feed.last_batch = train::LastBatch::keep;
    if (has_validation(options)) {
        held_out.emplace(validation_request(options), device);
        if (held_out->data().size() > 0) {
            validation.emplace(*held_out, validation_feed, options.seed, train::Passes::single);
        } else if (options.task == Task::train) {
            base::warn(
                "no module was left for validation (there are few events), so nothing says whether "
                "the training learns by heart; set data.valid, or a larger data.valid_fraction");
        }
    }
    VaeRecipe recipe(options, device);
    if (options.task == Task::test) {
        HODO_CHECK(validation.has_value(), "no validation data to test on; set data.valid");
        return test(
            recipe, *validation,
            {.dataset_size = 1, .batch_size = options.feed.batch_size, .seed = options.seed});
    }
    const BatchSource source(training_request(options), device);
    train::Feed<Batch> feed(source, options.feed, options.seed);
    base::say("training on {} modules of {} files, validating on {}; {} parameters",
              base::with_thousands(source.data().size()), source.data().files().size(),
              base::with_thousands(held_out ? held_out->data().size() : 0),
              base::with_thousands(parameter_count(options.model)));
    if (!options.replay.empty()) {
        const auto step = train::replay(recipe, feed, options.replay, options.plan, options.seed);
        for (const auto& [name, value] : step.scalars.entries()) base::say("{} {}", name, value);
        return;
    }
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
         .inputs = source.data().files()},
        options.journal);
    train::run(recipe, feed, validation ? &*validation : nullptr, journal, options.plan,
               options.seed);
    export_model(journal, recipe, options);
}

}  // namespace hodo::om2vec
