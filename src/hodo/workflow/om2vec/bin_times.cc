#include "hodo/workflow/om2vec/bin_times.hh"

#include "hodo/base/error.hh"

#include <algorithm>
#include <cmath>

namespace hodo::om2vec {

TimeInterval interval_of_bin(const optical::Binning& binning, std::int64_t bin) {
    HODO_DOOR(0 <= bin && bin < binning.width());
    const auto k = static_cast<double>(bin);
    switch (binning.rule) {
        case optical::BinningRule::om2vec:
            return {std::max(0.0, k - 1.0), k};
        case optical::BinningRule::floor: {
            const double bin_width = binning.window / static_cast<double>(binning.bins);
            if (bin == binning.bins) return {binning.window, binning.window};
            return {k * bin_width, (k + 1.0) * bin_width};
        }
        case optical::BinningRule::om2vec_literal:
            break;
    }
    base::fail(
        "binning rule om2vec-literal loses photons and cannot be turned back into times; use "
        "rule om2vec or floor");
}

std::vector<double> sample_times(std::span<const float> probability,
                                 const optical::Binning& binning, std::int64_t photons,
                                 base::Random& random) {
    HODO_DOOR(std::ssize(probability) == binning.width());
    std::vector<double> cumulative(probability.size());
    double sum = 0;
    for (std::size_t k = 0; k < probability.size(); ++k) cumulative[k] = sum += probability[k];
    HODO_CHECK(std::isfinite(sum) && sum > 0,
               "the decoded distribution is not a number (its sum is {}); check the latents", sum);
    std::vector<double> times;
    times.reserve(static_cast<std::size_t>(photons));
    for (std::int64_t i = 0; i < photons; ++i) {
        const double target = random.uniform() * sum;
        const auto place = std::upper_bound(cumulative.begin(), cumulative.end(), target);
        const auto bin = std::min(place - cumulative.begin(), std::ssize(cumulative) - 1);
        const auto interval = interval_of_bin(binning, bin);
        times.push_back(interval.end - (interval.end - interval.begin) * random.uniform());
    }
    std::sort(times.begin(), times.end());
    return times;
}

}  // namespace hodo::om2vec
