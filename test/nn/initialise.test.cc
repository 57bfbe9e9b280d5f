#include "hodo/nn/initialise.hh"

#include <gtest/gtest.h>

#include <cmath>

#include "hodo/nn/transformer.hh"

namespace hodo::nn {
namespace {

const auto floats = at::TensorOptions().dtype(at::kFloat);

TEST(Initialise, uniform_numbers_fill_their_interval) {
    auto parameter = make_parameter({200, 100}, floats);
    fill_uniform(parameter, 0.5, base::Random(1, "weights"));
    EXPECT_LE(parameter.abs().max().item<double>(), 0.5);
    // Width of a uniform distribution: bound/sqrt(3); 4 sigma of the mean and of the variance.
    EXPECT_NEAR(parameter.mean().item<double>(), 0.0, 4 * 0.5 / std::sqrt(3.0 * 20000));
    EXPECT_NEAR(parameter.var().item<double>(), 0.25 / 3, 4 * 0.25 * std::sqrt(4.0 / 45 / 20000));
}

TEST(Initialise, normal_numbers_have_the_asked_width) {
    auto parameter = make_parameter({200, 100}, floats);
    fill_normal(parameter, 2.0, base::Random(1, "memory"));
    EXPECT_NEAR(parameter.mean().item<double>(), 0.0, 4 * 2.0 / std::sqrt(20000.0));
    EXPECT_NEAR(parameter.var().item<double>(), 4.0, 4 * 4.0 * std::sqrt(2.0 / 20000));
}

TEST(Initialise, a_parameter_depends_on_its_stream_only) {
    auto first = make_parameter({7, 3}, floats), second = make_parameter({7, 3}, floats);
    fill_uniform(first, 1.0, base::Random(1, "a"));
    fill_uniform(second, 1.0, base::Random(1, "a"));
    EXPECT_TRUE(at::equal(first, second));
    fill_uniform(second, 1.0, base::Random(2, "a"));
    EXPECT_FALSE(at::equal(first, second));
    EXPECT_TRUE(first.requires_grad());
}

TEST(Initialise, layers_follow_the_frameworks_conventions) {
    auto layer = EncoderLayer::make({32, 4, 64}, floats);
    layer.initialise(base::Random(3, "layer"));
    const auto largest = [](const at::Tensor& x) { return x.abs().max().item<double>(); };
    const double linear = 1.0 / std::sqrt(32.0), xavier = std::sqrt(6.0 / 128.0);
    EXPECT_LE(largest(layer.linear1.weight), linear);
    EXPECT_GT(largest(layer.linear1.weight), 0.9 * linear);
    EXPECT_GT(largest(layer.linear1.bias), 0.5 * linear);
    EXPECT_LE(largest(layer.self_attn.in_proj_weight), xavier);
    EXPECT_GT(largest(layer.self_attn.in_proj_weight), 0.9 * xavier);
    EXPECT_EQ(largest(layer.self_attn.in_proj_bias), 0.0);
    EXPECT_EQ(largest(layer.self_attn.out_proj.bias), 0.0);
    EXPECT_GT(largest(layer.self_attn.out_proj.weight), 0.9 * linear);
    EXPECT_TRUE(at::equal(layer.norm1.weight, at::ones({32})));
    EXPECT_EQ(largest(layer.norm2.bias), 0.0);
}

}  // namespace
}  // namespace hodo::nn
