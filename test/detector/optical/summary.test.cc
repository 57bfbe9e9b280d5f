#include "hodo/detector/optical/summary.hh"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include "hodo/base/random.hh"

namespace hodo::optical {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

TEST(Summary, follows_its_definitions_on_a_small_example) {
    const std::vector<double> times{10, 110, 110.5, 510, 511};
    EXPECT_THAT(summarize(times, {}),
                Pointwise(testing::DoubleEq(),
                          Summary{5, 2, 4, 10, 511, 110, 110.5, 250.3, std::sqrt(46476.16)}));
}

TEST(Summary, weights_are_charges) {
    const std::vector<double> times{0, 1, 2}, weights{1, 0, 3};
    const Summary s = summarize(times, weights);
    EXPECT_THAT(s,
                Pointwise(DoubleNear(1e-12), Summary{4, 4, 4, 0, 2, 0, 2, 1.5, std::sqrt(0.75)}));
}

TEST(Summary, repeats_count_like_weights) {
    base::Random random(1, "summary");
    std::vector<double> once, weights, repeated;
    for (int k = 0; k < 200; ++k) {
        once.push_back(1000 * random.uniform());
        weights.push_back(static_cast<double>(1 + random.below(4)));
        for (int r = 0; r < static_cast<int>(weights.back()); ++r) repeated.push_back(once.back());
    }
    EXPECT_THAT(summarize(once, weights), Pointwise(DoubleNear(1e-9), summarize(repeated, {})));
}

TEST(Summary, does_not_depend_on_the_order_of_photons) {
    std::vector<double> times{5, 3, 900, 1, 44, 3};
    const Summary before = summarize(times, {});
    std::reverse(times.begin(), times.end());
    EXPECT_THAT(summarize(times, {}), Pointwise(DoubleNear(1e-9), before));
}

TEST(Summary, of_nothing_is_zero_and_of_one_photon_is_its_time) {
    EXPECT_EQ(summarize({}, {}), Summary{});
    const std::vector<double> one{7.5};
    EXPECT_THAT(summarize(one, {}), ElementsAre(1, 1, 1, 7.5, 7.5, 7.5, 7.5, 7.5, 0));
}

TEST(Summary, of_events_is_per_module_relative_to_time_zero) {
    Events events;
    events.time = {100, 130, 105, 120};
    events.x = events.y = events.z = {0, 0, 0, 0};
    events.string = {2, 1, 2, 1};
    events.sensor = {1, 1, 1, 1};
    events.offsets = {0, 4, 4};
    const auto first =
        summarize_modules(events, TimeZero::parse("first"), ModuleOrder::first_appearance);
    ASSERT_EQ(first.size(), 2);
    EXPECT_EQ(first.id[0], (ModuleId{2, 1}));
    EXPECT_EQ(first.values[0][3], 0);
    EXPECT_EQ(first.values[1][3], 20);
    EXPECT_EQ(first.values[1][7], 25);
    const auto own =
        summarize_modules(events, TimeZero::parse("per-module"), ModuleOrder::ascending);
    EXPECT_EQ(own.id[0], (ModuleId{1, 1}));
    EXPECT_EQ(own.values[0][3], 0);
    EXPECT_EQ(own.values[0][4], 10);
}

}  // namespace
}  // namespace hodo::optical
