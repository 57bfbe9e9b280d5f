#include "hodo/workflow/lartpc/learn/recipe.hh"

#include <ATen/core/grad_mode.h>

#include "hodo/base/error.hh"
#include "hodo/tensor/view.hh"
#include "hodo/tensor/weights.hh"
#include "hodo/train/ranks.hh"
#include "hodo/train/session.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/learn/checkpoints.hh"
#include "hodo/workflow/lartpc/learn/loss.hh"
#include "hodo/workflow/lartpc/learn/metrics.hh"

#include <algorithm>

namespace hodo::lartpc {

namespace {

CellNet fresh_network(const TrainOptions& options, at::Device device) {
    CellNet model(options.model, at::TensorOptions().dtype(at::kFloat).device(device));
    model.initialise(options.seed);
    if (!options.weights.empty()) {
        load_weights(model, options.weights, options.transfer ? Match::transfer : Match::strict);
    }
    return model;
}

/// Tensors of the network that the learner does not keep: running statistics, frozen parameters.
std::vector<tensor::NamedParameter> other_tensors(CellNet& model, const train::Learner& learner) {
    auto tensors = tensor::named_parameters(model);
    std::erase_if(tensors, [&](const auto& tensor) {
        return std::ranges::any_of(learner.parameters(),
                                   [&](const auto& own) { return own.name == tensor.name; });
    });
    return tensors;
}

}  // namespace

// ---- sums of an epoch ---------------------------------------------------------------------------

void EpochSums::begin(std::size_t metrics) {
    loss_ = batches_ = voxels_ = 0;
    right_.assign(metrics, 0);
    begin_ = end_ = std::chrono::steady_clock::now();
}

void EpochSums::add(const train::StepContext& context, double loss, double voxels,
                    const std::vector<double>& right) {
    // A batch counts once, however many ranks work on it.
    std::vector<double> mine{voxels > 0 ? loss * context.share : 0.0,
                             voxels > 0 ? context.share : 0.0, voxels};
    mine.insert(mine.end(), right.begin(), right.end());
    if (context.share <= 0) std::fill(mine.begin(), mine.end(), 0.0);
    const auto all = train::gather(context.ranks, mine);
    std::vector<double> sums(mine.size());
    for (std::size_t i = 0; i < all.size(); ++i) sums[i % sums.size()] += all[i];
    loss_ += sums[0];
    batches_ += sums[1];
    voxels_ += sums[2];
    for (std::size_t i = 0; i < right.size(); ++i) right_[i] += sums[3 + i];
    end_ = std::chrono::steady_clock::now();
}

train::Scalars EpochSums::means(const std::vector<Metric>& metrics) const {
    train::Scalars means;
    if (batches_ <= 0) return means;
    means.set("loss", loss_ / batches_);
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        means.set(metrics[i].column, right_[i] / voxels_);
    }
    return means;
}

void EpochSums::report(EpochSummary& summary, const std::string& set,
                       const std::vector<Metric>& metrics) const {
    const auto found = means(metrics);
    if (found.entries().empty()) summary.values.emplace_back(set + "_loss", -1.0);
    for (const auto& [name, value] : found.entries()) {
        summary.values.emplace_back(set + "_" + name, value);
    }
    const std::chrono::duration<double> elapsed = end_ - begin_;
    summary.values.emplace_back(set + "_time", elapsed.count());
}

void EpochSums::state(train::Archive& archive) {
    archive("loss", loss_);
    archive("batches", batches_);
    archive("voxels", voxels_);
    archive("right", right_);
}

// ---- steps --------------------------------------------------------------------------------------

CellRecipe::CellRecipe(const TrainOptions& options, at::Device device, Output output)
    : options_(options),
      output_(std::move(output)),
      metrics_(options.judged_by()),
      model_(fresh_network(options, device)),
      learner_("cellnet", model_.learning_parameters(), options.learner) {
    training_.begin(metrics_.size());
    validation_.begin(metrics_.size());
    if (options.optimizer_state) {
        adopt_optimizer(learner_, model_, open_weights(options.weights),
                        options.learner.optimizer.rate);
    }
}

train::Scalars CellRecipe::judge(const at::Tensor& answers, const VoxelBatch& batch,
                                 EpochSums& sums, double loss,
                                 const train::StepContext& context) const {
    train::Scalars scalars{{"loss", loss}};
    std::vector<double> right(metrics_.size());
    const auto voxels = batch.has_targets() ? static_cast<double>(batch.size()) : 0.0;
    if (voxels > 0) {
        const auto target = truths_of(batch, answers).target;
        for (std::size_t i = 0; i < metrics_.size(); ++i) {
            right[i] = static_cast<double>(count_right(metrics_[i].kind, answers, target));
        }
    }
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
        scalars.set(metrics_[i].column, right[i] / std::max(1.0, voxels));
    }
    sums.add(context, loss, voxels, right);
    return scalars;
}

train::Step CellRecipe::train(const TrainingBatch& batch, const train::StepContext& context) {
    if (context.first_of_epoch()) close_epoch();
    if (epoch_ < 0) {
        epoch_ = options_.start_epoch + context.epoch;
        restored_ = false;
        training_.begin(metrics_.size());
    }
    HODO_CHECK(batch.voxels.has_targets(), "a training file has no truth; leave it out");
    const auto answers = model_(batch.voxels, nn::Mode::train);
    const auto mean = loss(answers, truths_of(batch.voxels, answers), options_.loss);
    const auto update = learner_.update(mean, context);
    share_statistics(context);
    auto scalars = judge(answers.detach(), batch.voxels, training_,
                         mean.detach().to(at::kDouble).item<double>(), context);
    scalars.set("rate", update.rate);
    scalars.set("gradient_norm", update.gradient_norm);
    rate_ = update.rate;
    complete_ = context.last_of_epoch();
    return {.scalars = scalars, .examples = batch.voxels.size()};
}

void CellRecipe::share_statistics(const train::StepContext& context) {
    if (context.ranks == nullptr || context.ranks->size() == 1) return;
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> parts;
    std::vector<tensor::NamedParameter> statistics;
    for (const auto& tensor : tensor::named_parameters(model_)) {
        if (tensor.name.find(".running_") == std::string::npos) continue;
        statistics.push_back(tensor);
        parts.push_back(tensor.tensor->to(at::kCPU, at::kDouble) * context.share);
    }
    parts.push_back(at::full({1}, context.share, at::kDouble));
    auto sums = at::cat(parts);
    context.ranks->sum(sums);
    const auto whole = sums[-1].item<double>();
    std::int64_t place = 0;
    for (const auto& [name, tensor] : statistics) {
        const auto count = tensor->numel();
        tensor->copy_(sums.slice(0, place, place + count) / whole);
        place += count;
    }
}

train::Step CellRecipe::validate(const TrainingBatch& batch, const train::StepContext& context) {
    const train::AveragedWeights averaged(learner_);
    if (validated_ != context.step) {
        validated_ = context.step;
        validation_.begin(metrics_.size());
    }
    const auto values = model_.predict(batch.voxels);
    const auto answers = tensor::view(std::span<const float>(values), {std::ssize(values)});
    const bool known = batch.voxels.has_targets() && batch.voxels.size() > 0;
    const auto mean =
        known ? loss(answers, truths_of(batch.voxels, answers), options_.loss).item<double>() : 0.0;
    const auto scalars = judge(answers, batch.voxels, validation_, mean, context);
    if (context.first_of_epoch() && context.step > 0 && context.share > 0) {
        keep_answers(batch, values, options_.start_epoch + context.epoch - 1);
    }
    if (!judges_) return {};
    return {.scalars = scalars, .examples = known ? batch.voxels.size() : 0};
}

void CellRecipe::keep_answers(const TrainingBatch& batch, std::span<const float> answers,
                              std::int64_t epoch) const {
    const auto& keep = options_.store_inference;
    for (std::size_t file = 0; file < batch.voxels.files.size(); ++file) {
        if (!keep.wants(epoch, batch.voxels.samples[file])) continue;
        write_inference(
            output_.folder / keep.folder / inference_name(batch.voxels.files[file], epoch),
            batch.voxels.of_file(answers, file));
    }
}

train::Scalars CellRecipe::judged() const {
    return validation_.means(metrics_);
}

void CellRecipe::close_epoch() {
    if (epoch_ < 0 || !complete_) return;
    const auto epoch = closed_ = epoch_;
    epoch_ = -1;
    complete_ = false;
    // A session that went on after the end of an epoch may find its files written, with times.
    if (restored_ && std::filesystem::exists(checkpoint_file(output_.folder, epoch))) return;
    if (!options_.epoch_files || !output_.first_rank) return;
    EpochSummary summary{epoch, {}};
    training_.report(summary, "train", metrics_);
    if (validated_ >= 0) validation_.report(summary, "valid", metrics_);
    const auto file = Summaries::file_of(output_.folder, 0);
    Summaries summaries;
    if (std::filesystem::exists(file)) summaries = Summaries::read(file);
    summaries.add(summary);
    summaries.write(file);
    write_epoch_checkpoint(checkpoint_file(output_.folder, epoch), model_, learner_,
                           options_.learner, rate_);
}

void CellRecipe::state(train::Archive& archive) {
    archive.group("learner", learner_);
    for (auto& [name, tensor] : other_tensors(model_, learner_)) archive("kept." + name, *tensor);
    archive.group("training", training_);
    archive.group("validation", validation_);
    archive("epoch", epoch_);
    archive("complete", complete_);
    archive("validated", validated_);
    archive("rate", rate_);
    restored_ = restored_ || archive.loading();
}

}  // namespace hodo::lartpc
