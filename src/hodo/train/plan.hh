#pragma once
/// How long a run lasts, and what happens how often.

#include "hodo/base/fields.hh"
#include "hodo/train/order.hh"
#include "hodo/train/recipe.hh"

#include <cstdint>
#include <string>

namespace hodo::train {

/// Lengths count in steps; 0 stands for "once per epoch" (every) or "not limited by" (length).
struct Plan {
    std::int64_t epochs = 1;
    std::int64_t steps = 0;
    std::int64_t validate_every = 0;
    std::int64_t save_every = 0;
    std::string metric = "loss";
    Better better = Better::smaller;
    int patience = 0;
    double min_change = 0.0;
    void describe(base::Fields& f);

    /// Steps of the whole run.
    std::int64_t total_steps(std::int64_t epoch_steps) const;
};

/// Where a run stands: what the loop itself must remember.
class Clock {
  public:
    Clock(const Plan& plan, const Order& order, std::uint64_t seed, Ranks* ranks);

    /// Of the step that comes next. Valid until the clock changes.
    StepContext context() const;
    std::int64_t step() const { return step_; }
    std::int64_t epoch() const { return step_ / epoch_steps_; }
    /// Epoch of the step done last (0 before the first).
    std::int64_t epoch_of_last_step() const { return step_ > 0 ? (step_ - 1) / epoch_steps_ : 0; }
    std::int64_t total_steps() const { return total_steps_; }
    std::int64_t examples() const { return examples_; }
    /// All steps done, or the validation metric has not improved for `patience` passes.
    bool finished() const { return step_ >= total_steps_ || stopped_early(); }
    bool stopped_early() const { return plan_.patience > 0 && waited_ > plan_.patience; }

    /// After a step.
    void advance(std::int64_t examples);
    bool due_to_validate() const { return due(plan_.validate_every); }
    bool due_to_save() const { return due(plan_.save_every); }

    /// Takes note of a validation pass; whether it is the best so far.
    bool note_validation(const Scalars& means);
    const Scalars& validation() const { return validation_; }
    double best() const { return best_; }
    std::int64_t best_step() const { return best_step_; }
    void state(Archive& archive);

  private:
    bool due(std::int64_t every) const;
    Plan plan_;
    std::int64_t epoch_steps_, total_steps_, dataset_size_, batch_size_;
    std::uint64_t seed_;
    Ranks* ranks_;
    std::int64_t step_ = 0, examples_ = 0, validations_ = 0, waited_ = 0, best_step_ = -1;
    double best_ = 0;
    Scalars validation_;
};

}  // namespace hodo::train
