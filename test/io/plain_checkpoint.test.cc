#include "hodo/io/plain_checkpoint.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/reference.hh"

namespace hodo::io {
namespace {

Array floats(const std::vector<float>& values) {
    return make_array(values);
}

TEST(PlainCheckpoint, comes_back_with_weights_optimizer_and_members) {
    const test::TemporaryFolder folder;
    Checkpoint checkpoint;
    checkpoint.weights = {{"b.weight", floats({1, 2})}, {"a.bias", floats({3})}};
    OptimizerState state;
    state.slots.push_back({1, 5, {{"exp_avg", floats({4})}, {"exp_avg_sq", floats({6})}}});
    state.groups = Json::parse(R"([{"lr": 0.25, "params": [0, 1]}])", "test");
    checkpoint.optimizers.push_back(state);
    checkpoint.metadata["scheduler"] = Json::parse(R"({"best": 0.5})", "test");
    const auto path = folder / "checkpoint_000.pth.tar";
    write_plain_checkpoint(path, checkpoint);
    const auto file = WeightFile::open(path);
    EXPECT_EQ(file.format(), "pytorch");
    ASSERT_EQ(file.entries().size(), 2U);
    EXPECT_EQ(file.entries()[0].name, "b.weight");
    EXPECT_EQ(file.get("a.bias").floats(), (std::vector<float>{3}));
    const auto stored = file.optimizer();
    ASSERT_EQ(stored.slots.size(), 1U);
    EXPECT_EQ(stored.slots[0].parameter, 1);
    EXPECT_EQ(stored.slots[0].step, 5);
    EXPECT_EQ(stored.slots[0].moment("exp_avg").floats(), (std::vector<float>{4}));
    EXPECT_EQ(stored.groups.items()[0].at("lr").number(), 0.25);
    EXPECT_EQ(file.metadata().at("scheduler").at("best").number(), 0.5);
}

TEST(PlainCheckpoint, has_no_member_of_a_taken_name) {
    const test::TemporaryFolder folder;
    Checkpoint checkpoint;
    checkpoint.weights = {{"w", floats({1})}};
    checkpoint.metadata["model"] = "mine";
    EXPECT_THAT(test::error_of([&] { write_plain_checkpoint(folder / "a.pth.tar", checkpoint); }),
                testing::HasSubstr("'model'"));
}

}  // namespace
}  // namespace hodo::io
