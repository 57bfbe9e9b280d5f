#include "hodo/workflow/om2vec/bin_times.hh"

#include "support/reference.hh"

#include <gtest/gtest.h>

#include <cmath>

namespace hodo::om2vec {
namespace {

using optical::Binning;
using optical::BinningRule;

/// The bin of one photon at relative time `r` after a first photon at 0.
std::int64_t bin_of(const Binning& binning, double r) {
    optical::Events events;
    events.offsets = {0, 2};
    events.time = {0.0, r};
    events.x = events.y = events.z = {0.0, 0.0};
    events.string = {1, 2};
    events.sensor = {1, 1};
    events.file = events.row = {0};
    const auto counts = bin_photons(events, binning, optical::ModuleOrder::ascending);
    return counts.bin[static_cast<std::size_t>(counts.offsets[1])];
}

TEST(BinTimes, every_time_lies_in_the_interval_of_its_bin) {
    for (const auto& binning : {Binning{.bins = 100, .window = 100, .rule = BinningRule::om2vec},
                                Binning{.bins = 40, .window = 100, .rule = BinningRule::floor}}) {
        base::Random random(3, "times");
        for (int i = 0; i < 200; ++i) {
            const double time = random.uniform(0, 98.9);  // The last bin also holds late photons.
            const auto interval = interval_of_bin(binning, bin_of(binning, time));
            EXPECT_LE(interval.begin, time);
            EXPECT_GE(interval.end, time);
        }
    }
}

TEST(BinTimes, sampled_times_follow_the_probabilities) {
    const Binning binning{.bins = 4, .window = 40, .rule = BinningRule::floor};
    const std::vector<float> probability{0.5f, 0.0f, 0.25f, 0.25f};
    base::Random random(5, "sample");
    const int photons = 40'000;
    const auto times = sample_times(probability, binning, photons, random);
    std::vector<double> share(4);
    for (const double time : times) {
        ++share[std::min<std::size_t>(3, static_cast<std::size_t>(time / 10))];
    }
    for (std::size_t k = 0; k < 4; ++k) {
        const double p = probability[k];
        EXPECT_NEAR(share[k] / photons, p, 5 * std::sqrt(p * (1 - p) / photons) + 1e-12);
    }
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
}

TEST(BinTimes, a_distribution_that_is_no_number_is_an_error) {
    const Binning binning{.bins = 2, .window = 2, .rule = BinningRule::floor};
    base::Random random(1, "x");
    const std::vector<float> broken{NAN, 1.0f};
    EXPECT_NE(test::error_of([&] { sample_times(broken, binning, 1, random); }), "");
}

}  // namespace
}  // namespace hodo::om2vec
