#include "hodo/train/schedule.hh"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "hodo/base/error.hh"

namespace hodo::train {

Schedule::Schedule(ScheduleOptions options)
    : options_(std::move(options)),
      best_(options_.better == Better::smaller ? std::numeric_limits<double>::infinity()
                                               : -std::numeric_limits<double>::infinity()) {}

void Schedule::adopt(const Plateau& stored) {
    plateau_ = stored.factor;
    best_ = stored.best;
    waited_ = stored.waited;
}

double Schedule::factor(const StepContext& context) {
    const auto by_epoch = options_.unit == ScheduleUnit::epoch;
    const auto now = by_epoch ? context.epoch : context.step;
    double factor = 1.0;
    switch (options_.kind) {
        case ScheduleKind::constant:
            break;
        case ScheduleKind::steps: {
            const auto& marks = options_.milestones;
            const auto reached = std::count_if(marks.begin(), marks.end(),
                                               [&](std::int64_t mark) { return mark <= now; });
            factor = std::pow(options_.factor, static_cast<double>(reached));
            break;
        }
        case ScheduleKind::cosine: {
            const auto whole = by_epoch ? context.total_epochs : context.total_steps;
            const auto length =
                std::max<std::int64_t>(1, options_.length > 0 ? options_.length : whole);
            const auto part =
                static_cast<double>(std::min(now, length)) / static_cast<double>(length);
            factor =
                options_.floor + (1 - options_.floor) * (1 + std::cos(std::numbers::pi * part)) / 2;
            break;
        }
        case ScheduleKind::plateau:
            observe(context);
            factor = plateau_;
            break;
    }
    if (context.step < options_.warmup) {
        factor *= static_cast<double>(context.step + 1) / static_cast<double>(options_.warmup);
    }
    return factor;
}

void Schedule::observe(const StepContext& context) {
    if (context.validations == seen_ || context.validation == nullptr) return;
    seen_ = context.validations;
    const auto value = context.validation->find(options_.metric);
    if (!value) {
        base::fail(
            "the schedule watches the validation scalar '{}', which validation does not "
            "report; set schedule.metric to one it reports",
            options_.metric);
    }
    const double margin = std::isinf(best_) ? 0.0 : std::abs(best_) * options_.threshold;
    const double gain = options_.better == Better::smaller ? best_ - *value : *value - best_;
    if (gain > margin) {
        best_ = *value;
        waited_ = 0;
        return;
    }
    if (++waited_ > options_.patience) {
        plateau_ = std::max(options_.floor, plateau_ * options_.factor);
        waited_ = 0;
    }
}

void Schedule::state(Archive& archive) {
    archive("plateau", plateau_);
    archive("best", best_);
    archive("seen", seen_);
    archive("waited", waited_);
}

}  // namespace hodo::train
