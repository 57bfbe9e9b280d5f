/// The verb `train`.

#include "hodo/base/error.hh"
#include "hodo/base/interrupt.hh"
#include "hodo/base/log.hh"
#include "hodo/tensor/allocator.hh"
#include "hodo/tensor/device.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/workflow/learn/training.hh"
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

/// Judges the weights on the validation data and says what it found.
void test(VaeRecipe& recipe, train::Feed<Batch>& validation, const train::StepContext& context) {
    const auto means = train::evaluate(recipe, validation, context);
    if (!context.ranks->first()) return;
    workflow::print_scalars("test", means);
}

void train_model(const workflow::Job& job, const TrainOptions& options, train::Ranks& ranks,
                 const base::Launch& launch) {
    const auto device = tensor::torch_device(workflow::rank_device(job, launch));
    const train::Share share{ranks.rank(), ranks.size()};

    std::optional<BatchSource> held_out;
    std::optional<train::Feed<Batch>> validation;
    if (has_validation(options)) {
        held_out.emplace(validation_request(options), device);
        if (held_out->data().size() > 0) {
            validation.emplace(*held_out, workflow::validation_feed(options.feed), options.seed,
                               train::Passes::single, share);
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
        return workflow::replay(recipe, feed, options.replay, options.plan, options.seed, ranks);
    }
    auto info = workflow::run_info(job, options.output, options.seed, ranks);
    info.inputs = source.data().files();
    const auto journal = workflow::open_journal(info, options.journal, ranks);
    train::run(recipe, feed, validation ? &*validation : nullptr, *journal, options.plan,
               options.seed, &ranks);
    if (!ranks.first()) return;
    workflow::export_weights<Batch>(
        *journal, recipe, recipe.learner(), options.learner.average.kind, [&](auto which) {
            save_network(options.output, recipe.model(), options.data.binning, which);
        });
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
