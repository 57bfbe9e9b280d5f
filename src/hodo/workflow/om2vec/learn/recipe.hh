#pragma once
/// What one training step of om2vec is.

#include "hodo/train/learner.hh"
#include "hodo/train/recipe.hh"
#include "hodo/workflow/om2vec/learn/model.hh"
#include "hodo/workflow/om2vec/options.hh"

namespace hodo::om2vec {

/// Minimises reconstruction + beta kl (see loss.hh) of a batch of modules.
///
/// A batch is worked on in parts of a few modules whose gradients add up, so that memory is bounded
/// by the part; dropout and latent noise are numbered through the whole batch, so the result does
/// not depend on how it is cut beyond the order of sums.
class VaeRecipe final : public train::Recipe<Batch> {
  public:
    VaeRecipe(const TrainOptions& options, at::Device device);

    /// Scalars: loss, reco, kl, beta, rate, gradient_norm.
    train::Step train(const Batch& batch, const train::StepContext& context) override;
    /// Scalars: loss, reco, kl, js (Jensen-Shannon distance with a sampled latent). Uses the
    /// averaged weights once there are any.
    train::Step validate(const Batch& batch, const train::StepContext& context) override;
    void state(train::Archive& archive) override { archive.group("learner", learner_); }

    Model& model() { return model_; }
    train::Learner& learner() { return learner_; }

  private:
    TrainOptions options_;
    Model model_;
    train::Learner learner_;
};

}  // namespace hodo::om2vec
