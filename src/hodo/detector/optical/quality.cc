#include "hodo/detector/optical/quality.hh"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "hodo/base/error.hh"

namespace hodo::optical {

namespace {

constexpr double not_defined = std::numeric_limits<double>::quiet_NaN();

double sum_of(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

/// p ln(p / m) with 0 ln 0 = 0.
double relative_term(double p, double m) {
    return p > 0 ? p * std::log(p / m) : 0.0;
}

/// Cumulative sums [bins + 1], beginning with 0.
std::vector<double> cumulative(std::span<const double> values) {
    std::vector<double> sums(values.size() + 1, 0.0);
    for (std::size_t k = 0; k < values.size(); ++k) sums[k + 1] = sums[k] + values[k];
    return sums;
}

/// Position [bins] where cumulative sums reach `level`, the latest one on a flat part.
double position_of(const std::vector<double>& sums, double level) {
    const auto above = std::upper_bound(sums.begin(), sums.end(), level);
    if (above == sums.end()) return static_cast<double>(sums.size() - 1);
    const auto j = above - sums.begin() - 1;
    if (j < 0) return 0.0;
    const double low = *(above - 1);
    return static_cast<double>(j) + (level - low) / (*above - low);
}

}  // namespace

double jensen_shannon(std::span<const double> counts, std::span<const double> density) {
    HODO_DOOR(counts.size() == density.size());
    const double p_sum = sum_of(counts), q_sum = sum_of(density);
    if (!(p_sum > 0) || !(q_sum > 0)) return not_defined;
    double sum = 0;
    for (std::size_t k = 0; k < counts.size(); ++k) {
        const double p = counts[k] / p_sum, q = density[k] / q_sum;
        const double m = 0.5 * (p + q);
        sum += relative_term(p, m) + relative_term(q, m);
    }
    return std::sqrt(std::max(0.0, 0.5 * sum));
}

std::vector<double> summed(std::span<const double> values, std::int64_t factor) {
    HODO_DOOR(factor >= 1);
    const auto step = static_cast<std::size_t>(factor);
    std::vector<double> sums((values.size() + step - 1) / step, 0.0);
    for (std::size_t k = 0; k < values.size(); ++k) sums[k / step] += values[k];
    return sums;
}

std::vector<float> quantile_code(std::span<const double> counts, std::int64_t quantiles,
                                 CodeEnd end) {
    HODO_DOOR(quantiles >= 2);
    std::vector<float> code(static_cast<std::size_t>(quantiles), 0.0F);
    const auto sums = cumulative(counts);
    const double total = sums.back();
    if (!(total > 0)) return code;
    const double steps = static_cast<double>(quantiles - 1);
    for (std::size_t j = 0; j + 1 < code.size(); ++j) {
        code[j] = static_cast<float>(position_of(sums, total * static_cast<double>(j) / steps));
    }
    code.back() = static_cast<float>(counts.size());
    if (end == CodeEnd::last_photon) {
        const auto reached = std::lower_bound(sums.begin(), sums.end(), total);
        code.back() = static_cast<float>(reached - sums.begin());
    }
    return code;
}

std::vector<double> density_of_quantiles(std::span<const float> code, std::int64_t bins) {
    HODO_DOOR(code.size() >= 2 && bins >= 1);
    const double steps = static_cast<double>(code.size() - 1);
    std::size_t j = 0;
    const auto cumulative_at = [&](double edge) {
        while (j + 1 < code.size() && static_cast<double>(code[j + 1]) <= edge) ++j;
        if (edge < static_cast<double>(code[0])) return 0.0;
        if (j + 1 == code.size()) return 1.0;
        const double low = static_cast<double>(code[j]), high = static_cast<double>(code[j + 1]);
        return (static_cast<double>(j) + (edge - low) / (high - low)) / steps;
    };
    std::vector<double> density(static_cast<std::size_t>(bins));
    double before = 0;
    for (std::size_t k = 0; k < density.size(); ++k) {
        const double now = cumulative_at(static_cast<double>(k + 1));
        density[k] = std::max(0.0, now - before);
        before = now;
    }
    return density;
}

std::vector<double> equal_bins(std::span<const double> counts, std::int64_t groups) {
    HODO_DOOR(groups >= 1);
    const std::size_t bins = counts.size();
    const auto count = static_cast<std::size_t>(groups);
    std::vector<double> density(bins);
    for (std::size_t g = 0; g < count; ++g) {
        const std::size_t begin = g * bins / count, end = (g + 1) * bins / count;
        if (begin == end) continue;
        const double mean =
            sum_of(counts.subspan(begin, end - begin)) / static_cast<double>(end - begin);
        for (std::size_t k = begin; k < end; ++k) density[k] = mean;
    }
    return density;
}

double log_likelihood_per_photon(std::span<const double> counts, std::span<const double> density,
                                 double floor) {
    HODO_DOOR(counts.size() == density.size() && floor >= 0 && floor <= 1);
    const double photons = sum_of(counts), norm = sum_of(density);
    if (!(photons > 0) || !(norm > 0)) return not_defined;
    const double uniform = floor / static_cast<double>(counts.size());
    double sum = 0;
    for (std::size_t k = 0; k < counts.size(); ++k) {
        if (counts[k] == 0) continue;
        sum += counts[k] * std::log((1 - floor) * density[k] / norm + uniform);
    }
    return sum / photons;
}

TimingFigures timing_figures(std::span<const double> values, double bin_width, double hits) {
    const auto sums = cumulative(values);
    const double total = sums.back();
    if (!(total > 0)) return {not_defined, not_defined, not_defined};
    const auto quantile = [&](double q) { return bin_width * position_of(sums, q * total); };
    return {quantile(0.5 / std::max(1.0, hits)), quantile(0.5), quantile(0.9) - quantile(0.1)};
}

double wasserstein(std::span<const double> counts, std::span<const double> density,
                   double bin_width) {
    HODO_DOOR(counts.size() == density.size());
    const double p_sum = sum_of(counts), q_sum = sum_of(density);
    if (!(p_sum > 0) || !(q_sum > 0)) return not_defined;
    // Integral of |P - Q| of two cumulatives that are linear within a bin: a trapezoid, or two
    // triangles where they cross.
    double distance = 0, before = 0;
    for (std::size_t k = 0; k < counts.size(); ++k) {
        const double now = before + counts[k] / p_sum - density[k] / q_sum;
        const double a = std::abs(before), b = std::abs(now);
        const bool cross = (before < 0) != (now < 0) && a + b > 0;
        distance += cross ? 0.5 * (a * a + b * b) / (a + b) : 0.5 * (a + b);
        before = now;
    }
    return distance * bin_width;
}

int hit_class(double hits) {
    constexpr std::array<double, 6> upper{2, 4, 16, 64, 256, 1024};
    return static_cast<int>(std::upper_bound(upper.begin(), upper.end(), hits) - upper.begin());
}

std::vector<double> dense_counts(std::span<const std::int32_t> bins, std::span<const float> counts,
                                 std::int64_t width) {
    HODO_DOOR(bins.size() == counts.size());
    std::vector<double> dense(static_cast<std::size_t>(width), 0.0);
    for (std::size_t i = 0; i < bins.size(); ++i) {
        HODO_DOOR(bins[i] >= 0 && bins[i] < width);
        dense[static_cast<std::size_t>(bins[i])] += static_cast<double>(counts[i]);
    }
    return dense;
}

}  // namespace hodo::optical
