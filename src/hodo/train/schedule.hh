#pragma once
/// How the learning rate changes: a factor on the base rate.
///
///   constant  1
///   steps     factor^k, k = milestones reached (PyTorch's MultiStepLR)
///   cosine    floor + (1 - floor) (1 + cos(pi t / T)) / 2, T = `length` or the whole run; floor
///             after T
///   plateau   multiplied by `factor` when `metric` has not improved for more than `patience`
///             validation passes (PyTorch's ReduceLROnPlateau with threshold in relative mode);
///             `better` says in which direction it improves
/// t and the milestones count epochs or steps (`unit`). During the first `warmup` steps the factor
/// is also multiplied by (step + 1) / warmup.

#include "hodo/base/fields.hh"
#include "hodo/train/recipe.hh"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::train {

enum class ScheduleKind { constant, steps, cosine, plateau };
constexpr auto names(ScheduleKind) {
    return std::array<std::string_view, 4>{"constant", "steps", "cosine", "plateau"};
}
enum class ScheduleUnit { epoch, step };
constexpr auto names(ScheduleUnit) {
    return std::array<std::string_view, 2>{"epoch", "step"};
}

struct ScheduleOptions {
    ScheduleKind kind = ScheduleKind::constant;
    ScheduleUnit unit = ScheduleUnit::epoch;
    std::vector<std::int64_t> milestones;
    double factor = 0.1;
    std::int64_t length = 0;
    double floor = 0.0;
    std::int64_t warmup = 0;
    std::string metric = "loss";
    Better better = Better::smaller;
    int patience = 10;
    double threshold = 1e-4;
    void describe(base::Fields& f);
};

class Schedule {
  public:
    explicit Schedule(ScheduleOptions options);
    /// The factor at this step. Plateau takes note of a validation pass it has not seen.
    double factor(const StepContext& context);
    void state(Archive& archive);

    /// What a plateau schedule remembers.
    struct Plateau {
        double factor = 1.0, best = 0.0;
        std::int64_t validations = 0, waited = 0;
    };
    Plateau plateau() const { return {plateau_, best_, seen_, waited_}; }
    /// Goes on with what another run remembered; its validations were not seen by this one.
    void adopt(const Plateau& stored);

  private:
    void observe(const StepContext& context);
    ScheduleOptions options_;
    double plateau_ = 1.0, best_;
    std::int64_t seen_ = 0, waited_ = 0;
};

}  // namespace hodo::train
