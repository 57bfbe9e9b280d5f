// The workflow's network on a CUDA device, against the recorded values and against the CPU.

#include "hodo/tensor/device.hh"
#include "golden_case.hh"
#include "hodo/train/archive.hh"
#include "hodo/workflow/om2vec/learn/network.hh"
#include "hodo/workflow/om2vec/learn/recipe.hh"

#include <gtest/gtest.h>

namespace hodo::om2vec {
namespace {

class OnDevice : public ::testing::Test {
  protected:
    void SetUp() override {
        if (tensor::cuda_devices() == 0) {
            GTEST_SKIP() << "no CUDA device, or a LibTorch without CUDA";
        }
    }
    const at::Device device_{at::kCUDA, 0};
};

TEST_F(OnDevice, latents_and_logits_agree_with_the_recorded_values) {
    const auto files = test::golden_files();
    HODO_REQUIRE_REFERENCE(files, "om2vec/golden_*.npz");
    for (const auto& file : files) {
        const test::GoldenCase golden(file);
        for (const auto engine : {nn::Engine::plain, nn::Engine::fused}) {
            const at::NoGradGuard no_gradients;
            auto model = golden.model();
            move_to(model, device_);
            auto pass = make_pass(model, nn::Mode::evaluate);
            pass.engine = engine;
            const auto batch = make_batch(golden.counts().view(), golden.options().bins, device_);
            const auto output = model.forward(batch, golden.tensor("eps").to(device_), pass);
            // float32 sums of up to 6,400 terms in another order, 7 layers deep.
            EXPECT_LE(test::relative_to_largest(output.latent.mean.cpu(),
                                                golden.tensor("mu_f64", at::kDouble)),
                      5e-5);
        }
    }
}

TrainOptions training(tensor::Precision precision) {
    TrainOptions options;
    options.model = test::tiny_options();
    options.model.dropout = 0.1;
    options.data.binning = {.bins = options.model.bins, .window = 40};
    options.learner.precision = precision;
    return options;
}

train::StepContext context_of(std::int64_t step) {
    return {.step = step, .total_steps = 20, .dataset_size = 16, .batch_size = 16, .seed = 2};
}

/// Losses of the steps [first, last).
std::vector<double> losses(VaeRecipe& recipe, at::Device device, std::int64_t first,
                           std::int64_t last) {
    const auto counts = test::random_counts(16, test::tiny_options().bins, 6);
    const auto batch = make_batch(counts.view(), test::tiny_options().bins, device);
    std::vector<double> result;
    for (auto step = first; step < last; ++step) {
        result.push_back(*recipe.train(batch, context_of(step)).scalars.find("loss"));
    }
    return result;
}

/// Dropout masks and latent noise are the same bits on every device.
TEST_F(OnDevice, training_steps_agree_with_those_of_the_cpu) {
    VaeRecipe there(training(tensor::Precision::float32), device_);
    VaeRecipe here(training(tensor::Precision::float32), at::kCPU);
    const auto expected = losses(here, at::kCPU, 0, 6), actual = losses(there, device_, 0, 6);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(actual[i], expected[i], 1e-3 * std::abs(expected[i])) << "step " << i;
    }
}

/// As a step that failed is replayed: its batch comes from a file.
TEST_F(OnDevice, a_batch_on_the_cpu_is_brought_to_the_network) {
    const auto counts = test::random_counts(16, test::tiny_options().bins, 6);
    std::vector<double> results;
    for (const auto where : {at::Device(at::kCPU), device_}) {
        VaeRecipe recipe(training(tensor::Precision::float32), device_);
        const auto batch = make_batch(counts.view(), test::tiny_options().bins, where);
        results.push_back(*recipe.train(batch, context_of(0)).scalars.find("loss"));
        EXPECT_GT(*recipe.validate(batch, context_of(1)).scalars.find("loss"), 0.0);
    }
    EXPECT_NEAR(results[0], results[1], 1e-6 * std::abs(results[1]));
}

/// Nothing is dropped: attention goes through LibTorch's operator, forwards and backwards.
TEST_F(OnDevice, training_without_dropout_agrees_with_the_cpu) {
    auto options = training(tensor::Precision::float32);
    options.model.dropout = 0.0;
    VaeRecipe there(options, device_), here(options, at::kCPU);
    const auto expected = losses(here, at::kCPU, 0, 6), actual = losses(there, device_, 0, 6);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(actual[i], expected[i], 1e-3 * std::abs(expected[i])) << "step " << i;
    }
}

TEST_F(OnDevice, training_in_bfloat16_stays_near_float32) {
    VaeRecipe narrow(training(tensor::Precision::bf16), device_);
    VaeRecipe full(training(tensor::Precision::float32), device_);
    const auto expected = losses(full, device_, 0, 6), actual = losses(narrow, device_, 0, 6);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(actual[i], expected[i], 0.03 * std::abs(expected[i])) << "step " << i;
    }
}

/// LibTorch adds up entries of a module atomically on a device, in no fixed order.
TEST_F(OnDevice, a_resumed_training_goes_on_as_the_undisturbed_one) {
    VaeRecipe whole(training(tensor::Precision::float32), device_);
    const auto expected = losses(whole, device_, 0, 8);
    VaeRecipe first(training(tensor::Precision::float32), device_);
    losses(first, device_, 0, 4);
    auto saved = train::Archive::to_save();
    first.state(saved);
    VaeRecipe second(training(tensor::Precision::float32), device_);
    auto loaded = train::Archive::to_load(saved);
    second.state(loaded);
    const auto resumed = losses(second, device_, 4, 8);
    for (std::size_t i = 0; i < resumed.size(); ++i) {
        EXPECT_NEAR(resumed[i], expected[i + 4], 1e-6 * std::abs(expected[i + 4])) << "step " << i;
    }
}

TEST_F(OnDevice, encoding_agrees_with_the_cpu) {
    Network here{test::make_model(test::tiny_options(), at::kFloat), {}, {}, {}};
    Network there{test::make_model(test::tiny_options(), at::kFloat), {}, {}, {}};
    move_to(there.model, device_);
    const auto counts = test::random_counts(70, test::tiny_options().bins, 6);
    const auto size = static_cast<std::size_t>(70 * test::tiny_options().latent);
    std::vector<float> expected(size), actual(size), narrow(size);
    NetworkInUse(here, tensor::Precision::float32).encode(counts.view(), expected, {});
    NetworkInUse(there, tensor::Precision::float32).encode(counts.view(), actual, {});
    NetworkInUse(there, tensor::Precision::bf16).encode(counts.view(), narrow, {});
    for (std::size_t i = 0; i < size; ++i) {
        EXPECT_NEAR(actual[i], expected[i], 1e-5);
        EXPECT_NEAR(narrow[i], expected[i], 0.05);
    }
}

}  // namespace
}  // namespace hodo::om2vec
