#pragma once
/// What one training step of a sparse network is, and what is kept of an epoch.

#include "hodo/train/learner.hh"
#include "hodo/train/recipe.hh"
#include "hodo/workflow/lartpc/learn/batch.hh"
#include "hodo/workflow/lartpc/learn/network.hh"
#include "hodo/workflow/lartpc/summaries.hh"
#include "hodo/workflow/lartpc/train_options.hh"

#include <chrono>
#include <map>

namespace hodo::lartpc {

/// Sums of an epoch, as the published code makes its table: the loss is the mean over batches, a
/// metric the part of all voxels. Equal on all ranks.
class EpochSums {
  public:
    void add(const train::StepContext& context, double loss, double voxels,
             const std::vector<double>& right);
    /// "loss" and a value per metric; nothing without batches.
    train::Scalars means(const std::vector<Metric>& metrics) const;
    /// "<set>_loss", "<set>_<metric>"..., "<set>_time"; a loss of -1 and no metric without batches.
    void report(EpochSummary& summary, const std::string& set,
                const std::vector<Metric>& metrics) const;
    void begin(std::size_t metrics);
    void state(train::Archive& archive);

  private:
    double loss_ = 0, batches_ = 0, voxels_ = 0;
    std::vector<double> right_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now(), end_ = begin_;
};

/// Minimises the loss (loss.hh) of the batch's voxels. With several ranks running statistics are
/// the mean of those of all ranks after each step.
class CellRecipe final : public train::Recipe<TrainingBatch> {
  public:
    /// Where an epoch's files go, and whether this rank writes those of all ranks.
    struct Output {
        base::Path folder;
        bool first_rank = true;
    };
    CellRecipe(const TrainOptions& options, at::Device device, Output output);

    /// Scalars: loss, metrics, rate, gradient_norm. Examples are voxels. The first step of an epoch
    /// closes the one before it.
    train::Step train(const TrainingBatch& batch, const train::StepContext& context) override;
    /// Scalars: loss, metrics. Voxels without truth count nothing. Keeps answers where wanted.
    train::Step validate(const TrainingBatch& batch, const train::StepContext& context) override;
    /// Writes the files of the last epoch, when all its steps are done. All ranks call it.
    void close_epoch();
    /// Writes the answers on a batch as those of an epoch.
    void keep_answers(const TrainingBatch& batch, std::span<const float> answers,
                      std::int64_t epoch) const;
    /// What the last validation found, as the table of epochs has it; nothing without truth.
    train::Scalars judged() const;
    /// The epoch of the weights: that of the last step, counted from `start_epoch`; -1 before it.
    std::int64_t epoch() const { return epoch_ >= 0 ? epoch_ : closed_; }
    /// No validation file has truth: answers are kept, and nothing is judged.
    void expect_no_truth() { judges_ = false; }
    void state(train::Archive& archive) override;

    CellNet& model() { return model_; }
    train::Learner& learner() { return learner_; }

  private:
    train::Scalars judge(const at::Tensor& answers, const VoxelBatch& batch, EpochSums& sums,
                         double loss, const train::StepContext& context) const;
    void share_statistics(const train::StepContext& context);

    TrainOptions options_;
    Output output_;
    std::vector<Metric> metrics_;
    CellNet model_;
    train::Learner learner_;
    EpochSums training_, validation_;
    std::int64_t epoch_ = -1;      ///< Of `training_`; -1: there is none that is not closed.
    std::int64_t closed_ = -1;     ///< The last one that is.
    bool complete_ = false;        ///< All its steps are done.
    std::int64_t validated_ = -1;  ///< The step after which `validation_` was made.
    double rate_ = 0;
    bool restored_ = false;  ///< `training_` comes from an archive.
    bool judges_ = true;
};

}  // namespace hodo::lartpc
