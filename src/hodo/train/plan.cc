#include "hodo/train/plan.hh"

#include <algorithm>
#include <limits>

#include "hodo/base/error.hh"
#include "hodo/train/ranks.hh"

namespace hodo::train {

std::int64_t Plan::total_steps(std::int64_t epoch_steps) const {
    return steps > 0 ? steps : epochs * epoch_steps;
}

Clock::Clock(const Plan& plan, const Order& order, std::uint64_t seed, Ranks* ranks)
    : plan_(plan),
      epoch_steps_(std::max<std::int64_t>(1, order.batches())),
      total_steps_(plan.total_steps(epoch_steps_)),
      dataset_size_(order.size()),
      batch_size_(order.batch_size()),
      seed_(seed),
      ranks_(ranks),
      best_(plan.better == Better::smaller ? std::numeric_limits<double>::infinity()
                                           : -std::numeric_limits<double>::infinity()) {}

StepContext Clock::context() const {
    StepContext context;
    context.step = step_;
    context.total_steps = total_steps_;
    context.epoch = epoch();
    context.total_epochs = (total_steps_ + epoch_steps_ - 1) / epoch_steps_;
    context.epoch_step = step_ % epoch_steps_;
    context.epoch_steps = epoch_steps_;
    context.dataset_size = dataset_size_;
    context.batch_size = batch_size_;
    context.seed = seed_;
    context.validation = validations_ > 0 ? &validation_ : nullptr;
    context.validations = validations_;
    context.ranks = ranks_;
    const auto rows = std::min(batch_size_, dataset_size_ - context.epoch_step * batch_size_);
    const auto part =
        part_of_batch(rows, ranks_ == nullptr ? Share{} : Share{ranks_->rank(), ranks_->size()});
    context.share = part.part();
    context.first_example = part.first;
    return context;
}

void Clock::advance(std::int64_t examples) {
    ++step_;
    examples_ += examples;
}

bool Clock::due(std::int64_t every) const {
    return step_ % (every > 0 ? every : epoch_steps_) == 0 || step_ >= total_steps_;
}

bool Clock::note_validation(const Scalars& means) {
    ++validations_;
    validation_ = means;
    if (means.empty()) return false;
    const auto value = means.find(plan_.metric);
    if (!value) {
        std::vector<std::string> known;
        for (const auto& [name, number] : means.entries()) known.push_back(name);
        base::fail("validation reports no scalar '{}'{}; set metric to one of {}", plan_.metric,
                   base::did_you_mean(plan_.metric, known), base::join(known, ", "));
    }
    const double gain = plan_.better == Better::smaller ? best_ - *value : *value - best_;
    if (gain > plan_.min_change) {
        best_ = *value;
        best_step_ = step_;
        waited_ = 0;
        return true;
    }
    ++waited_;
    return false;
}

void Clock::state(Archive& archive) {
    archive("step", step_);
    archive("examples", examples_);
    archive("validations", validations_);
    archive("waited", waited_);
    archive("best_step", best_step_);
    archive("best", best_);
    archive.group("validation", validation_);
}

}  // namespace hodo::train
