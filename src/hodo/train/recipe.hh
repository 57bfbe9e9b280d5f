#pragma once
/// What one step of learning means: a batch in, scalars out. All that the engine knows of a model.
///
///     struct Fit final : train::Recipe<Batch> {
///         train::Step train(const Batch& b, const train::StepContext& c) override {
///             const auto loss = square_error(model_(b.x), b.y);
///             learner_.update(loss, c);
///             return {.scalars = {{"loss", loss.item<double>()}}, .examples = b.size()};
///         }
///         ...
///         void state(train::Archive& a) override { a.group("learner", learner_); }
///     };
///
/// A recipe owns its models and learners. Adversarial training calls several learners in `train`.
/// There are no callbacks: what happens per epoch is decided from `StepContext`.

#include "hodo/base/random.hh"
#include "hodo/train/archive.hh"
#include "hodo/train/scalars.hh"

#include <cstdint>
#include <string_view>

namespace hodo::train {

class Ranks;

/// What `train` and `validate` return. The scalars of a training step must be finite: the loop
/// stops otherwise. Over a validation pass scalars are averaged with `examples` as weights.
struct Step {
    Scalars scalars;
    std::int64_t examples = 0;
};

/// Where in the run a step stands. Indices count from 0.
struct StepContext {
    std::int64_t step = 0;          ///< Steps done before this one.
    std::int64_t total_steps = 0;   ///< Steps of the whole run.
    std::int64_t epoch = 0;         ///< Passes over the data done before this one.
    std::int64_t total_epochs = 0;  ///< Passes of the whole run, a begun one included.
    std::int64_t epoch_step = 0;    ///< Index of this batch in its epoch.
    std::int64_t epoch_steps = 1;  ///< Batches per epoch: ceil(size / batch), or floor (drop_last).
    std::int64_t dataset_size = 0;  ///< Rows of the training data.
    std::int64_t batch_size = 0;    ///< As configured, of all ranks (the last may be smaller).
    /// The part of the batch's examples that is here: 1 without company, 0 for a rank that works
    /// along on a batch too small for all. Learners multiply losses by it and add gradients over
    /// ranks, so a loss that is a mean over examples needs no care; one that is a sum is divided
    /// by it.
    double share = 1;
    /// Number of the first example here: in the whole batch, and while validating in the whole set.
    std::int64_t first_example = 0;
    std::uint64_t seed = 0;
    /// Means of the latest validation pass and how many passes there were.
    const Scalars* validation = nullptr;
    std::int64_t validations = 0;
    Ranks* ranks = nullptr;  ///< May be null for a single process.

    bool first_of_epoch() const { return epoch_step == 0; }
    bool last_of_epoch() const { return epoch_step + 1 == epoch_steps; }
    /// A random stream of this step and purpose: the same after a resume.
    base::Random random(std::string_view purpose) const {
        return base::Random(seed, purpose, static_cast<std::uint64_t>(step));
    }
};

template <class Batch>
class Recipe {
  public:
    virtual ~Recipe() = default;
    virtual Step train(const Batch& batch, const StepContext& context) = 0;
    /// No learning here; the loop has switched gradients off.
    virtual Step validate(const Batch& batch, const StepContext& context) = 0;
    /// Everything that must survive a stop: learners, buffers, counters.
    virtual void state(Archive& archive) = 0;
};

}  // namespace hodo::train
