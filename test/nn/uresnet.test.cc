#include "hodo/nn/uresnet.hh"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "hodo/base/threads.hh"
#include "hodo/tensor/parameters.hh"
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

/// Voxels of the two sides of x = 8 that no kernel of the first level joins, though they are
/// neighbours on the second.
struct Sides {
    std::vector<sparse::Voxel> inside, outside;
    Sides() {
        for (auto v : random_voxels(500, 16, 1, "sides", {0, 8, 8, 8})) {
            v.y = std::clamp(v.y, 0, 7);
            v.z = std::clamp(v.z, 0, 7);
            if (v.x < 7) inside.push_back(v);
            if (v.x > 8) outside.push_back(v);
        }
        inside = sparse::sorted_distinct(inside);
        outside = sparse::sorted_distinct(outside);
    }
};

TEST(UResNet, VoxelsBeyondItsExtentAreAsIfTheDeeperLevelHadNeverBeen) {
    const at::NoGradGuard no_gradients;
    const auto make = [](std::optional<sparse::Triple> extent) {
        UResNet net({.channels = 4, .levels = 2, .extent = extent});
        net.initialise(base::Random(3, "extent"));
        for (auto& [name, tensor] : tensor::named_parameters(net)) {
            if (name.ends_with("bias")) tensor->fill_(0.1);
        }
        return net;
    };
    auto limited = make(sparse::Triple{8, 8, 8}), unlimited = make({}), shallow = make({});
    for (auto& [name, tensor] : tensor::named_parameters(shallow)) {
        if (name == "2.4.1.4.weight") tensor->zero_();
    }
    const Sides sides;
    const auto count = std::ssize(sides.inside), others = std::ssize(sides.outside);
    const auto x = random_tensor({count + others, 3}, "x", at::kFloat);
    auto both = sides.inside;
    both.insert(both.end(), sides.outside.begin(), sides.outside.end());
    const auto tensor_of = [](const std::vector<sparse::Voxel>& voxels, const at::Tensor& rows) {
        return sparse::from_rows(sparse::test::to_tensor(voxels), rows).tensor;
    };
    const auto all = tensor_of(both, x), first = tensor_of(sides.inside, x.slice(0, 0, count)),
               second = tensor_of(sides.outside, x.slice(0, count));
    const auto expected =
        at::cat({unlimited.evaluate(first).features, shallow.evaluate(second).features});
    EXPECT_TRUE(limited.evaluate(all).features.equal(expected));
    // The limit is what makes the difference, and with gradients recorded it is the same one.
    EXPECT_FALSE(unlimited.evaluate(all).features.equal(expected));
    EXPECT_TRUE(limited(all, Mode::evaluate).features.allclose(expected, 1e-4, 1e-5));
}

TEST(UResNet, RefusesToHaveNothingToLearn) {
    EXPECT_NE(hodo::test::error_of([] { UResNet({.levels = 0}); }).find("0 levels"),
              std::string::npos);
}

}  // namespace
}  // namespace hodo::nn
