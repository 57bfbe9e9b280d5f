#include "hodo/nn/kernels/kernels.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "hodo/base/random.hh"
#include "hodo/nn/packed.hh"

namespace hodo::nn {
namespace {

// One table of cases; every variant of every kernel is judged by the readable reference.
// Tolerances: float32 sums of at most 2,048 products of numbers near 1.

const Kernels& reference() {
    return *available_kernels().front();
}

std::vector<float> random_numbers(std::int64_t count, std::string_view purpose,
                                  double width = 1.0) {
    base::Random random(7, purpose);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (auto& value : values) value = static_cast<float>(width * random.normal());
    return values;
}

/// A matrix [rows, columns] with zeros in its padding columns.
struct Matrix {
    std::int64_t rows, columns, stride;
    std::vector<float> values;

    Matrix(std::int64_t r, std::int64_t c)
        : rows(r),
          columns(c),
          stride(round_up(c, channel_multiple)),
          values(static_cast<std::size_t>(r * stride)) {}
    Matrix(std::int64_t r, std::int64_t c, std::string_view purpose) : Matrix(r, c) {
        const auto numbers = random_numbers(r * c, purpose);
        for (std::int64_t i = 0; i < r * c; ++i) {
            values[static_cast<std::size_t>(i / c * stride + i % c)] =
                numbers[static_cast<std::size_t>(i)];
        }
    }
    MatrixView view() { return {values.data(), stride}; }
};

/// `scale` is the size of the terms that add up to the values.
void expect_near(const Matrix& actual, const Matrix& expected, float tolerance,
                 float scale = 1e-3F) {
    float largest = scale;
    for (const float value : expected.values) largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
        ASSERT_NEAR(actual.values[i], expected.values[i], tolerance * largest) << "element " << i;
    }
}

struct Map {
    std::vector<float> weight, bias;
    PackedLinear packed;
    Map(std::int64_t in, std::int64_t out)
        : weight(random_numbers(in * out, "weight", 1.0 / std::sqrt(static_cast<double>(in)))),
          bias(random_numbers(out, "bias")),
          packed(WeightSpan{weight, bias, out, in}) {}
};

struct Shape {
    std::int64_t rows, in, out;
};
const Shape shapes[] = {{1, 1, 1},     {1, 32, 96},    {3, 5, 7},     {8, 32, 32},
                        {9, 16, 48},   {17, 256, 33},  {16, 300, 64}, {40, 8, 2048},
                        {2, 1000, 20}, {70, 32, 2048}, {600, 20, 70}, {33, 17, 100}};

class EveryVariant : public ::testing::TestWithParam<const Kernels*> {};

TEST_P(EveryVariant, dense_maps_agree_with_the_reference) {
    for (const auto& [rows, in, out] : shapes) {
        const Map map(in, out);
        Matrix x(rows, in, "x"), actual(rows, out), expected(rows, out);
        GetParam()->dense(x.view(), rows, map.packed.view(), actual.view());
        reference().dense(x.view(), rows, map.packed.view(), expected.view());
        expect_near(actual, expected, 2e-6F);
    }
}

TEST_P(EveryVariant, maps_along_the_rows_agree_with_the_reference) {
    for (const auto& [channels, in, out] : shapes) {
        const auto weight = random_numbers(in * out, "weight"), bias = random_numbers(out, "bias");
        const PackedTokenMap map(WeightSpan{weight, bias, out, in});
        Matrix x(in, channels, "x"), actual(out, channels), expected(out, channels);
        map(*GetParam(), x.view(), channels, actual.view());
        map(reference(), x.view(), channels, expected.view());
        expect_near(actual, expected, 2e-6F);
    }
}

TEST_P(EveryVariant, products_agree_with_the_reference) {
    struct Case {
        std::int64_t rows, inner, columns;
        bool left_is_transposed, panels_are_packed;
        bool adds, has_bias;
    };
    for (const auto& c :
         {Case{1, 1, 16, false, false, false, false}, Case{9, 300, 32, false, false, false, true},
          Case{16, 20, 80, true, true, true, false}, Case{3, 270, 48, true, false, false, false},
          Case{13, 40, 64, false, true, false, true}}) {
        const auto a = random_numbers(c.rows * c.inner, "left");
        const auto b = random_numbers(c.inner * round_up(c.columns, panel_width), "right");
        const auto bias = random_numbers(c.rows, "bias");
        Matrix actual(c.rows, c.columns, "before"), expected = actual;
        for (auto* result : {&actual, &expected}) {
            Product task;
            task.a = a.data();
            task.a_row = c.left_is_transposed ? 1 : c.inner;
            task.a_inner = c.left_is_transposed ? c.rows : 1;
            task.b = b.data();
            task.b_row = c.panels_are_packed ? panel_width : c.columns;
            if (c.panels_are_packed) task.b_panel = c.inner * panel_width;
            task.c = result->values.data();
            task.c_row = result->stride;
            task.rows = c.rows;
            task.inner = c.inner;
            task.columns = c.columns;
            task.adds = c.adds;
            task.row_bias = c.has_bias ? bias.data() : nullptr;
            (result == &actual ? *GetParam() : reference()).product(task);
        }
        expect_near(actual, expected, 2e-6F);
    }
}

TEST_P(EveryVariant, rows_in_bfloat16_are_read_and_written_as_by_the_reference) {
    const std::int64_t columns = 21;
    std::vector<std::uint16_t> stored(3 * columns), again(3 * columns);
    Matrix rows(3, columns, "rows"), actual(3, columns), expected(3, columns);
    rows.values[0] = std::numeric_limits<float>::quiet_NaN();
    rows.values[1] = std::numeric_limits<float>::infinity();
    rows.values[2] = 1.0F + 1.0F / 256;  // a tie: goes to the even neighbour 1
    rows.values[3] = 1.0F + 3.0F / 256;  // a tie: goes to the even neighbour 1 + 1/64
    GetParam()->write_rows(Storage::bfloat16, rows.view(), 3, columns, {stored.data(), columns});
    reference().write_rows(Storage::bfloat16, rows.view(), 3, columns, {again.data(), columns});
    EXPECT_EQ(stored, again);
    std::fill(actual.values.begin(), actual.values.end(), 7.0F);
    GetParam()->read_rows(Storage::bfloat16, {stored.data(), columns}, 3, columns, actual.view());
    reference().read_rows(Storage::bfloat16, {stored.data(), columns}, 3, columns, expected.view());
    EXPECT_TRUE(std::isnan(actual.values[0]));
    EXPECT_EQ(actual.values[2], 1.0F);
    EXPECT_EQ(actual.values[3], 1.0F + 1.0F / 64);
    actual.values[0] = expected.values[0] = 0.0F;
    EXPECT_EQ(actual.values, expected.values);
}

TEST_P(EveryVariant, normalised_rows_agree_with_the_reference) {
    for (const std::int64_t channels : {1, 5, 16, 20, 32, 64}) {
        const auto weight = random_numbers(channels, "weight"),
                   bias = random_numbers(channels, "b");
        const PackedNorm norm(weight, bias);
        Matrix actual(6, channels, "x"), change(6, channels, "change");
        Matrix expected = actual;
        GetParam()->add_norm(actual.view(), change.view(), 6, channels, norm.scale.data(),
                             norm.shift.data());
        reference().add_norm(expected.view(), change.view(), 6, channels, norm.scale.data(),
                             norm.shift.data());
        expect_near(actual, expected, 2e-6F);
    }
}

TEST_P(EveryVariant, scaled_vectors_are_added) {
    auto x = random_numbers(37, "x"), y = random_numbers(37, "y");
    auto expected = y;
    for (std::size_t i = 0; i < x.size(); ++i) expected[i] += 0.5F * x[i];
    GetParam()->add_scaled(0.5F, x.data(), y.data(), 37);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_FLOAT_EQ(y[i], expected[i]);
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryVariant,
                         ::testing::ValuesIn(available_kernels().begin(),
                                             available_kernels().end()),
                         [](const auto& parameter) { return std::string(parameter.param->name); });

TEST(AvailableKernels, begin_with_the_reference_and_contain_the_portable_variant) {
    EXPECT_EQ(available_kernels()[0]->name, "reference");
    EXPECT_EQ(available_kernels()[1]->name, "portable");
    EXPECT_EQ(&kernels(), available_kernels().back());
}

}  // namespace
}  // namespace hodo::nn
