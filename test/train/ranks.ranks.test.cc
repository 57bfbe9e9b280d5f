// Training with several ranks, as threads of one process: the number of ranks changes nothing but
// the order of sums.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <mutex>
#include <thread>

#include "support/reference.hh"
#include "train/toys.hh"

namespace hodo::train::toys {
namespace {

using testing::HasSubstr;

/// A regression without noise of its own, on any number of ranks; `accumulate` batches per step.
class Line final : public Recipe<Batch> {
  public:
    explicit Line(int accumulate)
        : learner("line", tensor::named_parameters(network), options(accumulate)) {}
    Step train(const Batch& batch, const StepContext& context) override {
        if (context.step == interrupt_at && context.ranks->rank() == interrupt_rank) {
            base::set_interrupted(true);
        }
        auto loss = square_error(network(batch.x, false), batch.y);
        if (late && !std::isfinite(loss.item<double>())) {
            // sqrt(0): a finite value whose derivative is not.
            loss = at::sqrt(network(batch.x, false) * 0.0).sum();
        }
        const auto update = learner.update(loss, context);
        return {{{"loss", loss.item<double>()},
                 {"rate", update.rate},
                 {"gradient_norm", update.gradient_norm}},
                batch.x.size(0)};
    }
    Step validate(const Batch& batch, const StepContext&) override {
        const auto loss = square_error(network(batch.x, false), batch.y).item<double>();
        return {{{"loss", loss}}, batch.x.size(0)};
    }
    void state(Archive& archive) override { archive.group("learner", learner); }

    Network network{11, 3};
    Learner learner;
    std::int64_t interrupt_at = -1;
    int interrupt_rank = 0;
    bool late = false;

  private:
    static LearnerOptions options(int accumulate) {
        auto chosen = regression_options();
        chosen.accumulate = accumulate;
        return chosen;
    }
};

struct Job {
    std::int64_t batch_size = 16;
    int accumulate = 1;
    std::int64_t interrupt_at = -1;
    int interrupt_rank = 0;
    std::int64_t poison = -1;  ///< See LineSource; on this rank only:
    int poisoned_rank = 0;
    bool late = false;  ///< The poison is in the gradients, not in the loss.
    int patience = 0;
    std::int64_t epochs = 4;
};

/// One error message per rank; empty where there was none.
using Messages = std::vector<std::string>;

/// Trains in `folder` with `size` ranks, going on where it stands there.
Messages train_on(int size, const base::Path& folder, const Job& job) {
    base::set_interrupted(false);
    Messages messages(static_cast<std::size_t>(size));
    const auto ranks = thread_ranks(size);
    const auto work = [&](Ranks& mine) {
        LineSource source({30, 37});
        if (mine.rank() == job.poisoned_rank) source.poison = job.poison;
        const LineSource validation_source({21});
        FeedOptions options;
        options.batch_size = job.batch_size;
        options.workers = 0;
        const Share share{mine.rank(), mine.size()};
        Feed<Batch> feed(source, options, 3, Passes::endless, share);
        options.order = RowOrder::stored;
        Feed<Batch> validation(validation_source, options, 3, Passes::single, share);
        Line recipe(job.accumulate);
        recipe.interrupt_at = job.interrupt_at;
        recipe.interrupt_rank = job.interrupt_rank;
        recipe.late = job.late;
        Plan plan;
        plan.epochs = job.epochs;
        plan.validate_every = 3;
        plan.save_every = 4;
        plan.patience = job.patience;
        auto info = toy_info(folder);
        info.rank = mine.rank();
        if (!mine.first()) mine.barrier();
        Journal journal(info, {});
        if (mine.first()) mine.barrier();
        try {
            run<Batch>(recipe, feed, &validation, journal, plan, 3, &mine);
        } catch (const base::Error& error) {
            const bool has_failed = error.code() != base::ExitCode::interrupted;
            messages[static_cast<std::size_t>(mine.rank())] =
                (has_failed ? mine.give_up(error) : error).what();
        }
    };
    std::vector<std::jthread> threads;
    for (const auto& rank : ranks) threads.emplace_back([&work, &rank] { work(*rank); });
    threads.clear();
    return messages;
}

/// All numbers of metrics.csv.
std::vector<double> numbers(const base::Path& folder) {
    std::vector<double> found;
    for (const auto& line : base::split(io::read_text(folder / "metrics.csv"), '\n')) {
        for (const auto& cell : base::split(line, ',')) {
            if (const auto value = base::parse_double(cell)) found.push_back(*value);
        }
    }
    return found;
}

std::vector<double> parameters(const base::Path& folder) {
    const auto file = io::WeightFile::open(folder / "checkpoints" / "last.safetensors");
    std::vector<double> found;
    for (const auto& entry : file.entries()) {
        if (!entry.name.starts_with("recipe.learner.parameters.")) continue;
        const auto values = tensor::from_array(file.get(entry.name)).to(at::kDouble).reshape({-1});
        found.insert(found.end(), values.data_ptr<double>(),
                     values.data_ptr<double>() + values.numel());
    }
    return found;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
    ASSERT_EQ(a.size(), b.size());
    ASSERT_FALSE(a.empty());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_NEAR(a[i], b[i], 5e-6 * (1 + std::abs(a[i]))) << i;
    }
}

class Ranked : public testing::Test {
  protected:
    test::TemporaryFolder folder;
};

TEST_F(Ranked, the_number_of_ranks_changes_nothing_but_rounding) {
    for (const int accumulate : {1, 3}) {
        const Job job{.accumulate = accumulate};
        const auto alone = folder / base::format("alone {}", accumulate);
        train_on(1, alone, job);
        // Five ranks: the last batch of an epoch has three rows, so two of them have none.
        for (const int size : {2, 3, 5}) {
            const auto together = folder / base::format("{} ranks {}", size, accumulate);
            train_on(size, together, job);
            expect_near(numbers(together), numbers(alone));
            expect_near(parameters(together), parameters(alone));
        }
    }
}

TEST_F(Ranked, the_same_number_of_ranks_repeats_every_bit) {
    train_on(3, folder / "first", {});
    train_on(3, folder / "second", {});
    EXPECT_EQ(trace(folder / "first"), trace(folder / "second"));
}

TEST_F(Ranked, a_stop_asked_of_any_rank_stops_all_after_the_same_step) {
    const Job job{.accumulate = 2};
    train_on(2, folder / "whole", job);
    for (const int rank : {0, 1}) {
        auto stopped = job;
        stopped.interrupt_at = 6;
        stopped.interrupt_rank = rank;
        const auto place = folder / base::format("stopped {}", rank);
        for (const auto& message : train_on(2, place, stopped)) {
            EXPECT_THAT(message, HasSubstr("interrupted after step 7"));
        }
        train_on(2, place, job);
        EXPECT_EQ(trace(place), trace(folder / "whole"));
    }
}

TEST_F(Ranked, a_run_goes_on_with_another_number_of_ranks) {
    Job job{.accumulate = 2};
    train_on(1, folder / "whole", job);
    int size = 2;
    for (const std::int64_t stop : {4, 9, 12}) {
        auto part = job;
        part.interrupt_at = stop;
        train_on(size, folder / "changing", part);
        size = 3 - size;
    }
    train_on(size, folder / "changing", job);
    expect_near(numbers(folder / "changing"), numbers(folder / "whole"));
    expect_near(parameters(folder / "changing"), parameters(folder / "whole"));
}

TEST_F(Ranked, a_loss_that_is_not_finite_on_one_rank_ends_all_with_its_sentence) {
    for (const int rank : {0, 1, 2}) {
        for (const bool late : {false, true}) {
            for (const int accumulate : {1, 3}) {
                const auto place = folder / base::format("{} {} {}", rank, late, accumulate);
                const Job job{.accumulate = accumulate,
                              .poison = 1005,
                              .poisoned_rank = rank,
                              .late = late,
                              .epochs = 40};
                auto messages = train_on(3, place, job);
                const auto mine = static_cast<std::size_t>(rank);
                EXPECT_THAT(messages[mine], HasSubstr(base::format("on rank {} of 3", rank)));
                EXPECT_THAT(messages[mine], HasSubstr("training stopped at step "));
                EXPECT_THAT(messages[mine], HasSubstr(late ? "gradient norm" : "loss"));
                messages[mine].clear();
                EXPECT_THAT(messages, testing::Each("")) << place;
            }
        }
    }
}

TEST_F(Ranked, early_stopping_is_one_decision) {
    const Job job{.patience = 1, .epochs = 200};
    train_on(1, folder / "alone", job);
    train_on(3, folder / "together", job);
    EXPECT_LT(numbers(folder / "alone").size(), 3000U);
    EXPECT_EQ(numbers(folder / "together").size(), numbers(folder / "alone").size());
}

TEST_F(Ranked, ranks_that_see_different_folders_are_told_so) {
    train_on(1, folder / "run", {.epochs = 1});
    const auto ranks = thread_ranks(2);
    Messages messages(2);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 2; ++i) {
            threads.emplace_back([&, i] {
                auto& mine = *ranks[static_cast<std::size_t>(i)];
                messages[static_cast<std::size_t>(i)] = test::error_of(
                    [&] { require_same_step(&mine, i == 0 ? 5 : 0, folder / "run"); });
            });
        }
    }
    EXPECT_THAT(messages[0], HasSubstr("rank 1 from step 0"));
    EXPECT_EQ(messages[0], messages[1]);
}

TEST_F(Ranked, nobody_leaves_an_interrupted_run_while_another_rank_saves) {
    const auto ranks = thread_ranks(3);
    std::atomic<bool> is_saved = false;
    {
        std::vector<std::jthread> threads;
        for (const auto& rank : ranks) {
            threads.emplace_back([&] {
                const auto work = [&] {
                    if (rank->first()) {
                        std::this_thread::sleep_for(std::chrono::milliseconds(200));
                        is_saved = true;
                    }
                    throw Interrupted(7, "run");
                };
                EXPECT_THROW(work_together(*rank, work), base::Error);
                EXPECT_TRUE(is_saved);
            });
        }
    }
}

TEST_F(Ranked, numbers_that_are_equal_everywhere_stay_so_bit_for_bit) {
    const auto ranks = thread_ranks(3);
    std::vector<Step> steps(3);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 3; ++i) {
            threads.emplace_back([&, i] {
                auto& step = steps[static_cast<std::size_t>(i)];
                step = {{{"rate", 0.1}, {"loss", static_cast<double>(i)}}, i + 1};
                StepContext context;
                context.ranks = ranks[static_cast<std::size_t>(i)].get();
                EXPECT_EQ(agree(context, step, i == 1), true);
            });
        }
    }
    for (const auto& step : steps) {
        EXPECT_EQ(*step.scalars.find("rate"), 0.1);
        EXPECT_NEAR(*step.scalars.find("loss"), (0 * 1 + 1 * 2 + 2 * 3) / 6.0, 1e-15);
        EXPECT_EQ(step.examples, 6);
    }
}

}  // namespace
}  // namespace hodo::train::toys
