#include "hodo/detector/optical/quality.hh"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "hodo/base/random.hh"

namespace hodo::optical {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

std::vector<double> random_counts(std::uint64_t seed, std::size_t bins, double mean) {
    base::Random random(seed, "quality");
    std::vector<double> counts(bins);
    for (double& count : counts) count = static_cast<double>(random.poisson(mean));
    return counts;
}

TEST(JensenShannon, is_zero_for_equal_and_largest_for_disjoint_distributions) {
    const auto counts = random_counts(1, 50, 2.0);
    auto scaled = counts;
    for (double& value : scaled) value *= 0.125;
    EXPECT_NEAR(jensen_shannon(counts, scaled), 0.0, 1e-8);
    const std::vector<double> a{1, 0, 2, 0}, b{0, 3, 0, 1};
    EXPECT_NEAR(jensen_shannon(a, b), std::sqrt(std::log(2.0)), 1e-15);
}

TEST(JensenShannon, is_symmetric_and_obeys_the_triangle_inequality) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto a = random_counts(3 * seed, 20, 1.0), b = random_counts(3 * seed + 1, 20, 1.0),
                   c = random_counts(3 * seed + 2, 20, 1.0);
        EXPECT_NEAR(jensen_shannon(a, b), jensen_shannon(b, a), 1e-14);
        EXPECT_LE(jensen_shannon(a, c), jensen_shannon(a, b) + jensen_shannon(b, c) + 1e-14);
    }
}

TEST(JensenShannon, is_not_a_number_without_photons) {
    const std::vector<double> none{0, 0}, some{1, 0};
    EXPECT_TRUE(std::isnan(jensen_shannon(none, some)));
}

TEST(Summed, keeps_the_sum_and_an_incomplete_last_group) {
    const std::vector<double> values{1, 2, 3, 4, 5};
    EXPECT_THAT(summed(values, 2), ElementsAre(3, 7, 5));
    EXPECT_THAT(summed(values, 8), ElementsAre(15));
}

TEST(QuantileCode, places_positions_at_equal_steps) {
    const std::vector<double> counts{0, 4, 0, 0, 4, 0};
    EXPECT_THAT(quantile_code(counts, 5), ElementsAre(1, 1.5F, 4, 4.5F, 6));
    EXPECT_THAT(quantile_code(counts, 5, CodeEnd::last_photon), ElementsAre(1, 1.5F, 4, 4.5F, 5));
    EXPECT_THAT(quantile_code(std::vector<double>(4, 0.0), 3), ElementsAre(0, 0, 0));
}

TEST(QuantileCode, rebuilds_distributions_that_are_flat_between_its_positions) {
    const std::vector<double> flat(64, 3.0);
    const auto density = density_of_quantiles(quantile_code(flat, 17), 64);
    for (const double value : density) EXPECT_NEAR(value, 1.0 / 64, 1e-6);
}

TEST(QuantileCode, rebuilt_densities_are_normalised_and_close_for_many_positions) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        auto counts = random_counts(seed, 200, 0.3);
        counts[seed] += 1;
        for (const auto end : {CodeEnd::window, CodeEnd::last_photon}) {
            const auto code = quantile_code(counts, 4096, end);
            EXPECT_TRUE(std::is_sorted(code.begin(), code.end()));
            const auto density = density_of_quantiles(code, 200);
            EXPECT_NEAR(std::accumulate(density.begin(), density.end(), 0.0), 1.0, 1e-9);
            EXPECT_LT(jensen_shannon(counts, density), 0.08);
        }
    }
}

TEST(QuantileCode, ends_at_the_last_photon_only_when_asked) {
    std::vector<double> one(100, 0.0);
    one[40] = 1;
    const auto stretched = density_of_quantiles(quantile_code(one, 11), 100);
    EXPECT_NEAR(stretched[40], 0.9, 1e-3);  // positions are float32
    const auto exact = density_of_quantiles(quantile_code(one, 11, CodeEnd::last_photon), 100);
    EXPECT_NEAR(exact[40], 1.0, 1e-12);
}

TEST(EqualBins, spreads_each_group_evenly) {
    const std::vector<double> counts{4, 0, 1, 1};
    EXPECT_THAT(equal_bins(counts, 2), ElementsAre(2, 2, 1, 1));
    EXPECT_THAT(equal_bins(counts, 4), Pointwise(testing::DoubleEq(), counts));
}

TEST(LogLikelihood, of_the_uniform_density_is_minus_the_logarithm_of_the_bins) {
    const auto counts = random_counts(4, 6400, 0.01);
    const std::vector<double> uniform(6400, 2.0);
    EXPECT_NEAR(log_likelihood_per_photon(counts, uniform, 0.0), -std::log(6400.0), 1e-12);
}

TEST(LogLikelihood, is_largest_for_the_empirical_distribution) {
    const auto counts = random_counts(5, 40, 3.0);
    const double best = log_likelihood_per_photon(counts, counts, 0.0);
    for (std::uint64_t seed = 10; seed < 20; ++seed) {
        EXPECT_LE(log_likelihood_per_photon(counts, random_counts(seed, 40, 3.0), 0.01), best);
    }
}

TEST(Timing, figures_are_quantiles_in_ns) {
    std::vector<double> values(100, 0.0);
    std::fill(values.begin() + 20, values.begin() + 40, 1.0);
    const TimingFigures figures = timing_figures(values, 2.0, 20);
    EXPECT_NEAR(figures.first, 41.0, 1e-9);
    EXPECT_NEAR(figures.median, 60.0, 1e-9);
    EXPECT_NEAR(figures.width, 32.0, 1e-9);
    EXPECT_TRUE(std::isnan(timing_figures(std::vector<double>(5, 0.0), 1.0, 1).median));
}

TEST(Wasserstein, of_a_shifted_distribution_is_the_shift) {
    const auto counts = random_counts(6, 50, 1.0);
    for (const std::size_t shift : {1U, 7U, 40U}) {
        std::vector<double> a(100, 0.0), b(100, 0.0);
        std::copy(counts.begin(), counts.end(), a.begin());
        std::copy(counts.begin(), counts.end(), b.begin() + static_cast<std::ptrdiff_t>(shift));
        EXPECT_NEAR(wasserstein(a, b, 3.0), 3.0 * static_cast<double>(shift), 1e-9);
    }
    EXPECT_NEAR(wasserstein(counts, counts, 1.0), 0.0, 1e-15);
}

TEST(Wasserstein, counts_crossings_within_a_bin) {
    // The difference of the cumulatives goes from 1/2 to -1/2 within the middle bin.
    const std::vector<double> a{2, 0, 2}, b{0, 4, 0};
    EXPECT_NEAR(wasserstein(a, b, 1.0), 0.25 + 0.25 + 0.25, 1e-12);
}

TEST(HitClass, follows_its_names) {
    const std::vector<std::pair<double, int>> cases{{1, 0},   {2, 1},   {3, 1},    {4, 2},
                                                    {15, 2},  {16, 3},  {63, 3},   {64, 4},
                                                    {255, 4}, {256, 5}, {1023, 5}, {1024, 6}};
    for (const auto& [hits, index] : cases) EXPECT_EQ(hit_class(hits), index) << hits;
}

TEST(DenseCounts, unfolds_sparse_histograms) {
    const std::vector<std::int32_t> bins{1, 3};
    const std::vector<float> counts{2, 5};
    EXPECT_THAT(dense_counts(bins, counts, 4), ElementsAre(0, 2, 0, 5));
}

}  // namespace
}  // namespace hodo::optical
