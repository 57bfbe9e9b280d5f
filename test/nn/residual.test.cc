#include "hodo/nn/residual.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "hodo/base/random.hh"
#include "hodo/base/threads.hh"
#include "hodo/nn/kernels/residual.hh"

namespace hodo::nn {
namespace {

// One table of cases; every variant is judged by the readable reference, the reference by finite
// differences, and the whole by LibTorch.

MaskStream mask_of(double probability) {
    return {{0x12345678U, 0x9abcdef0U},
            3,
            5,
            1000,
            static_cast<std::uint32_t>(65536.0 * probability),
            static_cast<float>(1.0 / (1.0 - probability))};
}

struct Case {
    std::int64_t rows, channels;
    double probability;
};
const Case cases[] = {{1, 16, 0.0}, {3, 32, 0.1}, {17, 48, 0.5}, {5, 512, 0.3}, {2, 1040, 0.1}};

/// Inputs, results and gradients of one case.
struct Rows {
    Case shape;
    MaskStream mask;
    std::vector<float> x, change, scale, shift, grad_y, y, normal, factor;
    std::vector<float> grad_x, grad_change, grad_scale, grad_shift;

    explicit Rows(const Case& c)
        : shape(c),
          mask(c.probability == 0 ? MaskStream{} : mask_of(c.probability)),
          x(numbers(c.rows * c.channels, "x")),
          change(numbers(c.rows * c.channels, "change")),
          scale(numbers(c.channels, "scale")),
          shift(numbers(c.channels, "shift")),
          grad_y(numbers(c.rows * c.channels, "gradient")),
          y(x.size()),
          normal(x.size()),
          factor(static_cast<std::size_t>(c.rows)),
          grad_x(x.size()),
          grad_change(x.size()),
          grad_scale(scale.size()),
          grad_shift(scale.size()) {}
    static std::vector<float> numbers(std::int64_t count, std::string_view purpose) {
        base::Random random(7, purpose);
        std::vector<float> values(static_cast<std::size_t>(count));
        for (auto& value : values) value = static_cast<float>(random.normal());
        return values;
    }
    void forward(const RowKernels& kernels) {
        kernels.residual({x.data(), change.data(), shape.rows, shape.channels, mask, scale.data(),
                          shift.data(), y.data(), normal.data(), factor.data()});
    }
    void backward(const RowKernels& kernels) {
        kernels.residual_gradient({grad_y.data(), normal.data(), factor.data(), shape.rows,
                                   shape.channels, mask, scale.data(), grad_x.data(),
                                   grad_change.data(), grad_scale.data(), grad_shift.data()});
    }
};

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected,
                 const char* what) {
    ASSERT_EQ(actual.size(), expected.size());
    float largest = 1e-3F;
    for (const float value : expected) largest = std::max(largest, std::abs(value));
    // float32 sums of at most about 1,000 terms near 1.
    for (std::size_t i = 0; i < actual.size(); ++i) {
        ASSERT_NEAR(actual[i], expected[i], 2e-6F * largest) << what << " " << i;
    }
}

class EveryRowVariant : public ::testing::TestWithParam<const RowKernels*> {};

TEST_P(EveryRowVariant, masks_have_the_bits_of_the_reference) {
    for (const std::int64_t columns : {1, 7, 8, 19, 64, 255, 256, 300, 1024}) {
        std::vector<float> actual(static_cast<std::size_t>(5 * columns)), expected(actual.size());
        for (const double probability : {0.001, 0.1, 0.5, 0.999}) {
            GetParam()->fill_mask(mask_of(probability), 5, columns, actual.data());
            reference_row_kernels.fill_mask(mask_of(probability), 5, columns, expected.data());
            ASSERT_EQ(actual, expected) << columns << " columns, " << probability;
        }
    }
}

TEST_P(EveryRowVariant, normalised_sums_and_their_gradients_agree_with_the_reference) {
    for (const auto& shape : cases) {
        Rows actual(shape), expected(shape);
        actual.forward(*GetParam());
        expected.forward(reference_row_kernels);
        expect_near(actual.y, expected.y, "y");
        expect_near(actual.normal, expected.normal, "normalised");
        expect_near(actual.factor, expected.factor, "factor");
        actual.backward(*GetParam());
        expected.backward(reference_row_kernels);
        expect_near(actual.grad_x, expected.grad_x, "gradient of x");
        expect_near(actual.grad_change, expected.grad_change, "gradient of change");
        expect_near(actual.grad_scale, expected.grad_scale, "gradient of scale");
        expect_near(actual.grad_shift, expected.grad_shift, "gradient of shift");
    }
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryRowVariant,
                         ::testing::ValuesIn(available_row_kernels().begin(),
                                             available_row_kernels().end()),
                         [](const auto& variant) { return std::string(variant.param->name); });

/// grad_y y summed.
double projected(Rows rows) {
    rows.forward(reference_row_kernels);
    double sum = 0;
    for (std::size_t i = 0; i < rows.y.size(); ++i) {
        sum += static_cast<double>(rows.y[i]) * static_cast<double>(rows.grad_y[i]);
    }
    return sum;
}

TEST(ResidualReference, gradients_are_finite_differences) {
    const Case shape{2, 16, 0.3};
    Rows rows(shape);
    rows.forward(reference_row_kernels);
    rows.backward(reference_row_kernels);
    const auto check = [&](std::vector<float> Rows::*input, const std::vector<float>& gradient) {
        for (std::size_t i = 0; i < gradient.size(); i += 3) {
            constexpr float step = 0x1p-7F;
            Rows above(shape), below(shape);
            (above.*input)[i] += step;
            (below.*input)[i] -= step;
            const double slope = (projected(above) - projected(below)) / (2 * step);
            // Third derivatives times the step's square, and float32 outputs over the step.
            ASSERT_NEAR(gradient[i], slope, 2e-3) << i;
        }
    };
    check(&Rows::x, rows.grad_x);
    check(&Rows::change, rows.grad_change);
    check(&Rows::scale, rows.grad_scale);
    check(&Rows::shift, rows.grad_shift);
}

TEST(ResidualNorm, agrees_with_plain_operations_with_gradients_and_masks) {
    const at::TensorOptions floats = at::TensorOptions().dtype(at::kFloat);
    auto norm = LayerNorm::make(32, floats);
    norm.initialise();
    const auto x = at::randn({3, 700, 32}).requires_grad_(true);
    const auto change = at::randn({3, 700, 32}).requires_grad_(true);
    const auto weight = at::randn(x.sizes());
    const at::Tensor* tensors[] = {&x, &change, &norm.weight, &norm.bias};
    for (const double dropout : {0.0, 0.1}) {
        std::vector<at::Tensor> results[2];
        for (const auto engine : {Engine::plain, Engine::fused}) {
            for (const auto* tensor : tensors) tensor->mutable_grad() = at::Tensor();
            Pass pass;
            pass.mode = Mode::train;
            pass.dropout = dropout;
            pass.engine = engine;
            pass.first_entry = 5;
            const auto y = residual_norm(x, change, norm, pass);
            EXPECT_EQ(pass.next_place(), dropout > 0 ? 1U : 0U);
            (y * weight).sum().backward();
            auto& result = results[engine == Engine::plain ? 0 : 1];
            result.push_back(y.detach());
            for (const auto* tensor : tensors) result.push_back(tensor->grad().clone());
        }
        for (std::size_t i = 0; i < results[0].size(); ++i) {
            EXPECT_TRUE(at::allclose(results[1][i], results[0][i], 1e-4, 1e-4)) << i;
        }
    }
}

TEST(ResidualNorm, gradients_have_the_same_bits_for_any_number_of_threads) {
    auto norm = LayerNorm::make(32, at::TensorOptions().dtype(at::kFloat));
    norm.initialise();
    const auto x = at::randn({5, 900, 32}), change = at::randn({5, 900, 32});
    const int before = base::threads();
    std::vector<at::Tensor> gradients;
    for (const int threads : {1, 2, 3}) {
        base::set_threads(threads);
        norm.weight.mutable_grad() = at::Tensor();
        Pass pass;
        pass.mode = Mode::train;
        pass.dropout = 0.1;
        residual_norm(x, change, norm, pass).pow(3).sum().backward();
        gradients.push_back(norm.weight.grad().clone());
    }
    base::set_threads(before);
    EXPECT_TRUE(at::equal(gradients[0], gradients[1]));
    EXPECT_TRUE(at::equal(gradients[0], gradients[2]));
}

}  // namespace
}  // namespace hodo::nn
