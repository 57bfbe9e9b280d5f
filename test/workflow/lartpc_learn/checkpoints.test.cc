#include "hodo/workflow/lartpc/learn/checkpoints.hh"

#include <gtest/gtest.h>

#include "hodo/io/atomic_file.hh"
#include "hodo/tensor/weights.hh"
#include "hodo/workflow/lartpc/learn/loss.hh"
#include "small_batch.hh"
#include "support/reference.hh"

namespace hodo::lartpc {
namespace {

TEST(LartpcCheckpoints, are_found_by_their_epoch) {
    const test::TemporaryFolder folder;
    EXPECT_EQ(newest_checkpoint(folder.path()), std::nullopt);
    for (const std::int64_t epoch : {0, 12, 7}) {
        const auto file = checkpoint_file(folder.path(), epoch);
        std::filesystem::create_directories(file.parent_path());
        io::write_text(file, "");
        EXPECT_EQ(epoch_of_checkpoint(file), epoch);
    }
    const auto newest = newest_checkpoint(folder.path());
    ASSERT_TRUE(newest.has_value());
    EXPECT_EQ(newest->epoch, 12);
    EXPECT_EQ(newest->file.filename(), "checkpoint_012.pth.tar");
    EXPECT_EQ(epoch_of_checkpoint("step-0000000012.safetensors"), std::nullopt);
}

void take_steps(CellNet& net, train::Learner& learner, int count) {
    const auto batch = small_batch(60);
    for (std::int64_t step = 0; step < count; ++step) {
        const auto y = net(batch, nn::Mode::train);
        learner.update(loss(y, truths_of(batch, y), {}), {.step = step, .dataset_size = 1});
    }
}

/// A network that has learnt for some steps, written and taken up by another one, goes on alike.
void check_round_trip(bool frozen, train::ScheduleKind schedule) {
    const test::TemporaryFolder folder;
    auto options = small_model();
    options.freeze = frozen;
    train::LearnerOptions learning;
    learning.optimizer = {.kind = train::OptimizerKind::adam, .rate = 0.01, .weight_decay = 0};
    learning.schedule.kind = schedule;
    CellNet first(options), second(options);
    first.initialise(1);
    second.initialise(2);
    train::Learner one("one", first.learning_parameters(), learning);
    take_steps(first, one, 3);
    one.schedule().adopt({.factor = 0.5, .best = 0.75, .validations = 0, .waited = 1});
    const auto file = checkpoint_file(folder.path(), 3);
    write_epoch_checkpoint(file, first, one, learning, 0.005);
    load_weights(second, file);
    const auto stored = io::WeightFile::open(file);
    ASSERT_EQ(stored.entries().size(), tensor::named_parameters(first).size());
    EXPECT_EQ(stored.entries().front().name, "sparseModel.1.weight");
    EXPECT_EQ(stored.metadata().has("scheduler"), schedule == train::ScheduleKind::plateau);
    const auto state = stored.optimizer();
    EXPECT_DOUBLE_EQ(state.groups.items().front().at("lr").number(), 0.005);
    EXPECT_EQ(state.groups.items().front().at("params").items().size(),
              first.trainable_parameters().size());
    EXPECT_EQ(state.slots.size(), one.parameters().size());
    EXPECT_EQ(state.slots.back().parameter, std::ssize(first.trainable_parameters()) - 1);
    train::Learner two("two", second.learning_parameters(), learning);
    adopt_optimizer(two, second, stored, learning.optimizer.rate);
    if (schedule == train::ScheduleKind::plateau) {
        EXPECT_DOUBLE_EQ(two.schedule().plateau().factor, 0.5);
        EXPECT_DOUBLE_EQ(two.schedule().plateau().best, 0.75);
        EXPECT_EQ(two.schedule().plateau().waited, 1);
    }
    take_steps(first, one, 2);
    take_steps(second, two, 2);
    const auto a = tensor::parameter_arrays(tensor::named_parameters(first));
    const auto b = tensor::parameter_arrays(tensor::named_parameters(second));
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_TRUE(std::ranges::equal(a[i].array.bytes, b[i].array.bytes)) << a[i].name;
    }
}

TEST(LartpcCheckpoints, carry_weights_and_optimizer_to_another_training) {
    check_round_trip(false, train::ScheduleKind::constant);
}

TEST(LartpcCheckpoints, of_a_frozen_body_hold_moments_of_the_head_alone) {
    check_round_trip(true, train::ScheduleKind::constant);
}

TEST(LartpcCheckpoints, tell_what_a_plateau_schedule_remembers) {
    check_round_trip(false, train::ScheduleKind::plateau);
}

TEST(LartpcCheckpoints, of_weights_alone_give_no_optimizer) {
    const test::TemporaryFolder folder;
    CellNet net(small_model());
    net.initialise(1);
    save_network(folder.path(), net, "last");
    train::Learner learner("one", net.learning_parameters(), {});
    const auto error =
        test::error_of([&] { adopt_optimizer(learner, net, open_weights(folder.path()), 0.01); });
    EXPECT_NE(error.find("no optimizer state"), std::string::npos);
}

}  // namespace
}  // namespace hodo::lartpc
