#include "hodo/train/learner.hh"

#include <algorithm>
#include <array>
#include <cmath>

#include "hodo/tensor/torch.hh"
#include "hodo/train/ranks.hh"
#include "hodo/train/session.hh"

namespace hodo::train {

NonFinite::NonFinite(std::string learner, std::string scalar, double value, Seen seen)
    : base::Error(learner.empty()
                      ? base::format("the scalar '{}' is {}", scalar, value)
                      : base::format("the {} of learner '{}' is {}", scalar, learner, value)),
      learner_(std::move(learner)),
      scalar_(std::move(scalar)),
      seen_(seen) {}

namespace {

/// The ranks of a step that has company, else null.
Ranks* company(const StepContext& context) {
    return context.ranks != nullptr && context.ranks->size() > 1 ? context.ranks : nullptr;
}

}  // namespace

Learner::Learner(std::string name, std::vector<tensor::NamedParameter> parameters,
                 const LearnerOptions& options)
    : name_(std::move(name)),
      parameters_(std::move(parameters)),
      options_(options),
      optimizer_(parameters_, options.optimizer),
      schedule_(options.schedule),
      average_(parameters_, options.average) {
    HODO_DOOR(!parameters_.empty());
    for (const auto& parameter : parameters_) parameter.tensor->set_requires_grad(true);
}

Update Learner::update(const at::Tensor& loss, const StepContext& context) {
    add_gradients(loss, context, company(context));
    return step(context);
}

void Learner::gather(const at::Tensor& loss, const StepContext& context) {
    add_gradients(loss, context, nullptr);
}

void Learner::add_gradients(const at::Tensor& loss, const StepContext& context, Ranks* last) {
    HODO_DOOR(loss.defined() && loss.numel() == 1);
    forget_restored(context);
    const auto value = loss.detach().to(at::kDouble).item<double>();
    if (!std::isfinite(value)) throw NonFinite(name_, "loss", value);
    std::vector<at::Tensor> inputs;
    for (const auto& parameter : parameters_) inputs.push_back(*parameter.tensor);
    auto part = options_.accumulate > 1 ? loss / options_.accumulate : loss;
    if (context.share != 1.0) part = part * context.share;
    if (last != nullptr) exchange().begin(*last);
    part.backward({}, {}, false, at::TensorList(inputs));
}

Update Learner::step(const StepContext& context) {
    forget_restored(context);
    average_.before_update(context);
    Update done;
    done.rate = options_.optimizer.rate * schedule_.factor(context);
    auto* const ranks = company(context);
    if (ranks != nullptr) exchange_gradients(*ranks);
    if (++accumulated_ < options_.accumulate) {
        // The sum waits on one rank, so that the next exchange does not add it several times.
        if (ranks != nullptr && !ranks->first()) clear_gradients();
        return done;
    }
    done.gradient_norm = gradient_norm(parameters_);
    if (!std::isfinite(done.gradient_norm)) {
        --accumulated_;
        throw NonFinite(name_, "gradient norm", done.gradient_norm,
                        ranks == nullptr ? Seen::here : look_for_cause(*ranks));
    }
    const double scale = options_.clip > 0 ? clip_factor(done.gradient_norm, options_.clip) : 1.0;
    optimizer_.step(done.rate, scale);
    clear_gradients();
    accumulated_ = 0;
    bad_since_.reset();
    done.stepped = true;
    average_.after_update(context);
    return done;
}

GradientExchange& Learner::exchange() {
    if (!exchange_) exchange_.emplace(parameters_);
    return *exchange_;
}

void Learner::exchange_gradients(Ranks& ranks) {
    exchange().finish(ranks);
    if (!bad_since_ && !exchange().own_are_finite()) bad_since_ = accumulated_;
}

/// Whether the gradients of this rank went wrong first. All ranks ask together; of sums that wait,
/// which rank 0 has, it is not the cause. Where only the sum is too large, rank 0 is named.
Seen Learner::look_for_cause(Ranks& ranks) const {
    constexpr double never = 1e18;
    const std::array<double, 1> mine{bad_since_ ? static_cast<double>(*bad_since_) : never};
    const auto all = train::gather(&ranks, mine);
    const auto cause = std::min_element(all.begin(), all.end()) - all.begin();
    return cause == ranks.rank() ? Seen::here : Seen::elsewhere;
}

/// Of gradients that a checkpoint brought to all ranks one copy counts.
void Learner::forget_restored(const StepContext& context) {
    const auto* const ranks = company(context);
    if (restored_ && ranks != nullptr && !ranks->first()) clear_gradients();
    restored_ = false;
}

void Learner::clear_gradients() {
    for (const auto& parameter : parameters_) parameter.tensor->mutable_grad() = at::Tensor();
}

void Learner::state(Archive& archive) {
    archive("accumulated", accumulated_);
    restored_ = archive.loading();
    for (const auto& parameter : parameters_) {
        archive("parameters." + parameter.name, *parameter.tensor);
        auto& gradient = parameter.tensor->mutable_grad();
        if (archive.loading()) gradient = at::Tensor();
        if (accumulated_ == 0) continue;
        archive("gradients." + parameter.name, gradient);
        if (gradient.defined()) gradient = gradient.to(parameter.tensor->device());
    }
    archive.group("optimizer", optimizer_);
    archive.group("schedule", schedule_);
    archive.group("average", average_);
}

}  // namespace hodo::train
