#include "hodo/detector/optical/light.hh"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "hodo/base/random.hh"

namespace hodo::optical {
namespace {

constexpr double pi = std::numbers::pi;

TEST(Light, of_a_track_nearby_is_that_of_a_cone) {
    for (const Medium* medium : {&ice(), &water()}) {
        const Light light(*medium, 0.01);
        const double r = 0.5;
        const double cone = 1000 * 0.01 / (2 * pi * medium->cherenkov_sine() * r);
        EXPECT_NEAR(light.track_mean(1000, r) / cone, 1.0, 0.04);
    }
}

TEST(Light, of_a_track_far_away_is_that_of_diffusing_points) {
    // A line of diffuse point sources: the integral of n exp(-s/p) / (4 pi c s) along the line.
    const Light light(ice(), 0.01);
    const double p = ice().propagation_length(), c = ice().diffusion_length();
    const double r = 250;
    double line = 0;
    for (double z = -2000; z < 2000; z += 0.5) {
        const double s = std::hypot(r, z);
        line += 0.5 * 1000 * 0.01 / (4 * pi * c * s) * std::exp(-s / p);
    }
    EXPECT_NEAR(light.track_mean(1000, r) / line, 1.0, 0.05);
}

TEST(Light, of_a_cascade_is_isotropic_on_average) {
    const Light light(ice(), 0.01);
    for (const double r : {5.0, 30.0, 100.0}) {
        base::Random random(1, "cascade angles");
        double mean = 0;
        constexpr int trials = 200'000;
        for (int k = 0; k < trials; ++k) {
            mean += light.cascade_mean(1e6, r, random.uniform(-1, 1)) / trials;
        }
        const double distance = std::hypot(r, 2.0), c = ice().diffusion_length();
        const double expected = 1e6 * 0.01 / (4 * pi) *
                                std::exp(-distance / ice().propagation_length()) /
                                (c * distance * std::tanh(distance / c));
        EXPECT_NEAR(mean / expected, 1.0, 0.01);
        EXPECT_GE(light.cascade_bound(1e6, r),
                  light.cascade_mean(1e6, r, ice().cherenkov_cosine()));
    }
}

TEST(Light, decreases_with_distance) {
    for (const Medium* medium : {&ice(), &water()}) {
        const Light light(*medium, 0.01);
        for (double r = 1; r < 400; r *= 1.1) {
            EXPECT_GT(light.track_mean(1, r), light.track_mean(1, 1.1 * r));
            EXPECT_GT(light.cascade_mean(1, r, 0.2), light.cascade_mean(1, 1.1 * r, 0.2));
        }
    }
}

TEST(Light, grows_with_energy_and_hadrons_shine_less) {
    const Light light(ice(), 0.01);
    EXPECT_NEAR(light.cascade_photons(2000, CascadeKind::electromagnetic),
                2 * light.cascade_photons(1000, CascadeKind::electromagnetic), 1e-3);
    for (const double energy : {10.0, 1e3, 1e5}) {
        const double ratio = light.cascade_photons(energy, CascadeKind::hadronic) /
                             light.cascade_photons(energy, CascadeKind::electromagnetic);
        EXPECT_GT(ratio, 0.6);
        EXPECT_LT(ratio, 1.0);
    }
    EXPECT_GT(light.photons_per_metre(1e5), light.photons_per_metre(1e2));
}

TEST(Residual, density_integrates_to_its_cumulative_with_the_stated_moments) {
    const Light light(ice(), 0.01);
    for (const double r : {3.0, 20.0, 33.3, 120.0}) {
        const ResidualLaw law = light.track_residual(r);
        EXPECT_NEAR(law.shape, r / 33.3, 1e-12);
        double sum = 0, mean = 0, square = 0, before = 0;
        for (double t = 1e-12; t < 2e4; t *= 1.002) {
            const double part = law.cumulative(t) - law.cumulative(before);
            const double middle = 0.5 * (t + before);
            if (t > 1 && t < 5000) {
                EXPECT_NEAR(part / (t - before), law.density(middle), 1e-4);
            }
            sum += part;
            mean += part * middle;
            square += part * middle * middle;
            before = t;
        }
        EXPECT_NEAR(sum, 1.0, 1e-9);
        EXPECT_NEAR(mean / law.mean(), 1.0, 1e-3);
        EXPECT_NEAR((square - mean * mean) / law.variance(), 1.0, 1e-3);
    }
}

TEST(Residual, cumulative_agrees_with_the_exponential_and_the_error_function) {
    const ResidualLaw exponential{1.0, 0.25};
    const ResidualLaw half{0.5, 1.0};
    for (const double t : {0.01, 0.5, 1.0, 3.0, 20.0}) {
        EXPECT_NEAR(exponential.cumulative(t), 1 - std::exp(-0.25 * t), 1e-13);
        EXPECT_NEAR(half.cumulative(t), std::erf(std::sqrt(t)), 1e-13);
    }
    EXPECT_EQ(half.cumulative(-1), 0.0);
    EXPECT_EQ(half.density(-1), 0.0);
}

}  // namespace
}  // namespace hodo::optical
