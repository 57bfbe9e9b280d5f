#include "hodo/sparse/norm_conv.hh"

#include <gtest/gtest.h>

#include "hodo/base/threads.hh"
#include "sparse/cases.hh"

namespace hodo::sparse {
namespace {

using test::random_tensor;

double largest(const at::Tensor& x) {
    return x.abs().max().item<double>();
}

enum class Way { same, down, up };
enum class Manner { as_one, by_layers };

/// A norm, a convolution and a residual sum whose input is used a second time.
struct Run {
    at::Tensor y;
    std::vector<at::Tensor> gradients;
    Moments moments;
    at::Tensor running_mean, running_var;
};

Run run(Way way, Manner manner) {
    const std::int64_t in = 19, out = 16;
    const auto voxels = test::random_voxels(700, 12, 2, "norm_conv");
    auto tensor =
        from_rows(test::to_tensor(voxels),
                  random_tensor({static_cast<std::int64_t>(voxels.size()), in}, "x", at::kFloat))
            .tensor;
    const auto half = strided({2, 2, 2}, {2, 2, 2});
    const auto spec = way == Way::same ? submanifold({3, 3, 3}) : half;
    const auto coarse =
        tensor.maps->coarser(tensor.coordinates, half.kernel, half.stride, half.sites);
    const auto fine = tensor.coordinates;
    if (way == Way::up) {
        tensor = {coarse, random_tensor({coarse->size(), in}, "coarse", at::kFloat), tensor.maps};
    }
    const auto target = way == Way::up ? fine : nullptr;
    const auto rows = (way == Way::down ? coarse : fine)->size();
    auto norm = BatchNorm::make(in, at::kFloat);
    norm.leak = 0.25;
    norm.weight = random_tensor({in}, "weight", at::kFloat).set_requires_grad(true);
    norm.bias = random_tensor({in}, "bias", at::kFloat).set_requires_grad(true);
    const auto weight =
        random_tensor({spec.kernel.volume(), in, out}, "map", at::kFloat).set_requires_grad(true);
    const auto residual =
        random_tensor({rows, out}, "residual", at::kFloat).set_requires_grad(true);
    const auto x = tensor.with(tensor.features.detach().set_requires_grad(true));
    Run result;
    auto again = x.features;
    if (manner == Manner::as_one) {
        auto made = norm_conv({x, {}}, norm, weight, spec, residual, target);
        result.y = made.y.tensor.features;
        result.moments = made.y.moments;
        again = made.x.tensor.features;
    } else {
        const auto normed = x.with(norm.train(x.features));
        const auto y = way == Way::up ? conv_transposed(normed, weight, {}, spec, target)
                                      : conv(normed, weight, {}, spec);
        result.y = y.features + residual;
    }
    const auto g = random_tensor({rows, out}, "g", at::kFloat);
    const auto more = random_tensor(again.sizes().vec(), "more", at::kFloat);
    ((result.y * g).sum() + (again * more).sum()).backward();
    result.gradients = {x.features.grad(), norm.weight.grad(), norm.bias.grad(), weight.grad(),
                        residual.grad()};
    result.running_mean = norm.running_mean;
    result.running_var = norm.running_var;
    return result;
}

TEST(NormConv, EqualsTheLayersOneByOneThereAndBack) {
    for (const auto way : {Way::same, Way::down, Way::up}) {
        const auto one = run(way, Manner::as_one), layers = run(way, Manner::by_layers);
        EXPECT_LE(largest(one.y - layers.y), 2e-5 * largest(layers.y));
        for (std::size_t i = 0; i < one.gradients.size(); ++i) {
            SCOPED_TRACE(i);
            EXPECT_LE(largest(one.gradients[i] - layers.gradients[i]),
                      2e-5 * largest(layers.gradients[i]));
        }
        EXPECT_LE(largest(one.running_mean - layers.running_mean), 1e-6);
        EXPECT_LE(largest(one.running_var - layers.running_var), 1e-6);
        const auto y = one.y.detach().to(at::kDouble);
        ASSERT_EQ(one.moments.mean.size(), 16U);
        for (std::size_t c = 0; c < 16; ++c) {
            const auto column = y.select(1, static_cast<std::int64_t>(c));
            EXPECT_NEAR(one.moments.mean[c], column.mean().item<double>(), 1e-9);
            EXPECT_NEAR(one.moments.variance[c], column.var(false).item<double>(), 1e-7);
        }
    }
}

TEST(NormConv, NumberOfThreadsDoesNotChangeABit) {
    for (const auto way : {Way::same, Way::down, Way::up}) {
        base::set_threads(1);
        const auto one = run(way, Manner::as_one);
        base::set_threads(3);
        const auto several = run(way, Manner::as_one);
        base::set_threads(1);
        EXPECT_TRUE(at::equal(one.y, several.y));
        for (std::size_t i = 0; i < one.gradients.size(); ++i) {
            EXPECT_TRUE(at::equal(one.gradients[i], several.gradients[i]));
        }
    }
}

TEST(NormConv, ChannelsOfJoinedTensorsKeepTheirMoments) {
    const auto voxels = test::random_voxels(50, 6, 1, "joined");
    const auto count = static_cast<std::int64_t>(voxels.size());
    const auto input =
        from_rows(test::to_tensor(voxels), random_tensor({count, 2}, "a", at::kFloat)).tensor;
    const Measured a{input, {{1.0, 2.0}, {3.0, 4.0}}};
    const Measured b{input.with(random_tensor({count, 1}, "b", at::kFloat)), {{5.0}, {6.0}}};
    const auto both = concatenate(a, b);
    EXPECT_EQ(both.moments.mean, (std::vector<double>{1.0, 2.0, 5.0}));
    EXPECT_EQ(both.moments.variance, (std::vector<double>{3.0, 4.0, 6.0}));
    EXPECT_TRUE(
        at::equal(both.tensor.features, at::cat({a.tensor.features, b.tensor.features}, 1)));
    EXPECT_TRUE(concatenate(a, Measured{b.tensor, {}}).moments.mean.empty());
}

}  // namespace
}  // namespace hodo::sparse
