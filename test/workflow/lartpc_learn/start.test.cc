#include "hodo/workflow/lartpc/learn/start.hh"

#include <gtest/gtest.h>

#include "hodo/io/atomic_file.hh"
#include "hodo/workflow/lartpc/learn/checkpoints.hh"
#include "small_batch.hh"
#include "support/reference.hh"

namespace hodo::lartpc {
namespace {

using workflow::Existing;

/// A run directory with checkpoints of the published layout.
class RunFolder {
  public:
    RunFolder() { options.output = folder_.path().string(); }
    void add_checkpoint(std::int64_t epoch) {
        CellNet net(small_model());
        net.initialise(1);
        train::Learner learner("net", net.learning_parameters(), {});
        write_epoch_checkpoint(file(epoch), net, learner, {}, 0.01);
    }
    void add_state(std::int64_t step) {
        io::write_text(
            folder_.path() / "checkpoints" / base::format("step-{:010d}.safetensors", step),
            "state");
    }
    bool has_state(std::int64_t step) const {
        return std::filesystem::exists(folder_.path() / "checkpoints" /
                                       base::format("step-{:010d}.safetensors", step));
    }
    base::Path file(std::int64_t epoch) const { return checkpoint_file(folder_.path(), epoch); }
    TrainOptions after(Existing existing) const {
        auto found = options;
        find_start(found, existing, 4, true);
        return found;
    }
    TrainOptions options;

  private:
    test::TemporaryFolder folder_;
};

TEST(LartpcStart, is_afresh_without_resume_whatever_the_folder_holds) {
    RunFolder run;
    run.add_checkpoint(3);
    run.options.resume_from = 3;
    run.options.transfer = true;
    const auto found = run.after(Existing::overwrite);
    EXPECT_TRUE(found.weights.empty());
    EXPECT_EQ(found.start_epoch, 0);
    EXPECT_EQ(found.plan.epochs, run.options.plan.epochs);
}

TEST(LartpcStart, goes_on_after_the_newest_published_checkpoint) {
    RunFolder run;
    run.add_checkpoint(3);
    run.add_checkpoint(5);
    const auto found = run.after(Existing::resume);
    EXPECT_EQ(found.weights, run.file(5).string());
    EXPECT_EQ(found.start_epoch, 6);
    EXPECT_EQ(found.plan.epochs, run.options.plan.epochs - 6);
    EXPECT_TRUE(found.optimizer_state);
    run.options.resume_from = 3;
    EXPECT_EQ(run.after(Existing::resume).start_epoch, 4);
    run.options.resume_from = 4;
    EXPECT_NE(test::error_of([&] { run.after(Existing::resume); }).find("checkpoint_004"),
              std::string::npos);
}

TEST(LartpcStart, of_a_transfer_leaves_the_optimizer) {
    RunFolder run;
    run.add_checkpoint(2);
    run.options.transfer = true;
    const auto found = run.after(Existing::resume);
    EXPECT_TRUE(found.transfer);
    EXPECT_FALSE(found.optimizer_state);
}

TEST(LartpcStart, goes_back_to_the_end_of_an_epoch) {
    RunFolder run;
    for (const std::int64_t epoch : {0, 1, 2}) run.add_checkpoint(epoch);
    for (const std::int64_t step : {4, 8, 12}) run.add_state(step);
    run.options.weights = "elsewhere.pt";
    run.options.optimizer_state = true;
    run.options.resume_from = 1;
    const auto found = run.after(Existing::resume);
    EXPECT_TRUE(found.weights.empty());
    EXPECT_FALSE(found.optimizer_state);
    EXPECT_TRUE(run.has_state(8));
    EXPECT_FALSE(run.has_state(12));
    EXPECT_FALSE(std::filesystem::exists(run.file(2)));
    EXPECT_TRUE(std::filesystem::exists(run.file(1)));
    run.options.resume_from = 2;
    EXPECT_THAT(test::error_of([&] { run.after(Existing::resume); }),
                testing::HasSubstr("from the end of epoch 2 (the last one is 1,"));
}

TEST(LartpcStart, goes_back_to_the_checkpoint_of_an_epoch_whose_state_is_no_longer_kept) {
    RunFolder run;
    for (const std::int64_t epoch : {0, 1, 2, 3}) run.add_checkpoint(epoch);
    for (const std::int64_t step : {12, 16}) run.add_state(step);
    run.options.resume_from = 0;
    const auto found = run.after(Existing::resume);
    EXPECT_EQ(found.weights, run.file(0).string());
    EXPECT_TRUE(found.optimizer_state);
    EXPECT_EQ(found.start_epoch, 1);
    EXPECT_EQ(found.plan.epochs, run.options.plan.epochs - 1);
    EXPECT_FALSE(run.has_state(12) || run.has_state(16));
    EXPECT_TRUE(std::filesystem::exists(run.file(0)));
    EXPECT_FALSE(std::filesystem::exists(run.file(1)) || std::filesystem::exists(run.file(3)));
}

TEST(LartpcStart, counts_epochs_from_where_the_run_began) {
    RunFolder run;
    run.add_checkpoint(6);
    run.add_state(4);
    io::write_text(base::Path(run.options.output) / "run.json", R"({"start_epoch": 6})");
    const auto found = run.after(Existing::resume);
    EXPECT_EQ(found.start_epoch, 6);
    EXPECT_EQ(found.plan.epochs, run.options.plan.epochs - 6);
}

TEST(LartpcStart, beyond_the_plan_is_an_error) {
    RunFolder run;
    run.options.start_epoch = 30;
    EXPECT_NE(test::error_of([&] { run.after(Existing::refuse); }).find("plan.epochs"),
              std::string::npos);
}

TEST(LartpcStart, of_a_run_without_training_takes_weights_or_a_checkpoint) {
    RunFolder run;
    EXPECT_NE(test::error_of([&] { find_judged(run.options); }).find("no checkpoint"),
              std::string::npos);
    run.add_checkpoint(2);
    run.add_checkpoint(4);
    EXPECT_EQ(find_judged(run.options).epoch, 4);
    run.options.resume_from = 2;
    EXPECT_EQ(find_judged(run.options).weights, run.file(2));
    run.options.weights = "somewhere/checkpoint_024.pth.tar";
    EXPECT_EQ(find_judged(run.options).epoch, 24);
}

}  // namespace
}  // namespace hodo::lartpc
