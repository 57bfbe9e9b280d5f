#include "hodo/workflow/lartpc/learn/loss.hh"

#include <gtest/gtest.h>

#include <cmath>

#include "support/reference.hh"

namespace hodo::lartpc {
namespace {

at::Tensor numbers(std::vector<double> values) {
    return at::tensor(values, at::kDouble);
}

double value(LossOptions options, const at::Tensor& answers, const Truths& truths) {
    return loss(answers, truths, options).item<double>();
}

double cross(double y, double t) {
    return -(t * std::log(y) + (1 - t) * std::log(1 - y));
}

TEST(LartpcLoss, equals_the_written_formulas) {
    const auto y = numbers({0.2, 0.9, 0.4});
    const Truths labels{numbers({0, 1, 1}), {}, {}};
    LossOptions options;
    const double mean = (cross(0.2, 0) + cross(0.9, 1) + cross(0.4, 1)) / 3;
    EXPECT_NEAR(value(options, y, labels), mean, 1e-12);
    options.name = LossKind::bce_l1;
    options.l1_lambda = 0.5;
    EXPECT_NEAR(value(options, y, labels), mean + 0.5 * 0.5, 1e-12);
    options.name = LossKind::label_weighted_bce;
    options.positive_weight = 100;
    EXPECT_NEAR(value(options, y, labels),
                (cross(0.2, 0) + 100 * (cross(0.9, 1) + cross(0.4, 1))) / 3, 1e-12);
    options.name = LossKind::charge_weighted_bce;
    options.negative_weight = 0.25;
    const Truths charges{numbers({0, 7, 3}), {}, {}};
    EXPECT_NEAR(value(options, y, charges),
                (0.25 * cross(0.2, 0) + 7 * cross(0.9, 1) + 3 * cross(0.4, 1)) / 3, 1e-12);
    options.name = LossKind::mse;
    EXPECT_NEAR(value(options, y, charges),
                (0.2 * 0.2 + (0.9 - 7) * (0.9 - 7) + (0.4 - 3) * (0.4 - 3)) / 3, 1e-12);
    options.name = LossKind::l1;
    EXPECT_NEAR(value(options, y, charges), (0.2 + 6.1 + 2.6) / 3, 1e-12);
}

TEST(LartpcLoss, of_coarse_cells_compares_sums_and_voxels_that_are_true_or_alone) {
    LossOptions options;
    options.name = LossKind::downsample_mse;
    options.weight = 2;
    // Voxels 0 and 1 share cell 0; voxel 2 is in cell 1; voxel 3 has no truth in its cell.
    const Truths truths{numbers({5, 0, 0, 0}), at::tensor({0, 0, 1, -1}, at::kLong),
                        numbers({6, 4})};
    const auto y = numbers({3, 1, 1, 0.5});
    const double voxels = (2.0 * 2.0 + 0.5 * 0.5) / 2, cells = (2.0 * 2.0 + 3.0 * 3.0) / 2;
    EXPECT_NEAR(value(options, y, truths), voxels + 2 * cells, 1e-12);
    EXPECT_NE(test::error_of([&] {
                  value(options, y, {truths.target, {}, {}});
              }).find("Y_truth"),
              std::string::npos);
}

TEST(LartpcLoss, has_the_gradients_of_finite_differences) {
    const Truths truths{numbers({0, 1, 1, 0}), at::tensor({0, 0, 1, -1}, at::kLong),
                        numbers({0.6, 1.4})};
    for (const auto kind : {LossKind::bce, LossKind::mse, LossKind::bce_l1,
                            LossKind::charge_weighted_bce, LossKind::label_weighted_bce,
                            LossKind::downsample_mse, LossKind::smooth_l1, LossKind::huber}) {
        LossOptions options;
        options.name = kind;
        options.positive_weight = 3;
        SCOPED_TRACE(names(kind)[static_cast<std::size_t>(kind)]);
        auto y = numbers({0.2, 0.9, 0.4, 0.7}).set_requires_grad(true);
        loss(y, truths, options).backward();
        for (std::int64_t i = 0; i < y.numel(); ++i) {
            const double step = 1e-6;
            auto up = y.detach().clone(), down = y.detach().clone();
            up[i] += step;
            down[i] -= step;
            const double slope =
                (value(options, up, truths) - value(options, down, truths)) / (2 * step);
            EXPECT_NEAR(y.grad()[i].item<double>(), slope, 1e-6) << i;
        }
    }
}

TEST(LartpcLoss, of_answers_that_are_no_numbers_is_none) {
    const auto y = numbers({0.5, std::nan("")});
    EXPECT_TRUE(std::isnan(value({}, y, {numbers({0, 1}), {}, {}})));
}

TEST(LartpcLoss, of_nothing_is_zero_and_of_charges_as_labels_an_error) {
    LossOptions options;
    EXPECT_EQ(value(options, numbers({}), {numbers({}), {}, {}}), 0.0);
    const auto error = test::error_of([&] {
        value(options, numbers({0.5}), {numbers({7}), {}, {}});
    });
    EXPECT_NE(error.find("target is 7"), std::string::npos);
}

}  // namespace
}  // namespace hodo::lartpc
