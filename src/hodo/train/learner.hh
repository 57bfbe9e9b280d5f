#pragma once
/// A learner: parameters and everything that changes them.
///
/// It owns backward, gradient exchange between ranks, clipping, accumulation, the optimizer, its
/// schedule and the averages of the parameters. A recipe has one, or several for opponents: an
/// update computes gradients for this learner's parameters only.

#include "hodo/base/error.hh"
#include "hodo/base/fields.hh"
#include "hodo/tensor/autocast.hh"
#include "hodo/tensor/parameters.hh"
#include "hodo/train/average.hh"
#include "hodo/train/exchange.hh"
#include "hodo/train/optimizer.hh"
#include "hodo/train/recipe.hh"
#include "hodo/train/schedule.hh"

#include <optional>
#include <string>
#include <vector>

namespace hodo::train {

struct LearnerOptions {
    OptimizerOptions optimizer;
    ScheduleOptions schedule;
    AverageOptions average;
    double clip = 0.0;
    int accumulate = 1;
    tensor::Precision precision = tensor::Precision::float32;
    void describe(base::Fields& f);
};

/// Where a number that is not finite comes from: the batch of this rank, or that of another one,
/// which tells of it.
enum class Seen { here, elsewhere };

/// A loss, gradient norm or reported scalar was NaN or infinite. The loop keeps the batch.
class NonFinite : public base::Error {
  public:
    NonFinite(std::string learner, std::string scalar, double value, Seen seen = Seen::here);
    Seen seen() const { return seen_; }
    const std::string& learner() const { return learner_; }
    const std::string& scalar() const { return scalar_; }

  private:
    std::string learner_, scalar_;
    Seen seen_;
};

/// What an update did.
struct Update {
    bool stepped = false;      ///< False while gradients accumulate.
    double gradient_norm = 0;  ///< Before clipping; 0 while gradients accumulate.
    double rate = 0;           ///< Learning rate of this update.
};

class Learner {
  public:
    /// Parameters keep their handles; each is made to require a gradient.
    Learner(std::string name, std::vector<tensor::NamedParameter> parameters,
            const LearnerOptions& options);

    /// `gather`, then `step`. With several ranks gradients travel while backward still runs.
    Update update(const at::Tensor& loss, const StepContext& context);

    /// Adds the gradients of `loss` (a scalar tensor): one part of a batch that is too large to be
    /// worked on at once; the last part is for `update`. Throws `NonFinite` for a loss that is not
    /// finite.
    void gather(const at::Tensor& loss, const StepContext& context);
    /// A step of the optimizer on the gathered gradients; with accumulation it happens every
    /// `accumulate` calls, on the mean of their gradients. Throws `NonFinite` before any parameter
    /// has changed.
    Update step(const StepContext& context);

    /// Guard for the forward pass, by the learner's precision.
    tensor::Precision precision() const { return options_.precision; }
    const std::string& name() const { return name_; }
    const std::vector<tensor::NamedParameter>& parameters() const { return parameters_; }
    const Average& average() const { return average_; }

    /// Goes on with the optimizer of a PyTorch checkpoint (see Optimizer::adopt).
    void adopt(const io::OptimizerState& stored) { optimizer_.adopt(stored); }
    /// The optimizer's state as a PyTorch checkpoint keeps it (see Optimizer::exported).
    io::OptimizerState optimizer_state() const { return optimizer_.exported(); }
    Schedule& schedule() { return schedule_; }
    const Schedule& schedule() const { return schedule_; }

    /// Exchanges parameters and their average (see `AveragedWeights`).
    void swap_average() { average_.swap(); }
    /// Parameters, gradients that wait, optimizer, schedule, averages.
    void state(Archive& archive);

  private:
    GradientExchange& exchange();
    void exchange_gradients(Ranks& ranks);
    Seen look_for_cause(Ranks& ranks) const;
    void forget_restored(const StepContext& context);
    void add_gradients(const at::Tensor& loss, const StepContext& context, Ranks* last);
    void clear_gradients();
    std::string name_;
    std::vector<tensor::NamedParameter> parameters_;
    LearnerOptions options_;
    Optimizer optimizer_;
    Schedule schedule_;
    Average average_;
    std::optional<GradientExchange> exchange_;  ///< Made when there are several ranks.
    std::int64_t accumulated_ = 0;
    std::optional<std::int64_t> bad_since_;  ///< `accumulated_` when our gradients went wrong.
    bool restored_ = false;  ///< Gradients that wait come from an archive: all ranks have them.
};

/// While it lives, the learner's parameters hold their average (if there is one yet).
class AveragedWeights {
  public:
    explicit AveragedWeights(Learner& learner) : learner_(learner) { learner_.swap_average(); }
    ~AveragedWeights() { learner_.swap_average(); }
    AveragedWeights(const AveragedWeights&) = delete;
    AveragedWeights& operator=(const AveragedWeights&) = delete;

  private:
    Learner& learner_;
};

}  // namespace hodo::train
