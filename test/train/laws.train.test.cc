// The laws that every training obeys, on toys: a run that was stopped in any way and continued
// equals an uninterrupted one bit for bit, in its state and in its logs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

#include "support/reference.hh"
#include "train/toys.hh"

namespace hodo::train::toys {
namespace {

using testing::HasSubstr;

class TrainingLaws : public testing::Test {
  protected:
    test::TemporaryFolder folder;

    Trace whole(ToyRun run) const {
        run.interrupt_at = -1;
        train_toy(folder / "whole", run);
        return trace(folder / "whole");
    }
};

/// Runs until it is complete, with an interruption in each of `stops`.
Trace stopped(const base::Path& place, ToyRun run, const std::vector<std::int64_t>& stops) {
    for (const auto stop : stops) {
        run.interrupt_at = stop;
        EXPECT_THROW(train_toy(place, run), Interrupted) << "at step " << stop;
    }
    run.interrupt_at = -1;
    train_toy(place, run);
    return trace(place);
}

void expect_equal(const Trace& a, const Trace& b) {
    EXPECT_EQ(a.metrics, b.metrics);
    EXPECT_EQ(a.log, b.log);
    ASSERT_EQ(a.state.size(), b.state.size());
    for (std::size_t i = 0; i < a.state.size(); ++i) {
        EXPECT_TRUE(a.state[i] == b.state[i]) << a.state[i].substr(0, a.state[i].find(':'));
    }
}

TEST_F(TrainingLaws, a_resumed_regression_equals_an_uninterrupted_one) {
    const ToyRun run;
    const auto expected = whole(run);
    expect_equal(stopped(folder / "stopped", run, {0, 1, 17, 29, 30}), expected);
}

TEST_F(TrainingLaws, resumed_opponents_equal_uninterrupted_ones) {
    const ToyRun run{.toy = Toy::opponents};
    const auto expected = whole(run);
    expect_equal(stopped(folder / "stopped", run, {4, 5, 21, 40}), expected);
    EXPECT_THAT(expected.metrics, HasSubstr("step,epoch,set,critic"));
    EXPECT_THAT(expected.metrics, HasSubstr("generator"));
}

TEST_F(TrainingLaws, the_result_does_not_depend_on_the_number_of_workers) {
    ToyRun run;
    const auto expected = whole(run);
    for (const int workers : {0, 1, 4}) {
        run.workers = workers;
        const auto place = folder / base::format("workers {}", workers);
        train_toy(place, run);
        expect_equal(trace(place), expected);
    }
}

TEST_F(TrainingLaws, training_lowers_the_loss) {
    train_toy(folder / "run", {.epochs = 30});
    const auto lines = base::split(io::read_text(folder / "run" / "metrics.csv"), '\n');
    std::vector<double> losses;
    for (const auto& line : lines) {
        const auto cells = base::split(line, ',');
        if (cells.size() > 3 && cells[2] == "valid")
            losses.push_back(*base::parse_double(cells[3]));
    }
    ASSERT_GT(losses.size(), 10U);
    EXPECT_LT(losses.back(), 0.5 * losses.front());
}

TEST_F(TrainingLaws, early_stopping_ends_the_run_and_keeps_the_best) {
    // A rate that makes validation worse sooner or later: the toy overfits 11 batches.
    const auto outcome = train_toy(folder / "run", {.epochs = 400, .patience = 3});
    EXPECT_EQ(outcome, Outcome::stopped_early);
    double best = std::numeric_limits<double>::infinity();
    std::string best_step;
    for (const auto& line : base::split(io::read_text(folder / "run" / "metrics.csv"), '\n')) {
        const auto cells = base::split(line, ',');
        if (cells.size() < 4 || cells[2] != "valid" || *base::parse_double(cells[3]) >= best)
            continue;
        best = *base::parse_double(cells[3]);
        best_step = cells[0];
    }
    auto kept = Archive::read(folder / "run" / "checkpoints" / "best.safetensors");
    EXPECT_EQ(kept.metadata().at("step").text(), best_step);
    // Resuming a run that has stopped does nothing.
    const auto before = trace(folder / "run");
    EXPECT_EQ(train_toy(folder / "run", {.epochs = 400, .patience = 3}), Outcome::stopped_early);
    expect_equal(trace(folder / "run"), before);
}

TEST_F(TrainingLaws, a_loss_that_is_not_finite_stops_and_keeps_the_batch) {
    const auto message = test::error_of([&] { train_toy(folder / "run", {.poison = 1003}); });
    EXPECT_THAT(message, HasSubstr("training stopped at step"));
    EXPECT_THAT(message, HasSubstr("the loss of learner 'line' is nan"));
    EXPECT_THAT(message, HasSubstr("--replay " + (folder / "run").string() + "/failure"));

    Batch batch;
    auto stored = Archive::read(folder / "run" / "failure" / "batch.safetensors");
    batch.state(stored);
    EXPECT_THAT(batch.ids, testing::Contains(1003));

    // The kept step fails again when replayed, and succeeds when its cause is removed.
    const LineSource source({13, 40, 7, 22});
    FeedOptions options;
    options.batch_size = 8;
    options.workers = 0;
    Feed<Batch> feed(source, options, 3);
    Regression recipe;
    const auto failure = folder / "run" / "failure";
    EXPECT_THROW(replay<Batch>(recipe, feed, failure, {.epochs = 6}, 3), NonFinite);
    auto repaired = Archive::to_save();
    batch.y = at::nan_to_num(batch.y);
    batch.state(repaired);
    repaired.write(failure / "batch.safetensors");
    EXPECT_EQ(replay<Batch>(recipe, feed, failure, {.epochs = 6}, 3).examples, 8);
}

TEST_F(TrainingLaws, an_existing_run_is_refused_unless_told_otherwise) {
    train_toy(folder / "run", {.epochs = 1});
    const auto before = trace(folder / "run");
    auto info = toy_info(folder / "run");
    info.existing = Existing::refuse;
    const auto message = test::error_of([&] { const Journal journal(info, {}); });
    EXPECT_THAT(message, HasSubstr("--resume"));
    EXPECT_THAT(message, HasSubstr("--overwrite"));
    expect_equal(trace(folder / "run"), before);
    io::write_text(folder / "run" / "notes.txt", "mine");
    info.existing = Existing::overwrite;
    { const Journal journal(info, {}); }
    EXPECT_FALSE(std::filesystem::exists(folder / "run" / "checkpoints" / "last.safetensors"));
    EXPECT_TRUE(std::filesystem::exists(folder / "run" / "notes.txt"));
}

TEST_F(TrainingLaws, a_damaged_checkpoint_is_skipped_for_the_one_before) {
    const ToyRun run;
    const auto expected = whole(run);
    ToyRun part = run;
    part.interrupt_at = 20;
    EXPECT_THROW(train_toy(folder / "run", part), Interrupted);
    std::filesystem::resize_file(folder / "run" / "checkpoints" / "step-0000000021.safetensors",
                                 100);
    train_toy(folder / "run", run);
    expect_equal(trace(folder / "run"), expected);
}

TEST_F(TrainingLaws, only_the_newest_checkpoints_are_kept) {
    train_toy(folder / "run", {});
    int steps = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "run" / "checkpoints")) {
        const auto name = entry.path().filename().string();
        steps += name.starts_with("step-") ? 1 : 0;
        EXPECT_EQ(name.find("temporary"), std::string::npos) << name;
    }
    EXPECT_EQ(steps, 3);
}

TEST_F(TrainingLaws, changed_data_cannot_be_resumed) {
    train_toy(folder / "run", {.epochs = 1});
    const LineSource other({13, 40, 7, 23});
    FeedOptions options;
    options.batch_size = 8;
    options.window = 32;
    Feed<Batch> feed(other, options, 3);
    Journal journal(toy_info(folder / "run"), {});
    Regression recipe;
    const auto message =
        test::error_of([&] { run<Batch>(recipe, feed, nullptr, journal, {.epochs = 2}, 3); });
    EXPECT_THAT(message, HasSubstr("rows 82 then, 83 now"));
}

/// The child of the two tests below: this program again, with one toy in one folder.
class Child {
  public:
    Child(const base::Path& folder, Toy toy) {
        process_ = fork();
        if (process_ != 0) return;
        setenv("HODO_TOY_FOLDER", folder.c_str(), 1);
        setenv("HODO_TOY", toy == Toy::regression ? "regression" : "opponents", 1);
        setenv("OMP_NUM_THREADS", "1", 1);
        execl("/proc/self/exe", "hodo_test_train", "--gtest_also_run_disabled_tests",
              "--gtest_filter=*DISABLED_trains_in_a_folder", "--gtest_brief=1",
              static_cast<char*>(nullptr));
        _exit(127);
    }
    /// The status waitpid reports, after sending `signal` (0: none).
    int end(int signal) const {
        if (signal != 0) kill(process_, signal);
        int status = 0;
        waitpid(process_, &status, 0);
        return status;
    }

  private:
    pid_t process_ = 0;
};

ToyRun slow_run(Toy toy) {
    return {.toy = toy, .epochs = 16, .save_every = 4, .sleep = 6000};
}

/// Starts a child, waits until it has restored the run and written run.json, then `delay`
/// microseconds more.
Child started_child(const base::Path& folder, Toy toy, int delay) {
    const auto written = [&] {
        std::error_code failed;
        return std::filesystem::last_write_time(folder / "run.json", failed);
    };
    const auto before = written();
    const Child child(folder, toy);
    for (int i = 0; i < 60000 && written() == before; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(delay));
    return child;
}

TEST_F(TrainingLaws, DISABLED_trains_in_a_folder) {
    const char* place = std::getenv("HODO_TOY_FOLDER");
    ASSERT_NE(place, nullptr);
    base::watch_signals();
    const auto toy =
        std::string(std::getenv("HODO_TOY")) == "regression" ? Toy::regression : Toy::opponents;
    try {
        train_toy(place, slow_run(toy));
    } catch (const base::Error& error) {
        std::_Exit(static_cast<int>(error.code()));
    }
}

TEST_F(TrainingLaws, a_killed_run_continues_as_if_nothing_had_happened) {
    base::Random random(17, "kill");
    for (const auto toy : {Toy::regression, Toy::opponents}) {
        const auto expected = whole(slow_run(toy));
        std::filesystem::remove_all(folder / "whole");
        const auto place = folder / base::format("killed {}", static_cast<int>(toy));
        for (int session = 0; session < 4; ++session) {
            const auto child = started_child(place, toy, static_cast<int>(random.below(150000)));
            EXPECT_TRUE(WIFSIGNALED(child.end(SIGKILL)));
        }
        train_toy(place, slow_run(toy));
        expect_equal(trace(place), expected);
    }
}

TEST_F(TrainingLaws, a_terminated_run_saves_and_says_how_to_go_on) {
    const auto expected = whole(slow_run(Toy::regression));
    for (const int signal : {SIGTERM, SIGUSR1, SIGINT}) {
        const auto place = folder / base::format("signal {}", signal);
        const auto child = started_child(place, Toy::regression, 50000);
        const int status = child.end(signal);
        ASSERT_TRUE(WIFEXITED(status));
        EXPECT_EQ(WEXITSTATUS(status), 130);
        train_toy(place, slow_run(Toy::regression));
        expect_equal(trace(place), expected);
    }
}

}  // namespace
}  // namespace hodo::train::toys
