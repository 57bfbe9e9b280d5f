#include "hodo/sparse/norm.hh"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "sparse/cases.hh"

namespace hodo::sparse {
namespace {

using test::random_tensor;

double largest(const at::Tensor& x) {
    return x.abs().max().item<double>();
}

TEST(BatchNorm, GivesEachChannelMeanZeroAndVarianceOne) {
    auto norm = BatchNorm::make(19, at::kFloat);
    norm.leak = 1.0;
    const auto x = random_tensor({5000, 19}, "x", at::kFloat) * 3.0 + 1000.0;
    const auto y = norm.train(x).to(at::kDouble).detach();
    EXPECT_LE(largest(y.mean(0)), 1e-3);
    EXPECT_LE(largest(y.var(0, false) - 1.0), 1e-3);
    EXPECT_NEAR(norm.running_mean[0].item<double>(), 10.0, 0.01);
    EXPECT_NEAR(norm.running_var[0].item<double>(), 0.99 + 0.09, 0.01);
}

TEST(BatchNorm, GradientsAreThoseOfFiniteDifferencesInBothPrecisions) {
    const std::int64_t rows = 40, channels = 5;
    const auto cotangent = random_tensor({rows, channels}, "g");
    const auto value = [&](const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
        auto norm = BatchNorm::make(channels, x.options().requires_grad(false));
        norm.weight = w;
        norm.bias = b;
        norm.leak = 0.25;
        return (norm.train(x) * cotangent.to(x.scalar_type())).sum();
    };
    std::vector<at::Tensor> inputs{random_tensor({rows, channels}, "x"),
                                   random_tensor({channels}, "w"), random_tensor({channels}, "b")};
    std::vector<at::Tensor> single;
    for (auto& input : inputs) {
        single.push_back(input.to(at::kFloat).set_requires_grad(true));
        input.set_requires_grad(true);
    }
    value(inputs[0], inputs[1], inputs[2]).backward();
    value(single[0], single[1], single[2]).backward();
    const at::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        EXPECT_LE(largest(single[i].grad() - inputs[i].grad()), 2e-5);
        const auto direction = random_tensor(inputs[i].sizes().vec(), "direction");
        auto above = inputs, below = inputs;
        const double step = 1e-6;
        above[i] = inputs[i] + step * direction;
        below[i] = inputs[i] - step * direction;
        const auto slope =
            (value(above[0], above[1], above[2]) - value(below[0], below[1], below[2]))
                .item<double>() /
            (2 * step);
        EXPECT_NEAR(slope, (inputs[i].grad() * direction).sum().item<double>(), 1e-5);
    }
}

TEST(BatchNorm, EvaluatesAlikeWithAndWithoutGradientsAndFolded) {
    auto norm = BatchNorm::make(21, at::kFloat);
    norm.running_mean = random_tensor({21}, "m", at::kFloat);
    norm.running_var = random_tensor({21}, "v", at::kFloat).abs() + 0.1;
    norm.leak = 0.1;
    const auto x = random_tensor({300, 21}, "x", at::kFloat);
    const auto learning = norm.evaluate(x);
    EXPECT_TRUE(learning.requires_grad());
    const at::NoGradGuard no_gradients;
    EXPECT_LE(largest(norm.evaluate(x) - learning), 1e-5);
    const auto [scale, shift] = norm.folded();
    EXPECT_LE(largest(at::leaky_relu(x * scale + shift, 0.1) - learning), 1e-5);
}

TEST(BatchNorm, NoRowsChangeNothingAndOneRowIsDefined) {
    auto norm = BatchNorm::make(2, at::kFloat);
    EXPECT_EQ(norm.train(at::zeros({0, 2})).size(0), 0);
    EXPECT_EQ(norm.evaluate(at::zeros({0, 2})).size(0), 0);
    EXPECT_TRUE(norm.running_mean.equal(at::zeros({2})));
    const auto y = norm.train(at::ones({1, 2}));
    EXPECT_TRUE(at::isfinite(y).all().item<bool>());
    EXPECT_TRUE(norm.running_var.equal(at::ones({2})));
}

TEST(EventNorms, AnEventsResultDoesNotDependOnTheOthers) {
    const auto voxels = test::random_voxels(200, 9, 1, "alone");
    const auto run = [&](const std::vector<Voxel>& rows, const at::Tensor& features, Scope scope) {
        const auto input = from_rows(test::to_tensor(rows), features);
        const auto& x = input.tensor;
        const auto w = random_tensor({6}, "w", at::kFloat), b = random_tensor({6}, "b", at::kFloat);
        const auto y = x.with(instance_norm(x, w, b));
        return y.with(global_response_norm(y, w, b, scope)).features;
    };
    const auto count = static_cast<std::int64_t>(voxels.size());
    const auto features = random_tensor({count, 6}, "x", at::kFloat);
    auto more = voxels;
    for (auto v : voxels) more.push_back({2, v.x, v.y, v.z});
    const auto both = at::cat({features, 2 * features.flip(0)});
    const auto alone = run(voxels, features, Scope::event);
    EXPECT_TRUE(run(more, both, Scope::event).slice(0, 0, count).equal(alone));
    EXPECT_FALSE(run(more, both, Scope::batch).slice(0, 0, count).equal(alone));
}

TEST(EventNorms, AChannelOfZerosHasFiniteGradients) {
    auto features = at::zeros({3, 2}, at::kDouble).set_requires_grad(true);
    const auto input =
        from_rows(test::to_tensor({{0, 0, 0, 0}, {0, 0, 0, 1}, {1, 0, 0, 0}}), features);
    const auto ones = at::ones({2}, at::kDouble);
    const auto y = global_response_norm(input.tensor, ones, ones, Scope::event) +
                   instance_norm(input.tensor, ones, ones);
    y.sum().backward();
    EXPECT_TRUE(at::isfinite(features.grad()).all().item<bool>());
}

TEST(LayerNorm, IsRowByRow) {
    const auto x = random_tensor({7, 12}, "x");
    const auto y = layer_norm(x, at::ones({12}, at::kDouble), at::zeros({12}, at::kDouble));
    EXPECT_LE(largest(y.mean(1)), 1e-12);
    EXPECT_LE(largest(y.var(1, false) - 1.0), 1e-4);
}

}  // namespace
}  // namespace hodo::sparse
