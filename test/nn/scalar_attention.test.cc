#include "hodo/nn/scalar_attention.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "hodo/base/random.hh"

namespace hodo::nn {
namespace {

std::vector<float> random_numbers(std::int64_t count, std::string_view purpose, double width) {
    base::Random random(5, purpose);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (auto& value : values) value = static_cast<float>(width * random.normal());
    return values;
}

/// An attention whose tokens are x_i = s_i weight + bias.
struct Lifted {
    std::int64_t heads, channels;
    std::vector<float> in_weight, in_bias, out_weight, out_bias, weight, bias, numbers;

    Lifted(std::int64_t h, std::int64_t head_size, std::int64_t tokens, double width)
        : heads(h),
          channels(h * head_size),
          in_weight(random_numbers(3 * channels * channels, "in", 0.3)),
          in_bias(random_numbers(3 * channels, "in bias", 0.5)),
          out_weight(random_numbers(channels * channels, "out", 0.3)),
          out_bias(random_numbers(channels, "out bias", 0.5)),
          weight(random_numbers(channels, "weight", 1.0)),
          bias(random_numbers(channels, "bias", 1.0)),
          numbers(random_numbers(tokens, "numbers", width)) {}

    AttentionSpan spans() const {
        return {{in_weight, in_bias, 3 * channels, channels},
                {out_weight, out_bias, channels, channels}};
    }
    std::int64_t tokens() const { return std::ssize(numbers); }
};

double map_row(const std::vector<float>& weight, const std::vector<float>& bias, std::size_t row,
               const std::vector<double>& x) {
    double sum = static_cast<double>(bias[row]);
    for (std::size_t i = 0; i < x.size(); ++i) {
        sum += static_cast<double>(weight[row * x.size() + i]) * x[i];
    }
    return sum;
}

/// The published formulas in float64: tokens, projections, softmax over all pairs, output map.
std::vector<double> plain(const Lifted& what) {
    const auto channels = static_cast<std::size_t>(what.channels);
    const auto tokens = what.numbers.size(), size = channels / static_cast<std::size_t>(what.heads);
    std::vector<std::vector<double>> projected(tokens);
    for (std::size_t i = 0; i < tokens; ++i) {
        std::vector<double> x(channels);
        for (std::size_t c = 0; c < channels; ++c) {
            x[c] = static_cast<double>(what.numbers[i]) * static_cast<double>(what.weight[c]) +
                   static_cast<double>(what.bias[c]);
        }
        for (std::size_t row = 0; row < 3 * channels; ++row) {
            projected[i].push_back(map_row(what.in_weight, what.in_bias, row, x));
        }
    }
    std::vector<double> result;
    for (std::size_t i = 0; i < tokens; ++i) {
        std::vector<double> mixed(channels);
        for (std::size_t head = 0; head < channels; head += size) {
            std::vector<double> weights(tokens);
            for (std::size_t j = 0; j < tokens; ++j) {
                for (std::size_t c = head; c < head + size; ++c) {
                    weights[j] += projected[i][c] * projected[j][channels + c] /
                                  std::sqrt(static_cast<double>(size));
                }
            }
            const double largest = *std::max_element(weights.begin(), weights.end());
            double sum = 0.0;
            for (auto& weight : weights) sum += weight = std::exp(weight - largest);
            for (std::size_t c = head; c < head + size; ++c) {
                for (std::size_t j = 0; j < tokens; ++j) {
                    mixed[c] += weights[j] / sum * projected[j][2 * channels + c];
                }
            }
        }
        for (std::size_t c = 0; c < channels; ++c) {
            result.push_back(map_row(what.out_weight, what.out_bias, c, mixed));
        }
    }
    return result;
}

std::vector<float> scalar(const Lifted& what, const Kernels& kernels, MeansBy means_by) {
    const PackedScalarAttention attention(what.spans(), what.heads, what.weight, what.bias);
    Scratch scratch(what.tokens(), 1, what.channels, what.heads);
    attention(kernels, what.numbers, scratch, means_by);
    const auto stride = round_up(what.channels, channel_multiple);
    std::vector<float> result;
    for (std::int64_t i = 0; i < what.tokens(); ++i) {
        const float* row = scratch.change.data() + i * stride;
        result.insert(result.end(), row, row + what.channels);
    }
    return result;
}

class ScalarAttention : public ::testing::TestWithParam<const Kernels*> {};

TEST_P(ScalarAttention, is_the_attention_of_the_lifted_numbers) {
    struct Size {
        std::int64_t heads, head_size, tokens;
    };
    for (const auto& [heads, head_size, tokens] :
         {Size{4, 8, 200}, {1, 1, 1}, {2, 5, 33}, {3, 4, 2}, {4, 8, 64}}) {
        // From all weights nearly equal to one weight that dominates.
        for (const double width : {1e-3, 0.05, 0.5, 2.0, 10.0}) {
            const Lifted what(heads, head_size, tokens, width);
            const auto expected = plain(what);
            double largest = 0.0;
            for (const double value : expected) largest = std::max(largest, std::abs(value));
            for (const auto means_by : {MeansBy::sums, MeansBy::whatever_is_fast}) {
                const auto actual = scalar(what, *GetParam(), means_by);
                // Scores of up to 100 width^2 carry their rounding into the exponent.
                const double limit = (1e-6 + 1e-5 * width * width) * largest;
                for (std::size_t i = 0; i < expected.size(); ++i) {
                    ASSERT_NEAR(static_cast<double>(actual[i]), expected[i], limit)
                        << tokens << " tokens, width " << width << ", number " << i;
                }
            }
        }
    }
}

TEST_P(ScalarAttention, its_kernels_agree_with_the_reference) {
    const auto& reference = *available_kernels().front();
    for (const std::int64_t tokens : {1, 7, 16, 130}) {
        const auto numbers = random_numbers(tokens, "numbers", 2.0);
        auto slopes = random_numbers(37, "slopes", 5.0);
        slopes[0] = 0.0F, slopes[1] = 1e4F, slopes[2] = -1e4F;
        std::vector<float> actual(37), expected(37);
        GetParam()->scalar_means(slopes.data(), 37, numbers.data(), tokens, actual.data());
        reference.scalar_means(slopes.data(), 37, numbers.data(), tokens, expected.data());
        for (std::size_t i = 0; i < 37; ++i) EXPECT_NEAR(actual[i], expected[i], 2e-5F) << i;
        const auto series = random_numbers(20, "series", 0.3);
        std::vector<float> sums(numbers.size()), expected_sums(numbers.size());
        for (const std::int64_t terms : {1, 2, 20}) {
            GetParam()->chebyshev_sums(series.data(), terms, numbers.data(), tokens, 0.5F, 0.1F,
                                       sums.data());
            reference.chebyshev_sums(series.data(), terms, numbers.data(), tokens, 0.5F, 0.1F,
                                     expected_sums.data());
            for (std::size_t i = 0; i < sums.size(); ++i) {
                EXPECT_NEAR(sums[i], expected_sums[i], 1e-5F) << i;
            }
        }
    }
}

TEST_P(ScalarAttention, slopes_of_any_size_give_means_between_the_extremes) {
    const auto numbers = random_numbers(50, "numbers", 100.0);
    const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
    const std::vector<float> slopes{-1e30F, -1.0F, 0.0F, 1.0F, 1e30F};
    std::vector<float> means(slopes.size());
    GetParam()->scalar_means(slopes.data(), 5, numbers.data(), 50, means.data());
    EXPECT_FLOAT_EQ(means[0], *low);
    EXPECT_FLOAT_EQ(means[4], *high);
    EXPECT_TRUE(std::is_sorted(means.begin(), means.end()));
}

INSTANTIATE_TEST_SUITE_P(Kernels, ScalarAttention,
                         ::testing::ValuesIn(available_kernels().begin(),
                                             available_kernels().end()),
                         [](const auto& parameter) { return std::string(parameter.param->name); });

/// m(t) = sum_j s_j e^{t s_j} / sum_j e^{t s_j}
double mean_at(const std::vector<float>& numbers, double t) {
    double largest = -1e300, weights = 0.0, products = 0.0;
    for (const float s : numbers) largest = std::max(largest, t * static_cast<double>(s));
    for (const float s : numbers) {
        const double weight = std::exp(t * static_cast<double>(s) - largest);
        weights += weight;
        products += weight * static_cast<double>(s);
    }
    return products / weights;
}

TEST(InterpolationNodes, bring_the_error_of_the_means_below_the_rounding_of_float32) {
    // Two numbers far apart with equal weights in the middle: m = tanh, the hardest of all sets.
    const std::vector<float> pair{-0.5F, 0.5F};
    const auto many = random_numbers(300, "numbers", 0.2);
    for (const auto* numbers : {&pair, &many}) {
        const auto [low, high] = std::minmax_element(numbers->begin(), numbers->end());
        const auto width = static_cast<double>(*high - *low);
        for (const double spread : {1e-4, 0.1, 1.0, 3.0, 6.0, 10.0, 14.0}) {
            const auto n = interpolation_nodes(spread, 128);
            ASSERT_GT(n, 0) << spread;
            ASSERT_EQ(n % 16, 0);
            // Lagrange's interpolation in float64, by the barycentric formula.
            const double half = spread / width;
            std::vector<double> nodes, values, weights;
            for (std::int64_t k = 0; k < n; ++k) {
                const double angle =
                    M_PI * static_cast<double>(2 * k + 1) / static_cast<double>(2 * n);
                nodes.push_back(half * std::cos(angle));
                values.push_back(mean_at(*numbers, nodes.back()));
                weights.push_back((k % 2 == 0 ? 1.0 : -1.0) * std::sin(angle));
            }
            for (int i = 0; i <= 500; ++i) {
                const double t = half * (2.0 * i / 500 - 1.0003);
                double above = 0.0, below = 0.0;
                for (std::size_t k = 0; k < nodes.size(); ++k) {
                    above += weights[k] / (t - nodes[k]) * values[k];
                    below += weights[k] / (t - nodes[k]);
                }
                EXPECT_NEAR(above / below, mean_at(*numbers, t), width * 0x1p-26)
                    << "spread " << spread << ", " << n << " nodes, slope " << t;
            }
        }
    }
}

TEST(InterpolationNodes, are_none_where_sums_are_cheaper) {
    EXPECT_EQ(interpolation_nodes(1e3, 1000), 0);
    EXPECT_EQ(interpolation_nodes(1e-3, 8), 0);
    EXPECT_EQ(interpolation_nodes(std::nan(""), 1000), 0);
    EXPECT_EQ(interpolation_nodes(1e-3, 16), 16);
}

}  // namespace
}  // namespace hodo::nn
