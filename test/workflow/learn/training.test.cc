#include "hodo/workflow/learn/training.hh"

#include <gmock/gmock.h>

#include "support/reference.hh"
#include "train/toys.hh"

namespace hodo::workflow {
namespace {

using train::toys::Regression;

Job example_job() {
    Job job;
    job.workflow = "rings";
    job.verb = "train";
    job.resolved = "  seed: 7\n";
    job.command_line = "hodo rings train";
    job.existing = Existing::resume;
    return job;
}

TEST(Training, a_run_directory_is_told_of_the_call) {
    const auto info = run_info(example_job(), "runs/rings", 7, train::single_rank());
    EXPECT_EQ(info.folder, "runs/rings");
    EXPECT_EQ(info.existing, train::Existing::resume);
    EXPECT_EQ(info.title, "rings train");
    EXPECT_EQ(info.config, "workflow: rings\ntrain:\n  seed: 7\n");
    EXPECT_EQ(info.replay, "hodo rings train runs/rings/config.yaml --replay FOLDER");
    EXPECT_EQ(info.rank, 0);
    EXPECT_THAT(info.libraries, testing::HasSubstr("LibTorch"));
    EXPECT_FALSE(info.extra.has("ranks"));
}

TEST(Training, every_rank_knows_its_number_and_finds_the_folder_prepared) {
    const test::TemporaryFolder work;
    const auto folder = (work / "run").string();
    const auto ranks = train::thread_ranks(2);
    std::vector<std::jthread> threads;
    for (const auto& rank : ranks) {
        threads.emplace_back([&, own = rank.get()] {
            const auto info = run_info(example_job(), folder, 7, *own);
            EXPECT_EQ(info.rank, own->rank());
            EXPECT_EQ(info.extra.at("ranks").integer(), 2);
            const auto journal = open_journal(info, {}, *own);
            EXPECT_TRUE(std::filesystem::is_directory(work / "run" / "checkpoints"));
        });
    }
}

TEST(Training, ranks_without_cuda_devices_stay_on_the_cpu) {
    base::Launch launch;
    launch.local_rank = 1;
    launch.local_size = 2;
    EXPECT_EQ(rank_device(example_job(), launch).text(), "cpu");
}

TEST(Training, a_validation_set_is_read_in_its_order_and_whole) {
    train::FeedOptions options;
    options.batch_size = 5;
    options.last_batch = train::LastBatch::drop;
    const auto feed = validation_feed(options);
    EXPECT_EQ(feed.order, train::RowOrder::stored);
    EXPECT_EQ(feed.last_batch, train::LastBatch::keep);
    EXPECT_EQ(feed.batch_size, 5);
}

/// Which weights are exported, and their first matrix then.
std::pair<std::string, at::Tensor> exported(const train::Journal& journal, Regression& recipe) {
    std::pair<std::string, at::Tensor> found;
    export_weights<train::toys::Batch>(
        journal, recipe, recipe.learner, train::AverageKind::swa, [&](std::string_view which) {
            found = {std::string(which), recipe.network.first.detach().clone()};
        });
    return found;
}

TEST(Training, the_best_weights_are_exported_unless_there_is_an_average) {
    const test::TemporaryFolder work;
    train::toys::train_toy(work / "run", {});
    const train::Journal journal(train::toys::toy_info(work / "run"), {});
    Regression recipe;
    const auto begin = recipe.network.first.detach().clone();
    const auto [best, best_weights] = exported(journal, recipe);
    EXPECT_EQ(best, "best");
    EXPECT_FALSE(best_weights.equal(begin));
    EXPECT_TRUE(best_weights.equal(recipe.network.first));

    std::filesystem::remove(work / "run" / "checkpoints" / "best.safetensors");
    Regression without_validation;
    EXPECT_EQ(exported(journal, without_validation).first, "last");

    auto last = train::Archive::read(work / "run" / "checkpoints" / "last.safetensors");
    last.group("recipe", recipe);
    const auto [average, mean_weights] = exported(journal, recipe);
    EXPECT_EQ(average, "swa");
    EXPECT_FALSE(mean_weights.equal(recipe.network.first));
}

}  // namespace
}  // namespace hodo::workflow
