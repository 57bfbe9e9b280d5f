#include "hodo/sparse/kernel_order.hh"

#include <gtest/gtest.h>

#include "sparse/cases.hh"
#include "support/reference.hh"

namespace hodo::sparse {
namespace {

TEST(KernelOrder, NamesTheSameOffsetByBothRules) {
    const Triple size{2, 3, 4};
    const auto cells = cells_in(KernelOrder::first_axis_fastest, size);
    // Cell (1, 2, 3) is our last; (0, 0, 1) is our second and the other's 2 * 3.
    EXPECT_EQ(cells.back(), 23);
    EXPECT_EQ(cells[1], 6);
    EXPECT_EQ(cells_in(KernelOrder::last_axis_fastest, size)[1], 1);
}

TEST(KernelOrder, ThereAndBackIsTheSameWeight) {
    const Triple size{2, 3, 5};
    const auto weight = test::random_tensor({30, 4, 2}, "w");
    for (const auto order : {KernelOrder::first_axis_fastest, KernelOrder::last_axis_fastest}) {
        EXPECT_TRUE(to_order(from_order(weight, order, size), order, size).equal(weight));
    }
    EXPECT_FALSE(from_order(weight, KernelOrder::first_axis_fastest, size).equal(weight));
}

TEST(KernelOrder, LeavesAPointwiseWeightAndRefusesAnotherKernel) {
    const auto weight = test::random_tensor({4, 2}, "w");
    EXPECT_TRUE(from_order(weight, KernelOrder::first_axis_fastest, {1, 1, 1}).equal(weight));
    EXPECT_NE(hodo::test::error_of([&] {
                  from_order(weight, KernelOrder::first_axis_fastest, {3, 3, 3});
              }).find("27 kernel cells"),
              std::string::npos);
}

}  // namespace
}  // namespace hodo::sparse
