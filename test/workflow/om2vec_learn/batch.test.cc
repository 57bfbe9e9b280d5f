#include "hodo/workflow/om2vec/learn/batch.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "small_network.hh"

namespace hodo::om2vec {
namespace {

TEST(Batch, sums_photons_and_log_factorials_of_each_module) {
    const std::vector<std::int64_t> offsets{0, 2, 2, 3};
    const std::vector<std::int32_t> places{1, 4, 0};
    const std::vector<float> photons{3, 2, 5};
    const auto batch = make_batch({offsets, places, photons, {}}, 5);
    EXPECT_EQ(batch.modules, 3);
    EXPECT_EQ(batch.total[0].item<double>(), 5.0);
    EXPECT_EQ(batch.total[1].item<double>(), 0.0);
    EXPECT_NEAR(batch.log_factorials[0].item<double>(), std::log(6.0 * 2.0), 1e-12);
    EXPECT_NEAR(batch.log_factorials[2].item<double>(), std::log(120.0), 1e-12);
    const auto x = dense_input(batch, at::kDouble);
    EXPECT_EQ(x.sizes(), (std::vector<std::int64_t>{3, 5}));
    EXPECT_NEAR(x[0][4].item<double>(), std::log(3.0), 1e-15);
    EXPECT_EQ(x[1].abs().sum().item<double>(), 0.0);
}

TEST(Batch, of_a_part_equals_rows_of_the_whole) {
    const auto counts = test::random_counts(6, 20, 4);
    const auto whole = dense_input(make_batch(counts.view(), 20), at::kFloat);
    const auto part = dense_input(make_batch(counts.view().part(2, 5), 20), at::kFloat);
    EXPECT_TRUE(at::equal(part, whole.narrow(0, 2, 3)));
}

TEST(Batch, refuses_bins_outside_the_network_and_impossible_counts) {
    const std::vector<std::int64_t> offsets{0, 1};
    const auto message = [&](std::int32_t bin, float photons) {
        const std::vector<std::int32_t> places{bin};
        const std::vector<float> values{photons};
        return test::error_of([&] { make_batch({offsets, places, values, {}}, 5); });
    };
    EXPECT_NE(message(5, 1).find("bin 5 lies outside 0..4"), std::string::npos);
    EXPECT_NE(message(-1, 1).find("bin -1"), std::string::npos);
    EXPECT_NE(message(0, -2).find("holds -2 photons"), std::string::npos);
    EXPECT_NE(message(0, std::numeric_limits<float>::quiet_NaN()).find("finite"),
              std::string::npos);
}

}  // namespace
}  // namespace hodo::om2vec
