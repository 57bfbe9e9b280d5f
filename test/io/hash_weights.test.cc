#include "support/hash_weights.hh"

#include <gtest/gtest.h>

#include "hodo/base/text.hh"

namespace {

std::vector<float> values(std::string_view name, std::vector<std::int64_t> shape) {
    return hodo::test::hash_weights(name, shape, 20241017);
}

TEST(HashWeights, have_the_check_values_of_the_rule) {
    EXPECT_EQ(hodo::base::fnv1a("mem_embedding"), 0x769218449af61c78u);
    const std::vector<float> memory{-0.4375f, 0.3125f, 0.1875f, -0.0625f, 0.8125f, 0.8125f};
    EXPECT_EQ(values("mem_embedding", {2, 3}), memory);
    const std::vector<float> norm{1.1171875f, 1.0234375f, 1.0546875f, 0.9609375f};
    EXPECT_EQ(values("encoder.0.enc_layer.norm1.weight", {4}), norm);
}

}  // namespace
