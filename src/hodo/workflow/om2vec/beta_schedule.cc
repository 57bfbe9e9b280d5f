#include "hodo/workflow/om2vec/beta_schedule.hh"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "hodo/base/error.hh"

namespace hodo::om2vec {

void BetaSchedule::describe(base::Fields& f) {
    f("rule", rule, "whether beta stays at its peak or follows the published cosine");
    f("factor", factor, "weight of the latent (KL) term at the peak").at_least(0);
    f("peak_epoch", peak_epoch, "epochs until the peak").at_least(0);
}

std::int64_t BetaSchedule::steps_to_peak(std::int64_t examples, std::int64_t batch) const {
    HODO_DOOR(examples >= 0 && batch >= 1);
    return std::max<std::int64_t>(1, (examples + batch - 1) / batch * peak_epoch);
}

double BetaSchedule::value(std::int64_t step, std::int64_t steps_to_peak) const {
    HODO_DOOR(step >= 0 && steps_to_peak >= 1);
    if (step == 0) return 0.0;
    if (rule == BetaRule::clamped && step - 1 >= steps_to_peak) return factor;
    const double phase = static_cast<double>(step - 1) / static_cast<double>(steps_to_peak) - 1.0;
    return factor * (1.0 + std::cos(std::numbers::pi * phase)) / 2.0;
}

}  // namespace hodo::om2vec
