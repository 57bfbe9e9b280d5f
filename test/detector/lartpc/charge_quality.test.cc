#include "hodo/detector/lartpc/charge_quality.hh"
#include "hodo/base/random.hh"

#include <gtest/gtest.h>

#include <cmath>

namespace lartpc = hodo::lartpc;

TEST(ChargeQuality, exact_predictions_have_no_bias_and_no_width) {
    lartpc::ChargeQuality quality;
    std::vector<float> truth;
    for (int i = 0; i < 1000; ++i) truth.push_back(0.01F * float(i));
    quality.add(truth, truth);
    EXPECT_EQ(quality.mean_error(), 0);
    EXPECT_EQ(quality.deviation(), 0);
    EXPECT_EQ(quality.mean_on_ghosts(), 0);
    EXPECT_NEAR(quality.sum_ratio(), 1, 1e-12);
    std::int64_t voxels = 0;
    for (const auto& bin : quality.bins()) {
        EXPECT_NEAR(bin.bias, 0, 0.02);
        EXPECT_LT(bin.width, 0.02);
        voxels += bin.voxels;
    }
    EXPECT_EQ(voxels, 999);
    for (const auto& [cell, count] : quality.cells()) EXPECT_EQ(cell.first, cell.second);
}

TEST(ChargeQuality, a_known_smearing_is_found_again) {
    lartpc::ChargeQuality quality;
    hodo::base::Random draw(1, "charges");
    std::vector<float> truth, predicted;
    for (int i = 0; i < 40'000; ++i) {
        truth.push_back(float(std::pow(10.0, draw.uniform(0, 2))));
        predicted.push_back(float(truth.back() * (1.2 + 0.1 * draw.normal())));
    }
    quality.add(truth, predicted);
    ASSERT_EQ(quality.bins().size(), 8u);
    for (const auto& bin : quality.bins()) {
        EXPECT_NEAR(bin.bias, 0.2, 0.01);
        EXPECT_NEAR(bin.width, 0.1, 0.01);
    }
    EXPECT_NEAR(quality.sum_ratio(), 1.2, 0.01);
}

TEST(ChargeQuality, parts_add_up_to_the_whole) {
    const std::vector<float> truth{0, 1, 2, 30}, predicted{0.5F, 1.5F, -1, 20};
    lartpc::ChargeQuality whole, parts;
    whole.add(truth, predicted);
    for (std::size_t i = 0; i < truth.size(); ++i) {
        parts.add(std::span(truth).subspan(i, 1), std::span(predicted).subspan(i, 1));
    }
    EXPECT_EQ(whole.mean_error(), parts.mean_error());
    EXPECT_EQ(whole.deviation(), parts.deviation());
    EXPECT_EQ(whole.cells(), parts.cells());
    EXPECT_EQ(whole.mean_on_ghosts(), 0.5);
    EXPECT_EQ(whole.cells().size(), 2u);  // the negative one has no logarithm
}
