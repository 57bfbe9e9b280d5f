#include "hodo/sparse/sparse_tensor.hh"

#include <gtest/gtest.h>

#include "sparse/cases.hh"
#include "support/reference.hh"

namespace hodo::sparse {
namespace {

using test::random_tensor;

const std::vector<Voxel> duplicated{{0, 5, 0, 0}, {0, -5, 0, 0}, {0, 5, 0, 0}, {0, 5, 0, 0}};

TEST(SparseTensor, UnitesRowsOfOneVoxelByEveryRule) {
    const auto x = random_tensor({4, 3}, "x");
    const auto merged = [&](Merge merge) {
        return from_rows(test::to_tensor(duplicated), x, {.merge = merge}).tensor.features[1];
    };
    EXPECT_TRUE(merged(Merge::first).equal(x[0]));
    EXPECT_TRUE(merged(Merge::last).equal(x[3]));
    EXPECT_TRUE(merged(Merge::sum).allclose(x[0] + x[2] + x[3]));
    EXPECT_TRUE(merged(Merge::mean).allclose((x[0] + x[2] + x[3]) / 3.0));
}

TEST(SparseTensor, SumsOfDuplicatesDoNotDependOnTheirOrder) {
    const auto x = at::tensor({1e8F, 3.0F, -1e8F, 1e-3F}).reshape({4, 1});
    const std::vector<Voxel> same(4, Voxel{0, 1, 2, 3});
    const auto sum = [&](const at::Tensor& features) {
        return from_rows(test::to_tensor(same), features).tensor.features;
    };
    EXPECT_TRUE(sum(x).equal(sum(x.flip(0))));
}

TEST(SparseTensor, GradientsReachTheRowsAndComeBackFromThem) {
    auto x = random_tensor({4, 2}, "x").set_requires_grad(true);
    const auto input = from_rows(test::to_tensor(duplicated), x, {.merge = Merge::mean});
    const auto rows = to_rows(input.tensor, input);
    EXPECT_TRUE(rows[0].equal(rows[3]));
    const auto g = random_tensor({4, 2}, "g");
    rows.backward(g);
    const auto expected = (g[0] + g[2] + g[3]) / 3.0;
    for (const std::int64_t row : {0, 2, 3}) EXPECT_TRUE(x.grad()[row].allclose(expected));
    EXPECT_TRUE(x.grad()[1].allclose(g[1]));
}

TEST(SparseTensor, ReadsBothOrdersOfColumns) {
    const auto table = at::tensor({7, 8, 9, 1}, at::kInt).reshape({1, 4});
    const auto last = from_rows(table, at::ones({1, 1}), {.event_column = EventColumn::last});
    EXPECT_EQ(last.tensor.coordinates->voxels()[0], (Voxel{1, 7, 8, 9}));
    EXPECT_TRUE(coordinate_tensor(*last.tensor.coordinates, EventColumn::last).equal(table));
    const auto first = from_rows(table, at::ones({1, 1}));
    EXPECT_EQ(first.tensor.coordinates->voxels()[0], (Voxel{7, 8, 9, 1}));
}

TEST(SparseTensor, RefusesWhatIsNotASetOfVoxels) {
    const auto message = [](const at::Tensor& table, const at::Tensor& x, const Triple& stride) {
        return hodo::test::error_of([&] { from_rows(table, x, {.stride = stride}); });
    };
    const auto one = at::ones({1, 1});
    EXPECT_NE(message(at::zeros({1, 3}, at::kInt), one, {1, 1, 1}).find("4 columns"),
              std::string::npos);
    EXPECT_NE(message(at::zeros({2, 4}, at::kInt), one, {1, 1, 1}).find("2 rows"),
              std::string::npos);
    EXPECT_NE(
        message(at::full({1, 4}, std::int64_t{1} << 40, at::kLong), one, {1, 1, 1}).find("32 bits"),
        std::string::npos);
    EXPECT_NE(message(at::ones({1, 4}, at::kInt), one, {2, 2, 2}).find("multiple"),
              std::string::npos);
    EXPECT_NE(
        message(at::ones({1, 4}, at::kInt), at::ones({1, 1}, at::kInt), {1, 1, 1}).find("float32"),
        std::string::npos);
}

TEST(SparseTensor, JoinsAndAddsTensorsOfTheSameVoxels) {
    const auto input =
        from_rows(test::to_tensor(test::random_voxels(20, 9, 2, "join")), at::ones({20, 2}));
    const auto both = concatenate(input.tensor, input.tensor.with(2 * input.tensor.features));
    EXPECT_EQ(both.channels(), 4);
    EXPECT_TRUE(add(input.tensor, input.tensor).features.equal(both.features.slice(1, 2, 4)));
}

TEST(SparseTensor, InterpolatesBetweenVoxelsAndSlicesCells) {
    const auto input = from_rows(test::to_tensor({{0, 0, 0, 0}, {0, 2, 0, 0}}),
                                 at::tensor({1.0, 3.0}).reshape({2, 1}), {.stride = {2, 2, 2}});
    const auto points = at::tensor({0.0, 1.5, 0.0, 0.0, 0.0, 3.9, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0,
                                    -1e300, 0.0, 0.0})
                            .reshape({4, 4});
    const auto smooth = interpolate(input.tensor, points), cells = slice(input.tensor, points);
    EXPECT_NEAR(smooth[0].item<double>(), 0.25 * 1.0 + 0.75 * 3.0, 1e-12);
    EXPECT_NEAR(cells[1].item<double>(), 3.0, 0.0);
    EXPECT_EQ(cells[2].item<double>(), 0.0);
    EXPECT_EQ(smooth[3].item<double>(), 0.0);
}

}  // namespace
}  // namespace hodo::sparse
