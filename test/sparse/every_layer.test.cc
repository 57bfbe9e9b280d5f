// What holds for every kind of layer, there and back: no result depends on the order of rows, on
// threads or on other events by a bit; it moves with the voxels; gradients are those of finite
// differences; and no voxels, one voxel, empty events, rows of one voxel and the ends of 32 bits
// are ordinary input.

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "sparse/layer_cases.hh"

namespace hodo::sparse {
namespace {

using test::LayerCase;
using test::random_tensor;
using test::Weights;

/// Rows as they come: voxels, some of them more than once, and their features.
struct Rows {
    std::vector<Voxel> voxels;
    at::Tensor features;

    std::int64_t size() const { return std::ssize(voxels); }
};

Rows make_rows(std::vector<Voxel> voxels, at::ScalarType type, std::string_view purpose = "x") {
    const auto count = std::ssize(voxels);
    return {std::move(voxels), random_tensor({count, test::layer_channels}, purpose, type)};
}

/// About `count` voxels in events of which every seventh has a second row.
Rows crowded(int count, int edge, int events, at::ScalarType type) {
    auto voxels = test::random_voxels(count, edge, events, "every layer");
    for (std::size_t i = 0, all = voxels.size(); i < all; i += 7) voxels.push_back(voxels[i]);
    return make_rows(std::move(voxels), type);
}

Weights weights_of(const LayerCase& layer, at::ScalarType type) {
    Weights weights;
    for (std::size_t i = 0; i < layer.weights.size(); ++i) {
        weights.push_back(random_tensor(layer.weights[i], "w" + std::to_string(i), type));
    }
    return weights;
}

struct Results {
    at::Tensor y, grad_rows;
    Weights grad_weights;
};

/// The layer there and back. A row of the cotangent is as `cotangent`'s row of the same number,
/// where given.
Results run(const LayerCase& layer, const Rows& rows, const InputOptions& options = {},
            const at::Tensor& cotangent = {}) {
    const auto type = rows.features.scalar_type();
    auto weights = weights_of(layer, type);
    for (auto& weight : weights) weight.set_requires_grad(true);
    const auto x = rows.features.detach().clone().set_requires_grad(true);
    auto chosen = options;
    chosen.merge = layer.merge;
    const auto y = layer.forward(from_rows(test::to_tensor(rows.voxels), x, chosen), weights);
    auto g = random_tensor(y.sizes().vec(), "cotangent", type);
    if (cotangent.defined()) g.slice(0, 0, cotangent.size(0)).copy_(cotangent);
    y.backward(g);
    Results results{y.detach(), x.grad(), {}};
    for (const auto& weight : weights) results.grad_weights.push_back(weight.grad());
    return results;
}

void expect_same_bits(const at::Tensor& a, const at::Tensor& b, const std::string& what) {
    EXPECT_TRUE(a.equal(b)) << what;
}

void expect_same_bits(const Results& a, const Results& b) {
    expect_same_bits(a.y, b.y, "values");
    expect_same_bits(a.grad_rows, b.grad_rows, "gradient of the rows");
    for (std::size_t i = 0; i < a.grad_weights.size(); ++i) {
        expect_same_bits(a.grad_weights[i], b.grad_weights[i],
                         "gradient of weight " + std::to_string(i));
    }
}

void expect_finite(const Results& results) {
    // A gradient that nothing has led to is not there.
    const auto is_finite = [](const at::Tensor& x) {
        return !x.defined() || at::isfinite(x).all().item<bool>();
    };
    EXPECT_TRUE(is_finite(results.y));
    EXPECT_TRUE(is_finite(results.grad_rows));
    for (const auto& gradient : results.grad_weights) EXPECT_TRUE(is_finite(gradient));
}

/// The test's body with every layer and its name.
template <class Body>
void for_each_layer(const Body& body) {
    for (const auto& layer : test::layer_cases()) {
        SCOPED_TRACE(layer.name);
        body(layer);
    }
}

TEST(EveryLayer, GivesTheSameBitsThereAndBackWhateverTheOrderOfRows) {
    const auto rows = crowded(500, 10, 3, at::kFloat);
    const auto order = at::argsort(random_tensor({rows.size()}, "order"));
    Rows moved{{}, at::index_select(rows.features, 0, order)};
    for (std::int64_t i = 0; i < rows.size(); ++i) {
        moved.voxels.push_back(
            rows.voxels[static_cast<std::size_t>(order[i].item<std::int64_t>())]);
    }
    for_each_layer([&](const LayerCase& layer) {
        auto expected = run(layer, rows);
        expected.grad_rows = at::index_select(expected.grad_rows, 0, order);
        expect_same_bits(expected, run(layer, moved));
    });
}

TEST(EveryLayer, GivesTheSameBitsThereAndBackForAnyNumberOfThreads) {
    // Enough rows for LibTorch's operators and for sums of gradients to be shared out.
    const auto many = crowded(36000, 60, 2, at::kFloat), some = crowded(4000, 30, 2, at::kFloat);
    for_each_layer([&](const LayerCase& layer) {
        const bool is_wide =
            layer.name.starts_with("generative") || layer.name.find("7x7x7") != std::string::npos;
        const auto& rows = is_wide ? some : many;
        base::set_threads(1);
        const auto one = run(layer, rows);
        base::set_threads(3);
        const auto three = run(layer, rows);
        base::set_threads(1);
        expect_same_bits(one, three);
    });
}

TEST(EveryLayer, DoesNotSeeOtherEventsByABitThereNorBack) {
    const auto rows = crowded(300, 9, 1, at::kFloat);
    auto both = rows.voxels;
    for (auto v : rows.voxels) both.push_back({2, v.x + 1, v.y, v.z});
    const auto more = make_rows(both, at::kFloat, "mates");
    const Rows together{both, at::cat({rows.features, more.features.slice(0, rows.size())})};
    for_each_layer([&](const LayerCase& layer) {
        const auto alone = run(layer, rows);
        const auto cotangent = random_tensor(alone.y.sizes().vec(), "cotangent", at::kFloat);
        const auto among = run(layer, together, {}, cotangent);
        const auto y = among.y.slice(0, 0, alone.y.size(0));
        const auto gradient = among.grad_rows.slice(0, 0, rows.size());
        if (layer.mates == test::Mates::mixed) {
            EXPECT_FALSE(y.equal(alone.y)) << "is said to mix events";
            return;
        }
        expect_same_bits(alone.y, y, "values");
        expect_same_bits(alone.grad_rows, gradient, "gradient of the rows");
    });
}

TEST(EveryLayer, GivesTheSameBitsThereAndBackForVoxelsThatAreFarAway) {
    const auto rows = crowded(200, 9, 2, at::kFloat);
    auto far = rows;
    // By a multiple of all strides.
    for (auto& v : far.voxels) v = {v.batch, v.x + 2'000'000'016, v.y - 2'000'000'016, v.z + 1200};
    for_each_layer(
        [&](const LayerCase& layer) { expect_same_bits(run(layer, rows), run(layer, far)); });
}

TEST(EveryLayer, IsDefinedForNoVoxelOneVoxelAndEventsWithout) {
    for (const auto type : {at::kFloat, at::kDouble}) {
        for (const std::size_t count : {0U, 1U, 3U}) {
            SCOPED_TRACE(count);
            // All rows are of one voxel, in the second of four events.
            const auto rows = make_rows(std::vector<Voxel>(count, Voxel{1, -5, 3, 1}), type);
            for_each_layer([&](const LayerCase& layer) {
                const auto results = run(layer, rows, {.events = 4});
                EXPECT_TRUE(count > 0 || results.y.size(0) == 0);
                EXPECT_EQ(results.grad_rows.sizes(), rows.features.sizes());
                expect_finite(results);
            });
        }
    }
}

TEST(EveryLayer, AtTheEndsOfThirtyTwoBitsIsDefinedOrSaysSo) {
    constexpr auto most = std::numeric_limits<std::int32_t>::max();
    constexpr auto least = std::numeric_limits<std::int32_t>::min();
    const auto rows = make_rows(
        {{0, most, least, most}, {0, most, least, most - 1}, {1, least, 0, 0}}, at::kFloat);
    for_each_layer([&](const LayerCase& layer) {
        try {
            expect_finite(run(layer, rows));
        } catch (const base::Error& error) {
            EXPECT_NE(std::string(error.what()).find("32-bit"), std::string::npos) << error.what();
        }
    });
}

TEST(EveryLayer, HasTheGradientsOfFiniteDifferences) {
    const auto rows = crowded(60, 6, 2, at::kDouble);
    const auto table = test::to_tensor(rows.voxels);
    for_each_layer([&](const LayerCase& layer) {
        const auto results = run(layer, rows);
        const auto cotangent = random_tensor(results.y.sizes().vec(), "cotangent");
        auto inputs = weights_of(layer, at::kDouble);
        auto gradients = results.grad_weights;
        inputs.push_back(rows.features);
        gradients.push_back(results.grad_rows);
        const at::NoGradGuard no_gradients;
        const auto value = [&](Weights given) {
            const auto x = from_rows(table, given.back(), {.merge = layer.merge});
            given.pop_back();
            return (layer.forward(x, given) * cotangent).sum().item<double>();
        };
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const auto direction = random_tensor(inputs[i].sizes().vec(), "direction");
            auto above = inputs, below = inputs;
            const double step = 1e-6;
            above[i] = inputs[i] + step * direction;
            below[i] = inputs[i] - step * direction;
            const auto slope = (gradients[i] * direction).sum().item<double>();
            EXPECT_NEAR((value(above) - value(below)) / (2 * step), slope,
                        2e-6 * std::max(1.0, std::abs(slope)))
                << "input " << i;
        }
    });
}

}  // namespace
}  // namespace hodo::sparse
