#include "hodo/sparse/conv.hh"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "hodo/base/threads.hh"
#include "hodo/sparse/norm.hh"
#include "sparse/cases.hh"
#include "support/reference.hh"

namespace hodo::sparse {
namespace {

using test::random_tensor;

Input make_input(const std::vector<Voxel>& voxels, std::int64_t channels,
                 at::ScalarType type = at::kDouble) {
    return from_rows(
        test::to_tensor(voxels),
        random_tensor({static_cast<std::int64_t>(voxels.size()), channels}, "x", type));
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
    EXPECT_EQ(a.sizes(), b.sizes());
    if (a.numel() == 0) return 0.0;
    return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

/// All voxels of a box.
std::vector<Voxel> full_box(std::int32_t x, std::int32_t y, std::int32_t z) {
    std::vector<Voxel> voxels;
    for (std::int32_t i = 0; i < x * y * z; ++i)
        voxels.push_back({0, i / (y * z), i / z % y, i % z});
    return voxels;
}

/// A box in which the full one stands with room for every kernel on both sides. The room is a
/// multiple of all strides, so that sites of coarse levels stand at multiples of them here too.
struct Canvas {
    static constexpr std::int64_t room = 12;
    Triple size;  ///< Of the full box.

    /// Features of the full box [voxels, channels] as [1, channels, x, y, z].
    at::Tensor of(const at::Tensor& features) const {
        const auto dense = features.t().reshape({1, features.size(1), size[0], size[1], size[2]});
        return at::constant_pad_nd(dense, std::vector<std::int64_t>(6, room));
    }
    /// The values at a voxel of a dense result whose places are `stride` apart.
    static at::Tensor at(const at::Tensor& dense, const Voxel& v, const Triple& stride) {
        return dense.select(4, (v.z + room) / stride[2])
            .select(3, (v.y + room) / stride[1])
            .select(2, (v.x + room) / stride[0])[0];
    }
};

std::vector<std::int64_t> list(const Triple& triple) {
    return {triple.begin(), triple.end()};
}

/// Zeros on both sides, last axis first, so that place u of a dense result sees u + o_k.
std::vector<std::int64_t> reach_of(const Kernel& kernel) {
    std::vector<std::int64_t> padding;
    for (std::size_t a = 3; a-- > 0;) {
        const auto before = -kernel.begin(a) * kernel.dilation[a];
        padding.push_back(before);
        padding.push_back((kernel.size[a] - 1) * kernel.dilation[a] - before);
    }
    return padding;
}

at::Tensor dense_kernel(const at::Tensor& weight, const Triple& size) {
    return weight.reshape({size[0], size[1], size[2], weight.size(1), weight.size(2)})
        .permute({4, 3, 0, 1, 2});
}

void expect_values(const SparseTensor& y, const at::Tensor& dense, const Triple& stride) {
    ASSERT_GT(y.voxels(), 0);
    for (std::int64_t row = 0; row < y.voxels(); ++row) {
        const auto& v = y.coordinates->voxels()[static_cast<std::size_t>(row)];
        ASSERT_LE(largest_difference(y.features[row], Canvas::at(dense, v, stride)), 1e-12)
            << "row " << row;
    }
}

TEST(Convolution, EqualsDenseConvolutionOnDenseInput) {
    const std::int64_t in = 3, out = 4;
    const auto input = make_input(full_box(6, 5, 4), in);
    const auto canvas = Canvas{{6, 5, 4}}.of(input.tensor.features);
    const std::vector<std::int64_t> none{0, 0, 0};
    for (const auto& [name, spec] : test::kernel_cases()) {
        SCOPED_TRACE(name);
        const auto padded = at::constant_pad_nd(canvas, reach_of(spec.kernel));
        const auto dense = [&](const at::Tensor& kernel, std::int64_t groups) {
            return at::conv3d(padded, kernel, {}, list(spec.stride), at::IntArrayRef(none),
                              list(spec.kernel.dilation), groups);
        };
        const auto weight = random_tensor({spec.kernel.volume(), in, out}, "w");
        const auto y = conv(input.tensor, weight, {}, spec);
        const auto expected = dense(dense_kernel(weight, spec.kernel.size), 1);
        expect_values(y, expected, spec.stride);
        if (spec.sites == Sites::seeing) {
            // Every site that sees a voxel is there: all of the dense result but zeros.
            EXPECT_EQ(y.voxels(), (expected.abs().sum(1) > 0).sum().item<std::int64_t>());
        }
        const auto by_channel = random_tensor({spec.kernel.volume(), in}, "v");
        expect_values(depthwise(input.tensor, by_channel, {}, spec),
                      dense(dense_kernel(by_channel.unsqueeze(1), spec.kernel.size), in),
                      spec.stride);
    }
}

TEST(Convolution, EqualsDenseTransposedConvolutionOnDenseInput) {
    const std::int64_t in = 3, out = 2;
    const auto input = make_input(full_box(6, 5, 4), in);
    const std::vector<std::int64_t> none{0, 0, 0};
    for (const auto& [name, spec] : test::kernel_cases()) {
        SCOPED_TRACE(name);
        // A full box of coarse places at multiples of the stride.
        auto voxels = full_box(6, 5, 4);
        for (auto& v : voxels) {
            const auto at = [&](std::int32_t c, std::size_t a) {
                return static_cast<std::int32_t>(c * spec.stride[a]);
            };
            v = {v.batch, at(v.x, 0), at(v.y, 1), at(v.z, 2)};
        }
        const auto coarse =
            from_rows(test::to_tensor(voxels), input.tensor.features, {.stride = spec.stride})
                .tensor;
        const auto weight = random_tensor({spec.kernel.volume(), in, out}, "w");
        // Dense place 0 is the first voxel's first cell.
        const auto dense = at::conv_transpose3d(
            input.tensor.features.t().reshape({1, in, 6, 5, 4}),
            dense_kernel(weight, spec.kernel.size).transpose(0, 1), {}, list(spec.stride),
            at::IntArrayRef(none), at::IntArrayRef(none), 1, list(spec.kernel.dilation));
        const auto y = conv_generative(coarse, weight, {}, spec);
        EXPECT_EQ(y.coordinates->stride(), (Triple{1, 1, 1}));
        EXPECT_EQ(y.voxels(), (dense.abs().sum(1) > 0).sum().item<std::int64_t>());
        for (std::int64_t row = 0; row < y.voxels(); ++row) {
            const auto& v = y.coordinates->voxels()[static_cast<std::size_t>(row)];
            const auto place = [&](std::int32_t c, std::size_t a) {
                return c - spec.kernel.begin(a) * spec.kernel.dilation[a];
            };
            const auto expected =
                dense.select(4, place(v.z, 2)).select(3, place(v.y, 1)).select(2, place(v.x, 0))[0];
            ASSERT_LE(largest_difference(y.features[row], expected), 1e-12) << "row " << row;
        }
    }
}

/// d/dt of sum(f(t) c) along a random direction by finite differences, against gradients.
template <class Forward>
void expect_gradients(std::vector<at::Tensor> inputs, const Forward& forward) {
    for (auto& input : inputs) input.set_requires_grad(true);
    const auto y = forward(inputs);
    const auto cotangent = random_tensor(y.sizes().vec(), "cotangent");
    (y * cotangent).sum().backward();
    const at::NoGradGuard no_gradients;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto direction = random_tensor(inputs[i].sizes().vec(), "direction");
        const double step = 1e-5;
        auto shifted = inputs;
        shifted[i] = inputs[i].detach() + step * direction;
        const auto above = (forward(shifted) * cotangent).sum().template item<double>();
        shifted[i] = inputs[i].detach() - step * direction;
        const auto below = (forward(shifted) * cotangent).sum().template item<double>();
        const auto slope = (inputs[i].grad() * direction).sum().template item<double>();
        EXPECT_NEAR((above - below) / (2 * step), slope, 1e-6 * std::max(1.0, std::abs(slope)))
            << "input " << i;
    }
}

TEST(Convolution, GradientsAreThoseOfFiniteDifferences) {
    const auto voxels = test::random_voxels(60, 6, 2, "gradient");
    for (const auto& [name, spec] : test::kernel_cases()) {
        SCOPED_TRACE(name);
        const auto input = make_input(voxels, 4);
        const auto cells = spec.kernel.volume();
        // Two groups, a bias.
        expect_gradients({input.tensor.features.clone(), random_tensor({cells, 2, 2, 3}, "w"),
                          random_tensor({6}, "b")},
                         [&](const std::vector<at::Tensor>& t) {
                             return conv(input.tensor.with(t[0]), t[1], t[2], spec).features;
                         });
        expect_gradients({input.tensor.features.clone(), random_tensor({cells, 4}, "w"),
                          random_tensor({4}, "b")},
                         [&](const std::vector<at::Tensor>& t) {
                             return depthwise(input.tensor.with(t[0]), t[1], t[2], spec).features;
                         });
        const auto coarse = input.tensor.maps->coarser(input.tensor.coordinates, spec.kernel,
                                                       spec.stride, spec.sites);
        expect_gradients(
            {random_tensor({coarse->size(), 3}, "coarse"), random_tensor({cells, 3, 2}, "w")},
            [&](const std::vector<at::Tensor>& t) {
                return conv_transposed({coarse, t[0], input.tensor.maps}, t[1], {}, spec,
                                       input.tensor.coordinates)
                    .features;
            });
    }
}

/// A small network of every kind of layer, float32: down, up, joined.
at::Tensor small_network(const Input& input, std::vector<at::Tensor>* gradients = nullptr) {
    const auto weight = [&](std::vector<std::int64_t> shape, std::string_view name) {
        auto w = random_tensor(shape, name, at::kFloat);
        if (gradients != nullptr) gradients->push_back(w.set_requires_grad(true));
        return w;
    };
    const auto half = strided({2, 2, 2}, {2, 2, 2});
    auto x = conv(input.tensor, weight({27, 3, 16}, "w1"), {}, submanifold({3, 3, 3}));
    auto norm = BatchNorm::make(16, at::kFloat);
    x = x.with(norm.train(x.features));
    auto down = conv(x, weight({8, 16, 20}, "w2"), {}, half);
    down = conv(down, weight({27, 20, 20}, "w3"), {}, submanifold({3, 3, 3}));
    down = depthwise(down, weight({343, 20}, "w4"), {}, submanifold({7, 7, 7}));
    const auto up = conv_transposed(down, weight({8, 20, 16}, "w5"), {}, half, x.coordinates);
    const auto y = conv(concatenate(x, up), weight({1, 32, 5}, "w6"), {}, submanifold({1, 1, 1}));
    return to_rows(y, input);
}

TEST(Convolution, ResultsFollowTheRowsWhenTheyArePermutedBitForBit) {
    const auto voxels = test::random_voxels(700, 12, 3, "permuted");
    const auto input = make_input(voxels, 3, at::kFloat);
    const auto rows = static_cast<std::int64_t>(voxels.size());
    const auto order = at::argsort(random_tensor({rows}, "order"));
    const auto features = to_rows(input.tensor, input);
    const auto moved = from_rows(at::index_select(test::to_tensor(voxels), 0, order),
                                 at::index_select(features, 0, order));
    EXPECT_TRUE(at::index_select(small_network(input), 0, order).equal(small_network(moved)));
}

TEST(Convolution, NothingDependsOnTheNumberOfThreads) {
    const auto voxels = test::random_voxels(20000, 40, 2, "threads");
    const auto run = [&](int threads) {
        base::set_threads(threads);
        std::vector<at::Tensor> weights;
        const auto y = small_network(make_input(voxels, 3, at::kFloat), &weights);
        y.square().sum().backward();
        std::vector<at::Tensor> results{y.detach()};
        for (const auto& weight : weights) results.push_back(weight.grad());
        return results;
    };
    const auto one = run(1), three = run(3);
    base::set_threads(1);
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(three[i])) << i;
}

TEST(Convolution, CommutesWithTranslationAndDoesNotSeeOtherEvents) {
    const auto voxels = test::random_voxels(400, 10, 1, "moved");
    const auto weights = random_tensor({27, 3, 16}, "w", at::kFloat);
    const auto run = [&](const std::vector<Voxel>& rows) {
        const auto input = make_input(rows, 3, at::kFloat);
        auto y = conv(input.tensor, weights, {}, submanifold({3, 3, 3}));
        y = conv(y, random_tensor({8, 16, 4}, "v", at::kFloat), {}, strided({2, 2, 2}, {2, 2, 2}));
        y = conv_transposed(y, random_tensor({8, 4, 4}, "u", at::kFloat), {},
                            strided({2, 2, 2}, {2, 2, 2}), input.tensor.coordinates);
        return to_rows(y, input);
    };
    const auto expected = run(voxels);
    auto moved = voxels;
    for (auto& v : moved) v = {v.batch, v.x + 1000000, v.y - 2000000, v.z + 64};
    EXPECT_TRUE(run(moved).equal(expected));
    auto beside = voxels;
    for (auto v : voxels) beside.push_back({1, v.x + 1, v.y, v.z});
    EXPECT_TRUE(run(beside).slice(0, 0, expected.size(0)).equal(expected));
}

TEST(Convolution, DownAndUpRestoresTheVoxels) {
    const auto input = make_input(test::random_voxels(300, 20, 2, "restored"), 2);
    const auto spec = strided({2, 2, 2}, {2, 2, 2});
    const auto ones = [](std::int64_t cells) {
        return at::eye(2, at::kDouble).expand({cells, 2, 2}).contiguous();
    };
    const auto coarse = conv(input.tensor, ones(8), {}, spec);
    const auto fine = conv_transposed(coarse, ones(8), {}, spec, input.tensor.coordinates);
    EXPECT_EQ(fine.coordinates, input.tensor.coordinates);
    EXPECT_NEAR(coarse.features.sum().item<double>(), input.tensor.features.sum().item<double>(),
                1e-10);
}

TEST(Convolution, OfNoVoxelsOneVoxelAndEmptyEventsIsDefined) {
    for (const auto type : {at::kFloat, at::kDouble}) {
        for (const std::size_t count : {0U, 1U}) {
            const std::vector<Voxel> voxels(count, Voxel{2, -5, 3, 1});
            auto features = random_tensor({static_cast<std::int64_t>(count), 3}, "x", type);
            features.set_requires_grad(true);
            const auto input = from_rows(test::to_tensor(voxels), features, {.events = 4});
            for (const auto& [name, spec] : test::kernel_cases()) {
                SCOPED_TRACE(name);
                auto weight = random_tensor({spec.kernel.volume(), 3, 5}, "w", type);
                weight.set_requires_grad(true);
                const auto y = conv(input.tensor, weight, {}, spec);
                EXPECT_EQ(y.channels(), 5);
                EXPECT_EQ(y.coordinates->events(), 4);
                y.features.sum().backward();
                EXPECT_TRUE(at::isfinite(weight.grad()).all().item<bool>());
                EXPECT_TRUE(at::isfinite(features.grad()).all().item<bool>());
            }
        }
    }
}

TEST(Convolution, EndingsAreTheSameStepsOneAfterTheOther) {
    for (const auto type : {at::kFloat, at::kDouble}) {
        const auto input = make_input(test::random_voxels(300, 8, 2, "ending"), 3, type);
        const std::int64_t out = 21;
        const auto weight = random_tensor({27, 3, out}, "w", type);
        const auto rows = input.tensor.voxels();
        const Ending ending{random_tensor({out}, "b", type),
                            random_tensor({rows, out}, "r", type),
                            random_tensor({out}, "s", type),
                            random_tensor({out}, "t", type),
                            0.25,
                            true};
        const auto spec = submanifold({3, 3, 3});
        const auto done = conv_ended(input.tensor, weight, spec, ending);
        const auto plain = conv(input.tensor, weight, ending.bias, spec).features + ending.residual;
        EXPECT_LE(largest_difference(done.plain.features, plain), 1e-5);
        const auto y = at::leaky_relu(plain * ending.scale + ending.shift, 0.25);
        EXPECT_LE(largest_difference(done.y.features, y), 1e-5);
    }
}

TEST(Convolution, SaysWhatDoesNotFit) {
    const auto input = make_input(test::random_voxels(10, 4, 1, "errors"), 3);
    const auto weight = random_tensor({27, 4, 2}, "w");
    EXPECT_NE(hodo::test::error_of([&] {
                  conv(input.tensor, weight, {}, submanifold({3, 3, 3}));
              }).find("4 channels"),
              std::string::npos);
    EXPECT_NE(hodo::test::error_of([&] {
                  conv(input.tensor, weight, {}, submanifold({1, 3, 3}));
              }).find("1 x 3 x 3"),
              std::string::npos);
    EXPECT_NE(hodo::test::error_of([&] {
                  conv_transposed(input.tensor, random_tensor({8, 3, 2}, "w"), {},
                                  strided({2, 2, 2}, {2, 2, 2}), input.tensor.coordinates);
              }).find("stride 2"),
              std::string::npos);
}

}  // namespace
}  // namespace hodo::sparse
