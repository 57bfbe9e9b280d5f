#pragma once
/// How strongly the latents are drawn towards the prior, step by step.
///
/// The loss is reconstruction + beta kl. With T = steps to the peak, after step i (i = 0, 1, ...)
/// beta becomes factor (1 + cos(pi (i / T - 1))) / 2; before step 0 it is 0. So steps 0 and 1 use 0
/// and step i uses the value of i - 1.
///
///   om2vec   the formula for all i, as published: past T it comes down again, with period 2 T
///   clamped  from i = T on beta stays at `factor`

#include "hodo/base/fields.hh"

#include <array>
#include <cstdint>
#include <string_view>

namespace hodo::om2vec {

/// Whether the divergences of a batch's modules are averaged or summed.
enum class KlReduction { mean, sum };
constexpr auto names(KlReduction) {
    return std::array<std::string_view, 2>{"mean", "sum"};
}

enum class BetaRule { clamped, om2vec };
constexpr auto names(BetaRule) {
    return std::array<std::string_view, 2>{"clamped", "om2vec"};
}

struct BetaSchedule {
    BetaRule rule = BetaRule::clamped;
    double factor = 1e-5;          ///< beta at the peak.
    std::int64_t peak_epoch = 20;  ///< Epochs until the peak.

    void describe(base::Fields& f);
    /// T = ceil(examples / batch) peak_epoch, at least 1.
    std::int64_t steps_to_peak(std::int64_t examples, std::int64_t batch) const;
    /// beta used in step `step` = 0, 1, ...
    double value(std::int64_t step, std::int64_t steps_to_peak) const;
};

}  // namespace hodo::om2vec
