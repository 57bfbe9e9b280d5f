#include "hodo/sparse/pool.hh"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "sparse/cases.hh"
#include "support/reference.hh"

namespace hodo::sparse {
namespace {

using test::random_tensor;

Input make_input(const std::vector<Voxel>& voxels, std::int64_t channels, std::int64_t events) {
    return from_rows(test::to_tensor(voxels),
                     random_tensor({static_cast<std::int64_t>(voxels.size()), channels}, "x"),
                     {.events = events});
}

TEST(Pooling, OfWindowsIsWhatItsWindowsHold) {
    const std::vector<Voxel> voxels{{0, 0, 0, 0}, {0, 1, 1, 1}, {0, 2, 0, 0}, {1, -1, 0, 0}};
    const auto input = make_input(voxels, 2, 2);
    const auto& x = input.tensor.features;
    const auto spec = strided({2, 2, 2}, {2, 2, 2});
    const auto sum = pool(input.tensor, Pooling::sum, spec);
    ASSERT_EQ(sum.voxels(), 3);
    EXPECT_TRUE(sum.features[0].allclose(x[0] + x[1]));
    EXPECT_TRUE(sum.features[2].equal(x[3]));
    EXPECT_TRUE(pool(input.tensor, Pooling::mean, spec).features[0].allclose((x[0] + x[1]) / 2));
    EXPECT_TRUE(pool(input.tensor, Pooling::mean_of_volume, spec).features[1].allclose(x[2] / 8));
    EXPECT_TRUE(
        pool(input.tensor, Pooling::largest, spec).features[0].equal(at::maximum(x[0], x[1])));
    EXPECT_TRUE(unpool(sum, spec, input.tensor.coordinates).features[1].equal(sum.features[0]));
}

TEST(Pooling, WindowsWithoutVoxelsGiveZeroAndNoGradient) {
    // A window of one cell at stride 3 misses the voxel.
    const auto x = at::ones({1, 2}, at::kDouble).set_requires_grad(true);
    const auto input = from_rows(test::to_tensor({{0, 1, 1, 1}}), x);
    for (const auto pooling : {Pooling::largest, Pooling::mean, Pooling::sum}) {
        const auto y = pool(input.tensor, pooling, minkowski({1, 1, 1}, {3, 3, 3}));
        EXPECT_TRUE(y.features.equal(at::zeros({1, 2}, at::kDouble)));
        y.features.sum().backward();
        EXPECT_TRUE(x.grad().equal(at::zeros({1, 2}, at::kDouble)));
    }
}

TEST(Pooling, OfEventsIsInTheOrderOfEventsAndKnowsEmptyOnes) {
    const std::vector<Voxel> voxels{{3, 0, 0, 0}, {1, 0, 0, 0}, {3, 5, 5, 5}};
    const auto input = make_input(voxels, 3, 5);
    const auto& x = input.tensor.features;
    const auto sums = pool_events(input.tensor, Pooling::sum);
    ASSERT_EQ(sums.size(0), 5);
    EXPECT_TRUE(sums[1].equal(x[0]));
    EXPECT_TRUE(sums[3].allclose(x[1] + x[2]));
    EXPECT_TRUE(sums[4].equal(at::zeros({3}, at::kDouble)));
    EXPECT_TRUE(pool_events(input.tensor, Pooling::mean)[3].allclose((x[1] + x[2]) / 2));
    EXPECT_TRUE(spread_events(input.tensor, sums)[2].equal(sums[3]));
    EXPECT_NE(hodo::test::error_of([&] {
                  pool_events(input.tensor, Pooling::mean_of_volume);
              }).find("volume"),
              std::string::npos);
}

TEST(Pooling, GradientsAreThoseOfFiniteDifferences) {
    const auto voxels = test::random_voxels(50, 6, 2, "pool");
    const auto input = make_input(voxels, 3, 2);
    const auto cases = test::kernel_cases();
    const auto value = [&](const at::Tensor& x, Pooling pooling, const ConvSpec& spec) {
        const auto y = pool(input.tensor.with(x), pooling, spec);
        const auto events = pool_events(y, Pooling::largest);
        return (y.features.square().sum() + events.square().sum());
    };
    for (const auto& [name, spec] : cases) {
        for (const auto pooling : {Pooling::sum, Pooling::mean, Pooling::largest}) {
            SCOPED_TRACE(name);
            auto x = input.tensor.features.clone().set_requires_grad(true);
            value(x, pooling, spec).backward();
            const at::NoGradGuard no_gradients;
            const auto direction = random_tensor(x.sizes().vec(), "direction");
            const double step = 1e-6;
            const auto slope = (value(x + step * direction, pooling, spec) -
                                value(x - step * direction, pooling, spec))
                                   .item<double>() /
                               (2 * step);
            const auto expected = (x.grad() * direction).sum().item<double>();
            EXPECT_NEAR(slope, expected, 1e-6 * std::max(1.0, std::abs(expected)));
        }
    }
}

}  // namespace
}  // namespace hodo::sparse
