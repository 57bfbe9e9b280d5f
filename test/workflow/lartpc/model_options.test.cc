#include "hodo/workflow/lartpc/model_options.hh"

#include <gtest/gtest.h>

#include "support/reference.hh"

namespace hodo::lartpc {
namespace {

TEST(LartpcMetrics, are_a_column_and_a_kind) {
    const auto metrics = parse_metrics({"acc=BinAccuracy", "top=Accuracy", "BinAccuracy"});
    ASSERT_EQ(metrics.size(), 3U);
    EXPECT_EQ(metrics[0].column, "acc");
    EXPECT_EQ(metrics[0].kind, MetricKind::binary_accuracy);
    EXPECT_EQ(metrics[1].column, "top");
    EXPECT_EQ(metrics[1].kind, MetricKind::accuracy);
    EXPECT_EQ(metrics[2].column, "acc");
    EXPECT_NE(test::error_of([] { parse_metrics({"acc=Precision"}); }).find("acc=Precision"),
              std::string::npos);
}

TEST(LartpcLosses, have_the_published_names_and_an_alias) {
    EXPECT_EQ(loss_of_name("WeightedBCELoss"), LossKind::charge_weighted_bce);
    EXPECT_EQ(loss_of_name("MSELoss"), LossKind::mse);
    EXPECT_EQ(loss_of_name("Loss"), std::nullopt);
}

TEST(LartpcModel, is_not_inferred_from_other_weights) {
    const auto error = test::error_of([] { infer_model({{"weight", {3, 3}}}, "other.pt"); });
    EXPECT_NE(error.find("other.pt"), std::string::npos);
    EXPECT_NE(error.find("sparseModel.1.weight"), std::string::npos);
}

}  // namespace
}  // namespace hodo::lartpc
