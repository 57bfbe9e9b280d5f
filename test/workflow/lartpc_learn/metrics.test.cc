#include "hodo/workflow/lartpc/learn/metrics.hh"

#include <gtest/gtest.h>

namespace hodo::lartpc {
namespace {

TEST(LartpcMetrics, count_answers_strictly_above_one_half) {
    const auto y = at::tensor({0.5F, 0.51F, 0.2F, 0.9F});
    const auto t = at::tensor({0.0F, 1.0F, 1.0F, 0.0F});
    EXPECT_EQ(count_right(MetricKind::binary_accuracy, y, t), 2);
    EXPECT_EQ(count_right(MetricKind::binary_accuracy, at::empty({0}), at::empty({0})), 0);
}

TEST(LartpcMetrics, take_a_single_output_for_class_zero) {
    const auto y = at::tensor({0.9F, 0.1F, 0.7F});
    EXPECT_EQ(count_right(MetricKind::accuracy, y, at::tensor({0.0F, 1.0F, 0.0F})), 2);
}

}  // namespace
}  // namespace hodo::lartpc
