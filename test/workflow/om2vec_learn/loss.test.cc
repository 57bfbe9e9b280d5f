#include "hodo/workflow/om2vec/learn/loss.hh"

#include <gtest/gtest.h>

#include <cmath>

#include "small_network.hh"

namespace hodo::om2vec {
namespace {

constexpr std::int64_t bins = 30;

at::Tensor random_matrix(std::int64_t rows, std::int64_t columns, std::string_view purpose) {
    auto matrix = at::empty({rows, columns}, at::TensorOptions().dtype(at::kDouble));
    base::Random random(9, purpose);
    for (std::int64_t i = 0; i < matrix.numel(); ++i) {
        matrix.data_ptr<double>()[i] = random.normal();
    }
    return matrix;
}

TEST(Loss, reconstruction_is_the_sum_of_the_published_formula) {
    const auto counts = test::random_counts(4, bins, 5);
    const auto batch = make_batch(counts.view(), bins);
    const auto logits = random_matrix(4, bins, "logits");
    const auto n = at::expm1(dense_input(batch, at::kDouble)).round();
    const auto total = n.sum(-1, true);
    const auto rate = total * at::softmax(logits, -1);
    const auto expected = -(n * at::log(rate + 1e-8) - rate - at::lgamma(n + 1.0)).sum(-1);
    EXPECT_TRUE(at::allclose(negative_log_likelihood(logits, batch), expected, 1e-12));
}

TEST(Loss, reconstruction_does_not_feel_a_shift_of_the_logits) {
    const auto batch = make_batch(test::random_counts(4, bins, 5).view(), bins);
    const auto logits = random_matrix(4, bins, "logits");
    EXPECT_TRUE(at::allclose(negative_log_likelihood(logits + 7.5, batch),
                             negative_log_likelihood(logits, batch), 1e-12));
}

TEST(Loss, reconstruction_is_smallest_for_the_counts_own_distribution) {
    const auto batch = make_batch(test::random_counts(4, bins, 5).view(), bins);
    const auto n = at::expm1(dense_input(batch, at::kDouble));
    const auto best = at::log(n + 1e-9);
    const auto least = negative_log_likelihood(best, batch);
    for (const double width : {0.1, 1.0}) {
        const auto other = best + width * random_matrix(4, bins, "perturbation");
        EXPECT_TRUE((negative_log_likelihood(other, batch) > least).all().item<bool>());
    }
}

TEST(Loss, divergence_is_zero_at_the_prior_and_positive_elsewhere) {
    const auto zero = at::zeros({3, 8}, at::TensorOptions().dtype(at::kDouble));
    EXPECT_EQ(kl_divergence({zero, zero}).abs().max().item<double>(), 0.0);
    for (int i = 0; i < 20; ++i) {
        const auto mean = random_matrix(3, 8, "mean") * (0.1 * i);
        const auto log_variance = random_matrix(3, 8, "variance") * (0.2 * i) + 1e-3;
        EXPECT_GT(kl_divergence({mean, log_variance}).min().item<double>(), 0.0);
    }
}

TEST(Loss, mean_reduction_with_beta_times_batch_is_the_sum_reduction) {
    const auto batch = make_batch(test::random_counts(4, bins, 5).view(), bins);
    const Output output{{random_matrix(4, 8, "mean"), random_matrix(4, 8, "variance")},
                        {},
                        random_matrix(4, bins, "logits")};
    const auto sum = loss(output, batch, 0.02, KlReduction::sum);
    const auto mean = loss(output, batch, 0.08, KlReduction::mean);
    EXPECT_NEAR(sum.total.item<double>(), mean.total.item<double>(), 1e-12);
    EXPECT_NEAR(sum.kl.item<double>(), 4 * mean.kl.item<double>(), 1e-12);
}

TEST(Loss, distance_is_zero_for_equal_and_largest_for_disjoint_distributions) {
    const std::vector<std::int64_t> offsets{0, 2, 3, 3};
    const std::vector<std::int32_t> places{0, 1, 5};
    const std::vector<float> photons{3, 1, 2};
    const auto batch = make_batch({offsets, places, photons, {}}, bins);
    auto logits = at::full({3, bins}, -1e3, at::TensorOptions().dtype(at::kDouble));
    logits[0][0] = std::log(3.0);
    logits[0][1] = 0.0;
    logits[1][6] = 0.0;
    const auto distance = jensen_shannon_distance(logits, batch);
    EXPECT_NEAR(distance[0].item<double>(), 0.0, 1e-7);
    EXPECT_NEAR(distance[1].item<double>(), std::sqrt(std::log(2.0)), 1e-12);
    EXPECT_TRUE(std::isnan(distance[2].item<double>()));
}

}  // namespace
}  // namespace hodo::om2vec
