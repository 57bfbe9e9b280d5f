#pragma once
/// The small parts of the loop that do not depend on the batch.

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"
#include "hodo/tensor/failure.hh"
#include "hodo/train/order.hh"
#include "hodo/train/recipe.hh"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hodo::train {

/// The run was asked to stop and has saved its state; the program ends with exit code 130.
class Interrupted : public base::Error {
  public:
    Interrupted(std::int64_t step, const base::Path& folder);
};

/// While it lives, tensors record no gradients on this thread.
class NoGradients {
  public:
    NoGradients();
    ~NoGradients();
    NoGradients(const NoGradients&) = delete;
    NoGradients& operator=(const NoGradients&) = delete;

  private:
    bool before_;
};

/// Error with a remedy when a source has no batch to offer.
void require_rows(const Order& order);
/// Throws `NonFinite` for the first scalar that is NaN or infinite.
void require_finite(const Scalars& scalars);
/// Seeds LibTorch's generators from (seed, step): layers that draw from them repeat after a resume.
void begin_step(const StepContext& context);

/// The numbers of every rank, rank by rank; every rank gives as many. `ranks` may be null.
std::vector<double> gather(Ranks* ranks, std::span<const double> mine);
/// Replaces the scalars of a step by their means over ranks, weighted by examples, and counts the
/// examples of all. Scalars that are equal everywhere keep their value. Returns whether any rank
/// was asked to stop.
bool agree(const StepContext& context, Step& step, bool asked_to_stop);
/// Sums of all ranks, in their order.
void agree(Ranks* ranks, ScalarMeans& means);
/// " on rank 1 of 2"; nothing for a rank without company.
std::string place_of(const Ranks* ranks);
/// Error if ranks go on from different steps: they do not see the same folder.
void require_same_step(Ranks* ranks, std::int64_t step, const base::Path& folder);

/// Runs a step; an exception of LibTorch becomes ours and names the step.
template <class Work>
auto guarded_step(const StepContext& context, Work&& work) {
    return tensor::guarded(base::format("training step {}", context.step), work);
}

}  // namespace hodo::train
