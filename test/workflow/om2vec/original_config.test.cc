#include "hodo/workflow/om2vec/original_config.hh"

#include "hodo/workflow/om2vec/options.hh"
#include "support/reference.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hodo/io/atomic_file.hh"

namespace hodo::om2vec {
namespace {

std::string example_text() {
    return io::read_text(test::source_folder() / "test" / "data" / "om2vec_example.cfg");
}

TrainOptions translated(const std::string& text) {
    const auto section = translate_original(base::Config::parse(text, "example.cfg"), "train");
    EXPECT_TRUE(section.has_value());
    auto options = section->as<TrainOptions>();
    return options;
}

TEST(OriginalConfig, the_published_example_means_the_published_training) {
    const auto options = translated(example_text());
    EXPECT_EQ(options.model.bins, 6400);
    EXPECT_EQ(options.model.latent, 64);
    EXPECT_EQ(options.data.binning.rule, optical::BinningRule::om2vec);
    EXPECT_EQ(options.data.binning.window, 6400);
    EXPECT_EQ(options.data.train, std::vector<std::string>{"./train/"});
    EXPECT_EQ(options.data.train_ranges, (Ranges{{0, 19}}));
    EXPECT_EQ(options.feed.batch_size, 1024);
    EXPECT_EQ(options.loss.kl_reduction, KlReduction::sum);
    EXPECT_EQ(options.loss.beta.factor, 1e-5);
    EXPECT_EQ(options.loss.beta.peak_epoch, 20);
    EXPECT_EQ(options.learner.optimizer.kind, train::OptimizerKind::adamw);
    EXPECT_EQ(options.learner.optimizer.rate, 1e-4);
    EXPECT_EQ(options.learner.clip, 0.1);
    EXPECT_EQ(options.learner.average.kind, train::AverageKind::swa);
    EXPECT_EQ(options.learner.precision, tensor::Precision::bf16);
    EXPECT_EQ(options.learner.schedule.kind, train::ScheduleKind::constant);
    EXPECT_EQ(options.plan.epochs, 25);
    EXPECT_EQ(base::Path(options.output), base::Path("./runs/om2vec"));
}

TEST(OriginalConfig, quirks_hold_only_behind_compat) {
    auto options = translated(example_text());
    EXPECT_EQ(options.loss.beta.rule, BetaRule::clamped);
    EXPECT_EQ(options.learner.average.times, train::SwaTimes::epoch_end);
    options.compat = Compat::om2vec;
    options.apply_compat();
    EXPECT_EQ(options.loss.beta.rule, BetaRule::om2vec);
    EXPECT_EQ(options.learner.average.times, train::SwaTimes::lightning);
    EXPECT_EQ(options.loss.kl_reduction, KlReduction::sum);
}

TEST(OriginalConfig, missing_keys_take_the_defaults_of_the_originals_classes) {
    const auto options = translated("model_options: {}\n");
    EXPECT_EQ(options.model.bins, 5000);
    EXPECT_EQ(options.model.latent, 128);
    EXPECT_TRUE(options.model.sensor_positional_encoding);
    EXPECT_EQ(options.feed.batch_size, 128);
    EXPECT_EQ(options.learner.schedule.milestones, (std::vector<std::int64_t>{2, 20}));
    EXPECT_EQ(options.learner.optimizer.weight_decay, 1e-5);
}

TEST(OriginalConfig, unknown_keys_are_errors_with_the_nearest_key) {
    EXPECT_EQ(test::error_of([] {
                  translate_original(
                      base::Config::parse("model_options:\n  latent_dmi: 3\n", "a.cfg"), "train");
              }),
              "a.cfg:2:3: unknown key 'model_options.latent_dmi' (did you mean 'latent_dim'?)");
}

TEST(OriginalConfig, training_false_tests_on_the_validation_files) {
    const auto options = translated("training: False\nmodel_options: {}\ncheckpoint: a.ckpt\n");
    EXPECT_EQ(options.task, Task::test);
    EXPECT_EQ(options.weights, "a.ckpt");
}

TEST(OriginalConfig, our_own_files_are_left_alone) {
    EXPECT_FALSE(translate_original(base::Config::parse("workflow: om2vec\n", "x.yaml"), "train"));
    EXPECT_FALSE(translate_original(base::Config::parse(example_text(), "x.cfg"), "prepare"));
}

}  // namespace
}  // namespace hodo::om2vec
