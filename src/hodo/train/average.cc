#include "hodo/train/average.hh"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "hodo/tensor/torch.hh"

namespace hodo::train {

struct Average::Body {
    std::vector<tensor::NamedParameter> parameters;
    AverageOptions options;
    std::vector<at::Tensor> means;
    std::int64_t count = 0;
    std::int64_t last_epoch = -1;   ///< Epoch of the latest update.
    std::int64_t noted_epoch = -1;  ///< Latest epoch whose parameters entered (swa).

    std::int64_t start_epoch(const StepContext& context) const {
        const auto first =
            static_cast<std::int64_t>(options.start * static_cast<double>(context.total_epochs));
        return options.times == SwaTimes::lightning ? std::max<std::int64_t>(0, first - 1) : first;
    }

    /// mean += (p - mean) * weight; the first time the mean becomes p.
    void enter(double weight) {
        const at::NoGradGuard no_gradients;
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            const auto& parameter = *parameters[i].tensor;
            if (count == 0) {
                means[i].copy_(parameter);
            } else {
                means[i].add_(parameter - means[i], weight);
            }
        }
        ++count;
    }
    void enter_epoch(std::int64_t epoch) {
        enter(1.0 / static_cast<double>(count + 1));
        noted_epoch = epoch;
    }
};

Average::Average(std::vector<tensor::NamedParameter> parameters, const AverageOptions& options)
    : body_(std::make_unique<Body>()) {
    body_->options = options;
    if (options.kind == AverageKind::none) return;
    body_->parameters = std::move(parameters);
    const at::NoGradGuard no_gradients;
    for (const auto& parameter : body_->parameters) {
        body_->means.push_back(at::zeros_like(*parameter.tensor).detach());
    }
}

Average::~Average() = default;
Average::Average(Average&&) noexcept = default;

void Average::before_update(const StepContext& context) {
    auto& body = *body_;
    if (body.options.kind != AverageKind::swa) return;
    const bool new_epoch = context.epoch > body.last_epoch;
    const auto start = body.start_epoch(context);
    if (new_epoch && body.options.times == SwaTimes::lightning && context.epoch >= start) {
        body.enter_epoch(context.epoch);
    }
    // A learner that was not updated in the last step of an epoch is averaged before its next one.
    if (new_epoch && body.options.times == SwaTimes::epoch_end && body.last_epoch >= start &&
        body.noted_epoch < body.last_epoch) {
        body.enter_epoch(body.last_epoch);
    }
    body.last_epoch = context.epoch;
}

void Average::after_update(const StepContext& context) {
    auto& body = *body_;
    if (body.options.kind == AverageKind::ema) body.enter(1.0 - body.options.decay);
    if (body.options.kind == AverageKind::swa && body.options.times == SwaTimes::epoch_end &&
        context.last_of_epoch() && context.epoch >= body.start_epoch(context)) {
        body.enter_epoch(context.epoch);
    }
}

std::int64_t Average::count() const {
    return body_->count;
}

void Average::swap() {
    if (body_->count == 0) return;
    const at::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < body_->parameters.size(); ++i) {
        auto& parameter = *body_->parameters[i].tensor;
        const auto kept = parameter.detach().clone();
        parameter.copy_(body_->means[i]);
        body_->means[i].copy_(kept);
    }
}

void Average::state(Archive& archive) {
    archive("count", body_->count);
    archive("last_epoch", body_->last_epoch);
    archive("noted_epoch", body_->noted_epoch);
    for (std::size_t i = 0; i < body_->parameters.size(); ++i) {
        archive("mean." + body_->parameters[i].name, body_->means[i]);
    }
}

}  // namespace hodo::train
