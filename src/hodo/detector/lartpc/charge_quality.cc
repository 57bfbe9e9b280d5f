#include "hodo/detector/lartpc/charge_quality.hh"

#include "hodo/base/error.hh"

#include <algorithm>
#include <cmath>

namespace hodo::lartpc {

namespace {

constexpr int ratio_steps = 100;  // per unit of the ratio
constexpr int largest_ratio = 100 * ratio_steps;

/// The ratio below which a part of the counts lies, linear within a step.
double quantile(const std::map<int, std::int64_t>& counts, std::int64_t all, double part) {
    const double wanted = part * static_cast<double>(all);
    double sum = 0;
    for (const auto& [step, count] : counts) {
        const auto n = static_cast<double>(count);
        if (sum + n >= wanted) return (step + (wanted - sum) / n) / ratio_steps;
        sum += n;
    }
    return static_cast<double>(counts.rbegin()->first + 1) / ratio_steps;
}

int floor_of(double value) {
    return static_cast<int>(std::floor(value));
}

}  // namespace

void ChargeQuality::add(std::span<const float> truth, std::span<const float> predicted) {
    HODO_DOOR(truth.size() == predicted.size());
    for (std::size_t i = 0; i < truth.size(); ++i) {
        const auto expected = static_cast<double>(truth[i]);
        const auto found = static_cast<double>(predicted[i]);
        ++voxels_;
        error_ += found - expected;
        square_ += (found - expected) * (found - expected);
        true_sum_ += expected;
        predicted_sum_ += found;
        if (!(expected > 0)) {
            ++ghosts_;
            on_ghosts_ += found;
            continue;
        }
        const double decade = std::log10(expected);
        const double ratio = std::clamp(found / expected * ratio_steps, -double{largest_ratio},
                                        double{largest_ratio});
        ++ratios_[floor_of(decade * bins_per_decade)][floor_of(ratio)];
        if (found > 0) {
            ++cells_[{floor_of(decade * cells_per_decade),
                      floor_of(std::log10(found) * cells_per_decade)}];
        }
    }
}

std::vector<ChargeBin> ChargeQuality::bins() const {
    std::vector<ChargeBin> bins;
    for (const auto& [place, counts] : ratios_) {
        ChargeBin bin{.low = std::pow(10.0, static_cast<double>(place) / bins_per_decade),
                      .high = std::pow(10.0, static_cast<double>(place + 1) / bins_per_decade)};
        for (const auto& [step, count] : counts) bin.voxels += count;
        bin.bias = quantile(counts, bin.voxels, 0.5) - 1;
        bin.width = (quantile(counts, bin.voxels, 0.84) - quantile(counts, bin.voxels, 0.16)) / 2;
        bins.push_back(bin);
    }
    return bins;
}

double ChargeQuality::mean_error() const {
    return voxels_ > 0 ? error_ / static_cast<double>(voxels_) : 0;
}

double ChargeQuality::deviation() const {
    if (voxels_ == 0) return 0;
    const double mean = mean_error();
    return std::sqrt(std::max(0.0, square_ / static_cast<double>(voxels_) - mean * mean));
}

double ChargeQuality::mean_on_ghosts() const {
    return ghosts_ > 0 ? on_ghosts_ / static_cast<double>(ghosts_) : 0;
}

double ChargeQuality::sum_ratio() const {
    return true_sum_ > 0 ? predicted_sum_ / true_sum_ : 0;
}

}  // namespace hodo::lartpc
