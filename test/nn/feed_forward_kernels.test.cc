#include <gtest/gtest.h>

#include <string>

#include "nn/feed_forward_cases.hh"

namespace hodo::nn {
namespace {

// One table of cases; every variant is judged by the readable twin, which is judged by finite
// differences here and by LibTorch's autograd in feed_forward.test.cc.

/// `scale` is the size of the terms that add up to the values.
void expect_near(std::span<const float> actual, std::span<const float> expected, double tolerance,
                 double scale = 1e-3) {
    double largest = scale;
    for (const float value : expected) largest = std::max(largest, std::abs(double{value}));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(actual[i], expected[i], tolerance * largest) << "number " << i;
    }
}
void expect_near(StoredMatrix& actual, StoredMatrix& expected, double tolerance) {
    std::vector<float> numbers[2];
    for (auto* matrix : {&actual, &expected}) {
        for (std::int64_t i = 0; i < matrix->rows; ++i) {
            for (std::int64_t j = 0; j < matrix->columns; ++j) {
                numbers[matrix == &actual ? 0 : 1].push_back(static_cast<float>(matrix->at(i, j)));
            }
        }
    }
    expect_near(numbers[0], numbers[1], tolerance);
}

class FeedForwardVariant : public ::testing::TestWithParam<const Kernels*> {};

TEST_P(FeedForwardVariant, agrees_with_the_readable_twin_there_and_back) {
    for (const auto& what : feed_forward_cases()) {
        SCOPED_TRACE(what.name);
        FeedForwardData actual(what), expected(what);
        FeedForwardRun run(actual, *GetParam());
        run.run();
        run.differentiate();
        run.write();
        const auto task = expected.task();
        feed_forward_reference(task.task);
        feed_forward_gradient_reference(task);
        // Rows in bfloat16 are rounded to 1/256 when they are stored.
        const double limit = what.storage == Storage::bfloat16 ? 1.0 / 128 : 4e-6;
        expect_near(actual.y, expected.y, limit);
        expect_near(actual.grad_x, expected.grad_x, limit);
        expect_near(actual.grad_weight1, expected.grad_weight1, 1e-5);
        expect_near(actual.grad_bias1, expected.grad_bias1, 1e-5);
        expect_near(actual.grad_weight2, expected.grad_weight2, 1e-5);
        if (HasFatalFailure()) return;
    }
}

/// y . grad_y by the readable twin.
double loss(FeedForwardData& data) {
    feed_forward_reference(data.task().task);
    double sum = 0.0;
    for (std::int64_t i = 0; i < data.y.rows; ++i) {
        for (std::int64_t j = 0; j < data.y.columns; ++j) {
            sum += data.y.at(i, j) * data.grad_y.at(i, j);
        }
    }
    return sum;
}

TEST_P(FeedForwardVariant, gradients_of_smooth_activations_agree_with_finite_differences) {
    for (const auto& what : feed_forward_cases()) {
        const bool is_smooth = what.activation != Activation::relu && what.width <= 1;
        if (!is_smooth || what.storage == Storage::bfloat16) continue;
        SCOPED_TRACE(what.name);
        FeedForwardData data(what);
        FeedForwardRun run(data, *GetParam());
        run.differentiate();
        run.write();
        const std::pair<std::vector<float>*, const std::vector<float>*> inputs[] = {
            {&data.weight1, &data.grad_weight1},
            {&data.bias1, &data.grad_bias1},
            {&data.weight2, &data.grad_weight2}};
        for (const auto& [input, gradient] : inputs) {
            // Along a direction of length one.
            const auto before = *input;
            const auto count = std::ssize(before);
            const auto direction = FeedForwardData::numbers(count, "way", count);
            double expected = 0.0;
            for (std::size_t i = 0; i < before.size(); ++i) {
                expected += double{(*gradient)[i]} * double{direction[i]};
            }
            constexpr float step = 1e-2F;
            double values[2];
            for (const int side : {0, 1}) {
                for (std::size_t i = 0; i < before.size(); ++i) {
                    (*input)[i] = before[i] + (side == 0 ? step : -step) * direction[i];
                }
                values[side] = loss(data);
            }
            *input = before;
            const double found = (values[0] - values[1]) / (2 * double{step});
            EXPECT_NEAR(found, expected, 2e-3 * (1.0 + std::abs(expected)));
        }
    }
}

TEST_P(FeedForwardVariant, a_row_has_the_same_bits_whatever_its_neighbours) {
    for (const auto activation : {Activation::relu, Activation::gelu, Activation::gelu_tanh}) {
        FeedForwardCase what{"alone", 19, 32, 200, activation, 0.3};
        FeedForwardData all(what);
        FeedForwardRun run(all, *GetParam());
        run.run();
        run.differentiate();
        run.write();
        what.rows = 7;  // the first of them
        FeedForwardData some(what);
        FeedForwardRun fewer(some, *GetParam());
        fewer.run();
        fewer.differentiate();
        fewer.write();
        for (std::int64_t row = 0; row < what.rows; ++row) {
            for (std::int64_t c = 0; c < what.channels; ++c) {
                ASSERT_EQ(some.y.at(row, c), all.y.at(row, c));
                ASSERT_EQ(some.grad_x.at(row, c), all.grad_x.at(row, c));
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Kernels, FeedForwardVariant,
                         ::testing::ValuesIn(available_kernels().begin(),
                                             available_kernels().end()),
                         [](const auto& parameter) { return std::string(parameter.param->name); });

TEST(Activations, of_the_readable_twin_have_the_slopes_that_differences_show) {
    for (const auto activation : {Activation::gelu, Activation::gelu_tanh}) {
        for (double x = -6; x <= 6; x += 0.37) {
            const double step = 1e-4;
            const double found =
                (activated(activation, x + step).value - activated(activation, x - step).value) /
                (2 * step);
            EXPECT_NEAR(found, activated(activation, x).slope, 1e-7) << x;
        }
    }
}

TEST(Activations, gelu_keeps_large_numbers_and_drops_very_negative_ones) {
    for (const auto activation : {Activation::gelu, Activation::gelu_tanh}) {
        EXPECT_EQ(activated(activation, 0.0).value, 0.0);
        EXPECT_NEAR(activated(activation, 20.0).value, 20.0, 1e-9);
        EXPECT_NEAR(activated(activation, -20.0).value, 0.0, 1e-9);
    }
}

}  // namespace
}  // namespace hodo::nn
