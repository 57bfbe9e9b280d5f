#include "hodo/detector/optical/medium.hh"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>

#include "support/reference.hh"

namespace hodo::optical {
namespace {

constexpr double pi = std::numbers::pi;

TEST(Medium, emits_the_known_number_of_cherenkov_photons) {
    // 2 pi / 137.036 * (1 - 1/n^2) * (1/300 nm - 1/600 nm)
    EXPECT_NEAR(cherenkov_photons_per_metre(ice()), 32521, 30);
    EXPECT_NEAR(
        cherenkov_photons_per_metre(ice(), 300, 450) + cherenkov_photons_per_metre(ice(), 450, 600),
        cherenkov_photons_per_metre(ice()), 1e-6);
    EXPECT_NEAR(std::acos(ice().cherenkov_cosine()) * 180 / pi, 40.7, 0.1);
    EXPECT_NEAR(std::hypot(water().cherenkov_cosine(), water().cherenkov_sine()), 1.0, 1e-15);
}

TEST(Medium, light_never_reaches_further_than_absorption_allows) {
    for (const Medium* medium : {&ice(), &water()}) {
        EXPECT_LE(medium->propagation_length(), medium->absorption);
        EXPECT_GT(medium->diffusion_length(), 0);
        EXPECT_GT(medium->group_index, medium->phase_index);
    }
}

TEST(Medium, is_found_by_name) {
    EXPECT_EQ(medium_named("water").name, "water");
    EXPECT_THAT(test::error_of([] { medium_named("oil"); }), testing::HasSubstr("'oil'"));
}

}  // namespace
}  // namespace hodo::optical
