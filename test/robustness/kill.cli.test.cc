/// Killed without warning a hundred times: nothing half is taken for whole, and what comes out in
/// the end has the bytes of runs that were left alone.

#include "hodo/base/random.hh"
#include "hodo/detector/optical/files.hh"
#include "hodo/io/provenance.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "robustness/program.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <set>

namespace hodo::test {
namespace {

namespace fs = std::filesystem;

/// A command whose run with --resume ends what a killed one began.
struct Work {
    std::string command;          ///< The output folder is put behind it.
    std::set<std::string> files;  ///< Compared; empty: all .parquet files.
    int kills = 0;
    double earliest = 0;  ///< Fraction of an undisturbed run before which none is killed.
};

class Kill : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder_ = std::make_unique<TemporaryFolder>();
        std::ofstream(*folder_ / "small.yaml")
            << small_configuration("{epochs: 2, save_every: 5}")
            << "  learner:\n    average: {kind: swa, start: 0.5}\n";
        ASSERT_EQ(run_hodo(folder_->path(), "om2vec simulate small.yaml").code, 0);
    }
    static void TearDownTestSuite() { folder_.reset(); }

    base::Path in(const std::string& name) const { return *folder_ / name; }

    std::set<std::string> compared(const Work& work, const base::Path& output) const {
        if (!work.files.empty()) return work.files;
        std::set<std::string> names;
        for (const auto& entry : fs::directory_iterator(output)) {
            if (entry.path().extension() == ".parquet") names.insert(entry.path().filename());
        }
        return names;
    }

    /// Files that have their names are those of the undisturbed run.
    void expect_no_half_file(const Work& work, const base::Path& output) const {
        if (!fs::exists(output)) return;
        for (const auto& name : compared(work, output)) {
            if (name.ends_with(".csv") || !fs::exists(output / name)) continue;
            EXPECT_TRUE(content_of(output / name) == content_of(in("undisturbed") / name)) << name;
        }
    }

    void expect_all(const Work& work, const base::Path& output) const {
        EXPECT_EQ(compared(work, output), compared(work, in("undisturbed")));
        for (const auto& name : compared(work, in("undisturbed"))) {
            EXPECT_TRUE(content_of(output / name) == content_of(in("undisturbed") / name)) << name;
        }
        EXPECT_FALSE(io::is_unfinished(output));
        for (const auto& entry : fs::recursive_directory_iterator(output)) {
            EXPECT_EQ(entry.path().filename().string().find(".part-"), std::string::npos)
                << entry.path();
        }
    }

    void survive(const Work& work, std::uint64_t seed) const {
        const auto undisturbed = run_hodo(folder_->path(), work.command + " undisturbed -q");
        ASSERT_EQ(undisturbed.code, 0) << undisturbed.errors;
        double duration = undisturbed.seconds;  // of a run from the beginning, the shortest seen
        base::Random moments(seed, "moments to kill");
        int killed = 0, unfinished = 0, finished = 0;
        const auto output = in("killed");
        for (int attempt = 0; attempt < work.kills; ++attempt) {
            const bool from_beginning = !fs::exists(output);
            Circumstances circumstances;
            circumstances.kill_after = duration * moments.uniform(work.earliest, 1.05);
            const auto outcome =
                run_hodo(folder_->path(), work.command + " killed --resume -q", circumstances);
            ASSERT_TRUE(outcome.was_killed() || outcome.code == 0) << outcome.errors;
            expect_no_half_file(work, output);
            killed += outcome.was_killed() ? 1 : 0;
            unfinished += fs::exists(output) && io::is_unfinished(output) ? 1 : 0;
            if (outcome.code != 0) continue;
            ++finished;
            if (from_beginning) duration = std::min(duration, outcome.seconds);
            expect_all(work, output);
            fs::remove_all(output);
        }
        const auto last = run_hodo(folder_->path(), work.command + " killed --resume -q");
        ASSERT_EQ(last.code, 0) << last.errors;
        expect_all(work, output);
        fs::remove_all(output);
        fs::remove_all(in("undisturbed"));
        std::printf("%d killed, %d times with a folder begun; %d ended before\n", killed,
                    unfinished, finished);
    }

  private:
    static inline std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(Kill, leaves_prepare_the_same) {
    survive({.command = "om2vec prepare events --format om2vec --chunk-size 30 --output",
             .files = {},
             .kills = 70},
            1);
}

TEST_F(Kill, leaves_a_set_that_is_not_read_until_it_is_finished) {
    const auto seen_two = [&](int process) {
        if (fs::exists(in("half/chunk_1.parquet"))) kill(process, SIGKILL);
    };
    const std::string prepare = "om2vec prepare events half --format om2vec --chunk-size 30";
    ASSERT_TRUE(run_hodo(in("."), prepare, {.watch = seen_two}).was_killed());
    const auto again = run_hodo(in("."), prepare);
    EXPECT_EQ(again.code, 1);
    EXPECT_NE(again.errors.find("unfinished"), std::string::npos) << again.errors;
    const auto half = in("half");
    const auto message = error_of([&] { optical::event_files(half.string()); });
    EXPECT_NE(message.find("--resume"), std::string::npos) << message;
    error_of([&] { optical::select_files(half, 0, 1); });
    EXPECT_EQ(run_hodo(in("."), prepare + " --resume").code, 0);
    EXPECT_GT(optical::event_files(half.string()).size(), 2u);
}

TEST_F(Kill, leaves_training_the_same) {
    if (!can_learn()) GTEST_SKIP() << "this build has no half with LibTorch";
    survive({.command = "om2vec train small.yaml --output",
             .files = {"metrics.csv", "model.safetensors"},
             .kills = 15,
             .earliest = 0.4},
            2);
}

TEST_F(Kill, leaves_apply_the_same) {
    if (!can_learn()) GTEST_SKIP() << "this build has no half with LibTorch";
    ASSERT_EQ(run_hodo(in("."), "om2vec train small.yaml --output run -q").code, 0);
    survive({.command = "om2vec apply --weights run events --chunk-size 1 --output",
             .files = {},
             .kills = 15,
             .earliest = 0.4},
            3);
}

TEST_F(Kill, leaves_lartpc_outputs_the_same) {
    if (!can_learn()) GTEST_SKIP() << "this build has no half with LibTorch";
    const auto events = reference_files("lartpc/pipeline/xy", "batch*_xy-TPC*.npz");
    const auto weights =
        reference_files("lartpc/pipeline/run/ghost_small/checkpoints", "checkpoint_*.pth.tar");
    HODO_REQUIRE_REFERENCE(weights, "lartpc/pipeline/run/ghost_small/checkpoints");
    HODO_REQUIRE_REFERENCE(events, "lartpc/pipeline/xy");
    std::set<std::string> outputs;
    for (const auto& file : events) outputs.insert(lartpc::inference_name(file, 5));
    survive({.command = base::format("lartpc apply {} --voxels 1 --epoch 5 --weights {} --output",
                                     events.front().parent_path(), weights.front()),
             .files = outputs,
             .kills = 15,
             .earliest = 0.4},
            4);
}

}  // namespace
}  // namespace hodo::test
