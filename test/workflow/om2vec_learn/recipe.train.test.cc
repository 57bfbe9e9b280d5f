#include "hodo/workflow/om2vec/learn/recipe.hh"

#include "hodo/base/random.hh"
#include "hodo/train/loop.hh"
#include "small_network.hh"

#include <gtest/gtest.h>
#include <cmath>

namespace hodo::om2vec {
namespace {

constexpr std::int64_t bins = 32;

TrainOptions small_options() {
    TrainOptions options;
    options.model = {.bins = bins, .latent = 8, .embed = 8, .heads = 2, .feedforward = 16};
    options.model.tokens = {16, 8};
    options.model.dropout = 0;
    options.data.binning = {.bins = bins, .window = 32};
    options.loss.beta.factor = 0;
    options.learner.clip = 1.0;
    options.learner.optimizer.rate = 5e-3;
    options.learner.optimizer.weight_decay = 0;
    return options;
}

/// `modules` histograms of three bins with some photons each.
optical::ModuleCounts histograms(std::int64_t modules) {
    optical::ModuleCounts counts;
    base::Random random(5, "histograms");
    for (std::int64_t module = 0; module < modules; ++module) {
        const auto first = static_cast<std::int32_t>(random.below(bins - 8));
        for (const std::int32_t step : {0, 3, 7}) {
            counts.bin.push_back(first + step);
            counts.count.push_back(static_cast<float>(1 + random.below(9)));
        }
        counts.event.push_back(module);
        counts.id.push_back({module, 0});
        counts.position.push_back({0, 0, 0});
        counts.time_offset.push_back(0);
        counts.hits.push_back(0);
        counts.offsets.push_back(std::ssize(counts.bin));
    }
    return counts;
}

train::StepContext context_of(std::int64_t step, std::int64_t batch) {
    return {
        .step = step, .total_steps = 300, .dataset_size = batch, .batch_size = batch, .seed = 2};
}

/// Rows of one batch in their order.
class Stored final : public train::Source<Batch> {
  public:
    explicit Stored(std::int64_t modules) : all_(make_batch(view(histograms(modules)), bins)) {}
    std::vector<std::int64_t> groups() const override { return {all_.modules}; }
    Batch load(const train::Request& request) const override {
        return all_.part(request.rows.front().row, request.rows.back().row + 1);
    }

  private:
    Batch all_;
};

TEST(VaeRecipe, validates_to_the_same_numbers_whatever_the_batch_size) {
    auto options = small_options();
    options.loss.beta.factor = 0.1;
    VaeRecipe recipe(options, at::kCPU);
    const Stored source(23);
    const auto means = [&](std::int64_t batch) {
        train::FeedOptions feed_options;
        feed_options.batch_size = batch;
        feed_options.order = train::RowOrder::stored;
        train::Feed<Batch> feed(source, feed_options, 2, train::Passes::single);
        return train::evaluate(recipe, feed, context_of(100, 8));
    };
    const auto whole = means(23);
    for (const std::int64_t batch : {1, 3, 8}) {
        const auto parts = means(batch);
        for (const auto* name : {"loss", "reco", "kl", "js"}) {
            const double expected = *whole.find(name);
            EXPECT_NEAR(*parts.find(name), expected, 1e-6 * std::abs(expected)) << name << batch;
        }
    }
}

TEST(VaeRecipe, overfits_eight_modules) {
    auto options = small_options();
    VaeRecipe recipe(options, at::kCPU);
    const auto batch = make_batch(view(histograms(8)), bins);
    double first = 0, last = 0;
    for (std::int64_t step = 0; step < 300; ++step) {
        last = *recipe.train(batch, context_of(step, 8)).scalars.find("reco");
        if (step == 0) first = last;
    }
    // The first loss is that of a nearly uniform density; three known bins leave a few nats.
    EXPECT_LT(last, 0.35 * first);
}

TEST(VaeRecipe, reports_the_loss_as_reconstruction_plus_weighted_divergence) {
    auto options = small_options();
    options.loss.beta = {.factor = 0.5, .peak_epoch = 1};
    for (const auto reduction : {KlReduction::mean, KlReduction::sum}) {
        options.loss.kl_reduction = reduction;
        VaeRecipe recipe(options, at::kCPU);
        const auto batch = make_batch(view(histograms(20)), bins);
        const auto scalars = recipe.train(batch, context_of(3, 20)).scalars;
        const double beta = *scalars.find("beta");
        EXPECT_GT(beta, 0);
        EXPECT_GT(*scalars.find("kl"), 0);
        EXPECT_NEAR(*scalars.find("loss"), *scalars.find("reco") + beta * *scalars.find("kl"),
                    1e-9);
    }
}

TEST(VaeRecipe, validation_changes_nothing) {
    VaeRecipe recipe(small_options(), at::kCPU);
    const auto batch = make_batch(view(histograms(20)), bins);
    const train::NoGradients no_gradients;
    const auto first = recipe.validate(batch, context_of(0, 20));
    const auto second = recipe.validate(batch, context_of(0, 20));
    EXPECT_EQ(first.scalars.entries(), second.scalars.entries());
    const double distance = *first.scalars.find("js");
    EXPECT_GT(distance, 0);
    EXPECT_LT(distance, std::sqrt(std::log(2.0)));
}

TEST(VaeRecipe, works_on_no_modules_and_on_one) {
    VaeRecipe recipe(small_options(), at::kCPU);
    EXPECT_EQ(recipe.train(make_batch(view(histograms(1)), bins), context_of(0, 1)).examples, 1);
    const train::NoGradients no_gradients;
    EXPECT_EQ(recipe.validate(make_batch(view(histograms(0)), bins), context_of(0, 1)).examples, 0);
}

}  // namespace
}  // namespace hodo::om2vec
