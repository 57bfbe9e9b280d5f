#pragma once
/// How well a density over time bins describes the photons of an optical module.
///
/// `counts` are photons per bin, `density` is non-negative and need not be normalised; both dense
/// and equally long. Times in ns; bin k of F covers [k, k+1) T/F. All functions are pure.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace hodo::optical {

/// Jensen-Shannon distance: the square root of the divergence in natural logarithms,
/// 0 (equal) to sqrt(ln 2) = 0.8326. NaN when one of the two sums to zero.
double jensen_shannon(std::span<const double> counts, std::span<const double> density);

/// Sums of `factor` neighbouring bins; a last incomplete group is kept.
std::vector<double> summed(std::span<const double> values, std::int64_t factor);

/// Where the last position of a quantile code lies: at the end of the window (the convention of the
/// published comparison figures; it spends one step on the empty time after the last photon), or
/// at the end of the last bin that is not empty.
enum class CodeEnd { window, last_photon };

/// The code of a few floats that a network must beat: `quantiles` >= 2 positions at equal steps
/// 0, 1/(quantiles-1), ... 1 of the cumulative distribution, which is linear within a bin.
/// [quantiles], in units of bins (0 to F), ascending. Where the cumulative distribution is flat,
/// the latest position. All 0 without photons.
std::vector<float> quantile_code(std::span<const double> counts, std::int64_t quantiles,
                                 CodeEnd end = CodeEnd::window);
/// The distribution [bins] rebuilt from a quantile code: linear cumulative between the positions.
std::vector<double> density_of_quantiles(std::span<const float> code, std::int64_t bins);

/// The baseline of `groups` equal bins: each group's share spread evenly over its bins.
std::vector<double> equal_bins(std::span<const double> counts, std::int64_t groups);

/// Mean log-likelihood per photon [nats] of `counts` under the normalised `density` mixed with a
/// uniform part: p = (1 - floor) density + floor / F. The uniform density gives -ln F.
double log_likelihood_per_photon(std::span<const double> counts, std::span<const double> density,
                                 double floor);

/// Timing figures of a distribution whose mass is spread evenly within each bin.
struct TimingFigures {
    double first = 0;   ///< The 1/(2 hits) quantile: where the first of `hits` photons is expected.
    double median = 0;  ///< [ns]
    double width = 0;   ///< From the 10 % to the 90 % quantile [ns].
};
/// All NaN when the values sum to zero.
TimingFigures timing_figures(std::span<const double> values, double bin_width, double hits);

/// 1-Wasserstein distance of two distributions on the same bins [ns]. NaN when one sums to zero.
double wasserstein(std::span<const double> counts, std::span<const double> density,
                   double bin_width);

/// Classes of modules by their number of hits.
inline constexpr std::array<std::string_view, 7> hit_class_names{
    "1", "2-3", "4-15", "16-63", "64-255", "256-1023", "1024+"};
/// Index into `hit_class_names`; hits below 2 count as 1.
int hit_class(double hits);

/// A dense histogram from a sparse one.
std::vector<double> dense_counts(std::span<const std::int32_t> bins, std::span<const float> counts,
                                 std::int64_t width);

}  // namespace hodo::optical
