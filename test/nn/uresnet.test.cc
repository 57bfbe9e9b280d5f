#include "hodo/nn/uresnet.hh"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "hodo/base/threads.hh"
#include "sparse/cases.hh"
#include "support/reference.hh"

namespace hodo::nn {
namespace {

using sparse::test::random_tensor;
using sparse::test::random_voxels;

sparse::Input make_input(const std::vector<sparse::Voxel>& voxels, at::ScalarType type) {
    const auto rows = static_cast<std::int64_t>(voxels.size());
    return sparse::from_rows(sparse::test::to_tensor(voxels), random_tensor({rows, 3}, "x", type));
}

UResNet make_net(at::ScalarType type = at::kFloat) {
    UResNet net(
        {.channels = 5, .levels = 3, .flat_levels = 1, .drift_filter = 4, .drift_stride = 4}, type);
    net.initialise(base::Random(3, "net"));
    return net;
}

TEST(UResNet, EvaluatesTheSameWithItsNormsFoldedIntoConvolutions) {
    const at::NoGradGuard no_gradients;
    for (const auto type : {at::kFloat, at::kDouble}) {
        auto net = make_net(type);
        const auto input = make_input(random_voxels(900, 14, 2, "net"), type);
        net(input.tensor, Mode::train);
        const auto plain = net(input.tensor, Mode::evaluate).features;
        const auto folded = net.evaluate(input.tensor).features;
        const auto scale = plain.abs().max().item<double>();
        EXPECT_GT(scale, 0.0);
        const double tolerance = type == at::kFloat ? 1e-5 : 1e-12;
        EXPECT_LE((plain - folded).abs().max().item<double>() / scale, tolerance);
    }
}

TEST(UResNet, NothingDependsOnRowOrderThreadsOrOtherEvents) {
    const at::NoGradGuard no_gradients;
    auto net = make_net();
    const auto voxels = random_voxels(3000, 24, 1, "alone");
    const auto rows = static_cast<std::int64_t>(voxels.size());
    const auto x = random_tensor({rows, 3}, "x", at::kFloat);
    const auto table = sparse::test::to_tensor(voxels);
    const auto run = [&](const at::Tensor& coordinates, const at::Tensor& features, int threads) {
        base::set_threads(threads);
        const auto input = sparse::from_rows(coordinates, features);
        return sparse::to_rows(net.evaluate(input.tensor), input);
    };
    const auto expected = run(table, x, 1);
    EXPECT_TRUE(run(table.flip(0), x.flip(0), 3).flip(0).equal(expected));
    auto other = table.clone();
    other.select(1, 0).fill_(1);
    EXPECT_TRUE(
        run(at::cat({other, table}), at::cat({x * 2, x}), 2).slice(0, rows).equal(expected));
    base::set_threads(1);
}

TEST(UResNet, LearnsFromNoVoxelsAndFromOne) {
    auto net = make_net();
    for (const std::size_t count : {0U, 1U}) {
        const auto input = make_input(std::vector<sparse::Voxel>(count), at::kFloat);
        const auto y = net(input.tensor, Mode::train);
        EXPECT_EQ(y.voxels(), static_cast<std::int64_t>(count));
        EXPECT_EQ(y.channels(), 5);
        y.features.sum().backward();
        EXPECT_EQ(net.evaluate(input.tensor).voxels(), static_cast<std::int64_t>(count));
    }
}

TEST(UResNet, RefusesToHaveNothingToLearn) {
    EXPECT_NE(hodo::test::error_of([] { UResNet({.levels = 0}); }).find("0 levels"),
              std::string::npos);
}

}  // namespace
}  // namespace hodo::nn
