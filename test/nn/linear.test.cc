#include "hodo/nn/linear.hh"

#include <gtest/gtest.h>

namespace hodo::nn {
namespace {

const auto doubles = at::TensorOptions().dtype(at::kDouble);

Linear random_linear(std::int64_t in, std::int64_t out) {
    auto map = Linear::make(in, out, doubles);
    map.initialise(base::Random(5, "map"));
    return map;
}

TEST(Linear, a_map_along_the_tokens_is_the_map_of_every_channel) {
    const auto map = random_linear(6, 4);
    const auto x = at::randn({3, 6, 5}, doubles);
    const auto y = map.along_tokens(x, {});
    ASSERT_EQ(y.sizes(), (std::vector<std::int64_t>{3, 4, 5}));
    for (std::int64_t channel = 0; channel < 5; ++channel) {
        EXPECT_TRUE(at::allclose(y.select(2, channel), map(x.select(2, channel), {})));
    }
}

TEST(Linear, bfloat16_products_stay_close_and_come_back_in_the_inputs_type) {
    const auto map = random_linear(64, 32);
    const auto x = at::randn({10, 64}, doubles);
    Pass pass;
    pass.precision = tensor::Precision::bf16;
    const auto y = map(x, pass), exact = map(x, {});
    EXPECT_EQ(y.scalar_type(), at::kDouble);
    EXPECT_FALSE(at::equal(y, exact));
    // 8 bits of fraction: relative 2^-9 per factor, averaging out over 64 products.
    EXPECT_LT(((y - exact).abs().max() / exact.abs().max()).item<double>(), 0.01);
}

TEST(LayerNorm, rows_have_mean_shift_and_width_scale) {
    auto norm = LayerNorm::make(16, doubles);
    norm.initialise();
    const auto y = norm(at::randn({7, 16}, doubles) * 3.0 + 5.0);
    EXPECT_LT(y.mean(-1).abs().max().item<double>(), 1e-12);
    EXPECT_NEAR(y.var(-1, false).mean().item<double>(), 1.0, 1e-5);
}

TEST(LayerNorm, ignores_a_common_shift_and_factor_of_a_row) {
    auto norm = LayerNorm::make(16, doubles);
    norm.initialise();
    const auto x = at::randn({7, 16}, doubles) * 100.0;
    EXPECT_TRUE(at::allclose(norm(x * 2.0 + 3.0), norm(x), 1e-6, 1e-6));
}

}  // namespace
}  // namespace hodo::nn
