#include "hodo/workflow/lartpc/learn/recipe.hh"

#include <gtest/gtest.h>

#include "hodo/io/atomic_file.hh"
#include "hodo/tensor/weights.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/learn/checkpoints.hh"
#include "small_batch.hh"
#include "support/reference.hh"

namespace hodo::lartpc {
namespace {

TrainOptions small_options() {
    TrainOptions options;
    options.model = small_model();
    options.epoch_files = false;
    return options;
}

/// Step `step` of epochs of `epoch_steps`.
train::StepContext context_of(std::int64_t step, std::int64_t epoch_steps = 1) {
    return {.step = step,
            .total_steps = 1000,
            .epoch = step / epoch_steps,
            .total_epochs = 1000,
            .epoch_step = step % epoch_steps,
            .epoch_steps = epoch_steps,
            .dataset_size = epoch_steps,
            .batch_size = 1,
            .seed = 2};
}

TEST(CellRecipe, learns_a_few_events_by_heart) {
    CellRecipe recipe(small_options(), at::kCPU, {});
    const TrainingBatch batch{small_batch(100)};
    train::Step step;
    for (std::int64_t i = 0; i < 60; ++i) step = recipe.train(batch, context_of(i));
    EXPECT_GT(*step.scalars.find("acc"), 0.95);
    EXPECT_LT(*step.scalars.find("loss"), 0.2);
    EXPECT_EQ(step.examples, 200);
}

TEST(CellRecipe, learns_charges_with_a_frozen_body_by_its_head_alone) {
    auto options = small_options();
    options.model = small_model(NetworkKind::cellnet_charge);
    options.model.freeze = true;
    options.loss.name = LossKind::mse;
    CellRecipe recipe(options, at::kCPU, {});
    const TrainingBatch batch{small_batch(100)};
    const double first = *recipe.train(batch, context_of(0)).scalars.find("loss");
    double last = first;
    for (std::int64_t i = 1; i < 60; ++i) {
        const auto step = recipe.train(batch, context_of(i));
        EXPECT_FALSE(step.scalars.find("acc").has_value());
        last = *step.scalars.find("loss");
    }
    EXPECT_LT(last, 0.7 * first);
}

TEST(CellRecipe, goes_on_from_its_state_as_if_never_stopped) {
    const TrainingBatch batch{small_batch(80)}, other{small_batch(60, 9)};
    auto options = small_options();
    for (const bool frozen : {false, true}) {
        options.model.freeze = frozen;
        CellRecipe whole(options, at::kCPU, {});
        auto archive = train::Archive::to_save();
        for (std::int64_t i = 0; i < 6; ++i) {
            if (i == 3) whole.state(archive);
            whole.train(i % 2 == 0 ? batch : other, context_of(i, 2));
        }
        options.seed = 99;
        CellRecipe resumed(options, at::kCPU, {});
        auto stored = train::Archive::to_load(archive);
        resumed.state(stored);
        stored.finish();
        for (std::int64_t i = 3; i < 6; ++i) {
            resumed.train(i % 2 == 0 ? batch : other, context_of(i, 2));
        }
        const auto a = tensor::parameter_arrays(tensor::named_parameters(whole.model()));
        const auto b = tensor::parameter_arrays(tensor::named_parameters(resumed.model()));
        for (std::size_t i = 0; i < a.size(); ++i) {
            EXPECT_TRUE(std::ranges::equal(a[i].array.bytes, b[i].array.bytes)) << a[i].name;
        }
    }
}

TEST(CellRecipe, writes_the_published_files_when_an_epoch_is_over) {
    const test::TemporaryFolder folder;
    auto options = small_options();
    options.epoch_files = true;
    options.start_epoch = 7;
    options.store_inference = {.store = true, .every_epoch = 1, .every_sample = 2};
    CellRecipe recipe(options, at::kCPU, {folder.path(), true});
    const TrainingBatch batch{small_batch(50)};
    double loss = 0;
    for (std::int64_t i = 0; i < 2; ++i) {
        loss += *recipe.train(batch, context_of(i, 2)).scalars.find("loss") / 2;
    }
    recipe.validate(batch, context_of(2, 2));
    EXPECT_FALSE(std::filesystem::exists(checkpoint_file(folder.path(), 7)));
    recipe.train(batch, context_of(2, 2));
    ASSERT_TRUE(std::filesystem::exists(checkpoint_file(folder.path(), 7)));
    const auto summaries = Summaries::read(Summaries::file_of(folder.path(), 0));
    ASSERT_EQ(summaries.epochs().size(), 1U);
    EXPECT_EQ(summaries.epochs()[0].epoch, 7);
    EXPECT_NEAR(*summaries.epochs()[0].value("train_loss"), loss, 1e-6);
    EXPECT_TRUE(summaries.epochs()[0].value("valid_acc").has_value());
    const auto answers =
        read_inference(folder / "inference" / inference_name(batch.voxels.files[0], 7));
    EXPECT_EQ(answers.size(), 50U);
    EXPECT_FALSE(
        std::filesystem::exists(folder / "inference" / inference_name(batch.voxels.files[1], 7)));
}

TEST(CellRecipe, judges_what_has_truth_and_keeps_answers_on_the_rest) {
    CellRecipe recipe(small_options(), at::kCPU, {});
    TrainingBatch batch{small_batch(50)};
    EXPECT_EQ(recipe.validate(batch, context_of(1)).examples, 100);
    batch.voxels.targets.clear();
    EXPECT_EQ(recipe.validate(batch, context_of(2)).examples, 0);
    recipe.expect_no_truth();
    EXPECT_TRUE(recipe.validate(batch, context_of(3)).scalars.empty());
    EXPECT_NE(test::error_of([&] { recipe.train(batch, context_of(4)); }).find("no truth"),
              std::string::npos);
}

}  // namespace
}  // namespace hodo::lartpc
