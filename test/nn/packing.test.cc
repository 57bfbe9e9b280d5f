#include "hodo/nn/packing.hh"

#include <gtest/gtest.h>

namespace hodo::nn {
namespace {

TEST(Packing, tells_where_sequences_lie) {
    const std::vector<std::int64_t> lengths{3, 0, 2};
    const auto packing = Packing::of_lengths(lengths);
    EXPECT_EQ(packing.count(), 3);
    EXPECT_EQ(packing.total(), 5);
    EXPECT_EQ(packing.longest(), 3);
    EXPECT_EQ(packing.first(2), 3);
    EXPECT_EQ(packing.length(1), 0);
    EXPECT_EQ(Packing::equal(2, 4).offsets, (std::vector<std::int64_t>{0, 4, 8}));
}

TEST(Packing, pads_with_zeros_and_takes_them_away_again) {
    const std::vector<std::int64_t> lengths{3, 0, 2};
    const auto packing = Packing::of_lengths(lengths);
    const auto x = at::randn({5, 4});
    const auto padded = packing.pad(x);
    EXPECT_EQ(padded.sizes(), (std::vector<std::int64_t>{3, 3, 4}));
    EXPECT_TRUE(at::equal(packing.unpad(padded), x));
    EXPECT_EQ(padded[1].abs().sum().item<float>(), 0.0F);
    EXPECT_EQ(padded[2][2].abs().sum().item<float>(), 0.0F);
    EXPECT_EQ(packing.filled().sum().item<std::int64_t>(), 5);
    EXPECT_TRUE(at::equal(padded.abs().sum(-1).gt(0), packing.filled()));
}

}  // namespace
}  // namespace hodo::nn
