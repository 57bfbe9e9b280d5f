#include "hodo/workflow/om2vec/learn/inference.hh"

#include <gtest/gtest.h>

#include <numeric>

#include "hodo/base/threads.hh"
#include "small_network.hh"

namespace hodo::om2vec {
namespace {

using test::make_model;
using test::random_counts;
using test::tiny_options;

struct Latents {
    std::vector<float> mean, log_variance;
    bool operator==(const Latents&) const = default;
};

Latents encode(const Inference& inference, const CountView& counts) {
    const auto size = static_cast<std::size_t>(counts.size() * inference.options().latent);
    Latents latents{std::vector<float>(size), std::vector<float>(size)};
    inference.encode(counts, latents.mean, latents.log_variance);
    return latents;
}

std::vector<float> decode(const Inference& inference, std::span<const float> z) {
    const auto& options = inference.options();
    std::vector<float> logits(z.size() / static_cast<std::size_t>(options.latent) *
                              static_cast<std::size_t>(options.bins));
    inference.decode(z, logits);
    return logits;
}

at::Tensor matrix(const std::vector<float>& values, std::int64_t columns) {
    return at::from_blob(const_cast<float*>(values.data()), {std::ssize(values) / columns, columns},
                         at::kFloat);
}

/// Networks whose sizes fit no tile, and one with positions.
std::vector<ModelOptions> odd_options() {
    std::vector<ModelOptions> list(3, tiny_options());
    list[1].embed = 20;
    list[1].heads = 4;
    list[1].tokens = {33, 9, 17};
    list[1].bins = 70;
    list[1].feedforward = 150;
    list[2].sensor_positional_encoding = true;
    list[2].tokens = {50};
    list[2].latent = 3;
    return list;
}

TEST(Inference, every_variant_agrees_with_the_network_on_plain_tensors) {
    for (const auto& options : odd_options()) {
        const auto model = make_model(options, at::kFloat);
        auto counts = random_counts(7, options.bins, 5);
        for (int i = 0; i < 7; ++i) counts.positions.push_back({0.1 * i, -0.2, 0.3});
        auto pass = make_pass(model, nn::Mode::evaluate);
        pass.engine = nn::Engine::plain;
        const auto expected = model.encode(make_batch(counts.view(), options.bins), pass);
        const auto logits = model.decode(expected.mean, pass);
        for (const auto* kernels : nn::available_kernels()) {
            const Inference inference(model, *kernels);
            const auto latents = encode(inference, counts.view());
            EXPECT_TRUE(
                at::allclose(matrix(latents.mean, options.latent), expected.mean, 1e-4, 1e-5))
                << kernels->name;
            EXPECT_TRUE(at::allclose(matrix(latents.log_variance, options.latent),
                                     expected.log_variance, 1e-4, 1e-5))
                << kernels->name;
            EXPECT_TRUE(at::allclose(matrix(decode(inference, latents.mean), options.bins), logits,
                                     1e-4, 1e-5))
                << kernels->name;
        }
    }
}

TEST(Inference, results_are_the_same_bits_for_any_threads_and_grouping) {
    const auto model = make_model(tiny_options(), at::kFloat);
    const auto counts = random_counts(70, tiny_options().bins, 5);
    const int before = base::threads();
    for (const auto* kernels : nn::available_kernels()) {
        const Inference inference(model, *kernels);
        base::set_threads(1);
        const auto whole = encode(inference, counts.view());
        const auto logits = decode(inference, whole.mean);
        base::set_threads(3);
        EXPECT_EQ(encode(inference, counts.view()), whole) << kernels->name;
        EXPECT_EQ(decode(inference, whole.mean), logits) << kernels->name;
        Latents joined;
        std::vector<float> joined_logits;
        for (const auto& [first, last] : {std::pair{0, 1}, {1, 6}, {6, 70}}) {
            const auto part = encode(inference, counts.view().part(first, last));
            const auto part_logits = decode(inference, part.mean);
            joined.mean.insert(joined.mean.end(), part.mean.begin(), part.mean.end());
            joined.log_variance.insert(joined.log_variance.end(), part.log_variance.begin(),
                                       part.log_variance.end());
            joined_logits.insert(joined_logits.end(), part_logits.begin(), part_logits.end());
        }
        EXPECT_EQ(joined, whole) << kernels->name;
        EXPECT_EQ(joined_logits, logits) << kernels->name;
    }
    base::set_threads(before);
}

TEST(Inference, equal_histograms_are_recognised_and_share_their_latents) {
    const std::vector<std::int64_t> offsets{0, 2, 4, 6, 7, 7, 7};
    const std::vector<std::int32_t> bins{1, 5, 1, 5, 1, 5, 1};
    const std::vector<float> photons{2, 1, 2, 1, 1, 2, 2};
    CountView counts{offsets, bins, photons, {}};
    EXPECT_EQ(first_equal_module(counts), (std::vector<std::int64_t>{0, 0, 2, 3, 4, 4}));
    const Inference inference(make_model(tiny_options(), at::kFloat));
    const auto latents = encode(inference, counts);
    for (std::int64_t module = 0; module < counts.size(); ++module) {
        const auto alone = encode(inference, counts.part(module, module + 1));
        const auto first = latents.mean.begin() + module * 6;
        EXPECT_EQ(alone.mean, std::vector<float>(first, first + 6)) << module;
    }
    const std::vector<optical::Point> positions{{0, 0, 0}, {0, 0, 1}, {0, 0, 0},
                                                {0, 0, 0}, {0, 0, 0}, {0, 0, 0}};
    counts.positions = positions;
    EXPECT_EQ(first_equal_module(counts), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 4}));
}

TEST(Inference, takes_no_modules) {
    const Inference inference(make_model(tiny_options(), at::kFloat));
    EXPECT_TRUE(encode(inference, {}).mean.empty());
    EXPECT_TRUE(decode(inference, {}).empty());
}

TEST(Inference, does_not_see_later_changes_of_the_model) {
    auto model = make_model(tiny_options(), at::kFloat);
    const Inference inference(model);
    const auto counts = random_counts(2, tiny_options().bins, 5);
    const auto before = encode(inference, counts.view());
    model.initialise(99);
    EXPECT_EQ(encode(inference, counts.view()), before);
}

TEST(Inference, refuses_bins_outside_the_network) {
    const Inference inference(make_model(tiny_options(), at::kFloat));
    const std::vector<std::int64_t> offsets{0, 1};
    const std::vector<std::int32_t> bins{40};
    const std::vector<float> photons{1};
    const CountView counts{offsets, bins, photons, {}};
    EXPECT_NE(test::error_of([&] { encode(inference, counts); }).find("bin 40 lies outside 0..39"),
              std::string::npos);
}

}  // namespace
}  // namespace hodo::om2vec
