#include "hodo/train/learner.hh"

#include <cmath>

#include "hodo/tensor/torch.hh"
#include "hodo/train/ranks.hh"

namespace hodo::train {

NonFinite::NonFinite(std::string learner, std::string scalar, double value)
    : base::Error(learner.empty()
                      ? base::format("the scalar '{}' is {}", scalar, value)
                      : base::format("the {} of learner '{}' is {}", scalar, learner, value)),
      learner_(std::move(learner)),
      scalar_(std::move(scalar)) {}

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
    gather(loss);
    return step(context);
}

void Learner::gather(const at::Tensor& loss) {
    HODO_DOOR(loss.defined() && loss.numel() == 1);
    const auto value = loss.detach().to(at::kDouble).item<double>();
    if (!std::isfinite(value)) throw NonFinite(name_, "loss", value);
    std::vector<at::Tensor> inputs;
    for (const auto& parameter : parameters_) inputs.push_back(*parameter.tensor);
    const auto share = options_.accumulate > 1 ? loss / options_.accumulate : loss;
    share.backward({}, {}, false, at::TensorList(inputs));
}

Update Learner::step(const StepContext& context) {
    average_.before_update(context);
    Update done;
    done.rate = options_.optimizer.rate * schedule_.factor(context);
    if (++accumulated_ < options_.accumulate) return done;
    exchange_gradients(context);
    done.gradient_norm = gradient_norm(parameters_);
    if (!std::isfinite(done.gradient_norm)) {
        --accumulated_;
        throw NonFinite(name_, "gradient norm", done.gradient_norm);
    }
    const double scale = options_.clip > 0 ? clip_factor(done.gradient_norm, options_.clip) : 1.0;
    optimizer_.step(done.rate, scale);
    clear_gradients();
    accumulated_ = 0;
    done.stepped = true;
    average_.after_update(context);
    return done;
}

/// Replaces the gradients by their mean over ranks, in one message.
void Learner::exchange_gradients(const StepContext& context) {
    if (context.ranks == nullptr || context.ranks->size() == 1) return;
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> flat;
    for (const auto& parameter : parameters_) {
        const auto& gradient = parameter.tensor->grad();
        if (gradient.defined()) flat.push_back(gradient.reshape({-1}));
    }
    if (flat.empty()) return;
    auto message = at::cat(flat);
    context.ranks->sum(message);
    message.div_(context.ranks->size());
    std::int64_t offset = 0;
    for (const auto& parameter : parameters_) {
        auto& gradient = parameter.tensor->mutable_grad();
        if (!gradient.defined()) continue;
        gradient.copy_(message.narrow(0, offset, gradient.numel()).view(gradient.sizes()));
        offset += gradient.numel();
    }
}

void Learner::clear_gradients() {
    for (const auto& parameter : parameters_) parameter.tensor->mutable_grad() = at::Tensor();
}

void Learner::state(Archive& archive) {
    archive("accumulated", accumulated_);
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
