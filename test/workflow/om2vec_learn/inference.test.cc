#include "hodo/workflow/om2vec/learn/inference.hh"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

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

/// One photon in each of `bins`.
test::Counts single_photons(const std::vector<std::int32_t>& bins) {
    test::Counts counts;
    for (const auto bin : bins) {
        counts.bins.push_back(bin);
        counts.counts.push_back(1.0F);
        counts.offsets.push_back(std::ssize(counts.bins));
    }
    return counts;
}

TEST(Inference, looks_up_modules_with_one_photon_and_gives_the_bits_of_encoding_them) {
    const auto model = make_model(tiny_options(), at::kFloat);
    const auto counts = single_photons({7, 39, 0, 7, 12});
    const Inference used(model);
    EXPECT_EQ(used.one_photon().size(), 0);
    std::vector<float> means(5 * 6);
    used.encode(counts.view().part(0, 2), std::span(means).first(2 * 6), {});  // no variances
    EXPECT_EQ(used.one_photon().size(), 2);
    for (int again = 0; again < 2; ++again) {
        const auto latents = encode(used, counts.view());
        EXPECT_EQ(used.one_photon().size(), 4);
        for (std::int64_t module = 0; module < 5; ++module) {
            const Inference fresh(model);
            const auto alone = encode(fresh, counts.view().part(module, module + 1));
            const auto part = [&](const std::vector<float>& all) {
                return std::vector<float>(all.begin() + module * 6, all.begin() + module * 6 + 6);
            };
            EXPECT_EQ(alone.mean, part(latents.mean)) << module;
            EXPECT_EQ(alone.log_variance, part(latents.log_variance)) << module;
        }
    }
}

TEST(Inference, looks_up_nothing_but_single_photons) {
    const Inference inference(make_model(tiny_options(), at::kFloat));
    test::Counts counts = single_photons({3, 3, 3});
    counts.counts = {2.0F, 0.5F, 1.0F};
    const auto latents = encode(inference, counts.view());
    EXPECT_EQ(inference.one_photon().size(), 1);
    EXPECT_EQ(encode(inference, counts.view()), latents);
    EXPECT_NE(std::vector<float>(latents.mean.begin(), latents.mean.begin() + 6),
              std::vector<float>(latents.mean.begin() + 12, latents.mean.end()));
}

TEST(Inference, a_network_that_reads_positions_does_not_look_up) {
    auto options = tiny_options();
    options.sensor_positional_encoding = true;
    const Inference inference(make_model(options, at::kFloat));
    auto counts = single_photons({3, 3});
    counts.positions = {{0, 0, 1}, {5, 0, 0}};
    const auto latents = encode(inference, counts.view());
    EXPECT_EQ(inference.one_photon().size(), 0);
    EXPECT_NE(std::vector<float>(latents.mean.begin(), latents.mean.begin() + 6),
              std::vector<float>(latents.mean.begin() + 6, latents.mean.end()));
}

TEST(Inference, many_threads_fill_and_read_the_table_of_single_photons) {
    const auto model = make_model(tiny_options(), at::kFloat);
    std::vector<std::int32_t> bins(200);
    for (std::size_t i = 0; i < bins.size(); ++i) bins[i] = static_cast<std::int32_t>(i * 7 % 40);
    const auto counts = single_photons(bins);
    const int before = base::threads();
    base::set_threads(4);
    const Inference shared(model), calm(model);
    const auto expected = encode(calm, counts.view());
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            EXPECT_EQ(encode(shared, counts.view().part(i, 200)).mean,
                      std::vector<float>(expected.mean.begin() + i * 6, expected.mean.end()));
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(shared.one_photon().size(), 40);
    base::set_threads(before);
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
