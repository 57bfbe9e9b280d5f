#pragma once
/// Nine summary statistics of the photons of one optical module: an encoding without a network.
///
/// Order and meaning (charge = sum of weights, 1 per photon without weights; times [ns] relative
/// to the event's time zero):
///
///   0 charge               total
///   1 charge_100           within 100 ns of the module's first photon, the end included
///   2 charge_500           within 500 ns
///   3 first, 4 last        times of the first and the last photon
///   5 time_20, 6 time_50   first photon at which the collected charge exceeds 20 %, 50 %
///   7 mean, 8 deviation    charge-weighted mean time and its standard deviation
///
/// Reference: the definitions of the public package nt-summary-stats.

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "hodo/detector/optical/binning.hh"

namespace hodo::optical {

using Summary = std::array<double, 9>;

inline constexpr std::array<std::string_view, 9> summary_names{
    "charge",  "charge_100", "charge_500", "first",    "last",
    "time_20", "time_50",    "mean",       "deviation"};

/// The statistics of one module. `weights` is empty or as long as `times`. All zero without
/// photons; mean and deviation 0 when the charge is 0.
Summary summarize(std::span<const double> times, std::span<const double> weights);

/// The statistics of every module hit in a block of events.
struct ModuleSummaries {
    std::vector<std::int64_t> event;  ///< Per module: index of its event in the block.
    std::vector<ModuleId> id;
    std::vector<Point> position;  ///< [m]
    std::vector<Summary> values;

    std::int64_t size() const { return static_cast<std::int64_t>(id.size()); }
};

/// With `per_module` time zero, times are relative to the module's own first photon.
ModuleSummaries summarize_modules(const Events& events, const TimeZero& time_zero,
                                  ModuleOrder order);

}  // namespace hodo::optical
