/// Disks that are full, folders that take nothing, files that go away.

#include "robustness/program.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <fstream>

namespace hodo::test {
namespace {

namespace fs = std::filesystem;

class BrokenMachine : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder_ = std::make_unique<TemporaryFolder>();
        std::ofstream(*folder_ / "small.yaml") << small_configuration("{epochs: 2}");
        ASSERT_EQ(hodo("om2vec simulate small.yaml").code, 0);
        if (!can_learn()) return;
        ASSERT_EQ(hodo("om2vec train small.yaml --output run -q").code, 0);
        ASSERT_EQ(hodo("om2vec apply --weights run events latents -q").code, 0);
    }
    static void TearDownTestSuite() { folder_.reset(); }
    static base::Path in(const std::string& name) { return *folder_ / name; }
    static Outcome hodo(const std::string& command, const Circumstances& circumstances = {}) {
        return run_hodo(folder_->path(), command, circumstances);
    }

    /// Every command that writes, with `OUT` for its output.
    static std::vector<std::string> commands() {
        std::vector<std::string> all{
            "om2vec simulate --events 40 --seed 3 OUT",
            "om2vec prepare events OUT",
            "om2vec prepare events OUT --format om2vec",
            "om2vec prepare events OUT --shard 0/2",
            "om2vec summarize events OUT",
            "om2vec summarize events OUT.npz --latents-only",
            "om2vec view events/events-00000.parquet OUT.html",
        };
        if (!can_learn()) return all;
        for (const char* command :
             {"om2vec train small.yaml --output OUT", "om2vec apply --weights run events OUT",
              "om2vec decode --weights run latents OUT --form distribution",
              "om2vec evaluate --weights run events OUT",
              "weights convert run/model.safetensors OUT.npz"}) {
            all.emplace_back(command);
        }
        return all;
    }
    static std::string with_output(std::string command, const std::string& output) {
        return command.replace(command.find("OUT"), 3, output);
    }
    /// One sentence of the program, and nothing that looks whole.
    static void expect_sentence(const std::string& command, const Outcome& outcome) {
        EXPECT_EQ(outcome.code, 1) << command << "\n" << outcome.errors;
        EXPECT_EQ(outcome.errors.find("bug in"), std::string::npos) << command << "\n"
                                                                    << outcome.errors;
        EXPECT_NE(outcome.errors.find("hodo: "), std::string::npos) << command << "\n"
                                                                    << outcome.errors;
        std::printf("%s", outcome.errors.substr(outcome.errors.rfind("hodo: ")).c_str());
    }

  private:
    static inline std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(BrokenMachine, a_full_disk_is_said_and_leaves_no_file_that_looks_whole) {
    for (const auto& command : commands()) {
        // Nothing larger than the marks and records of a folder can be written.
        const auto outcome = hodo(with_output(command, "full"), {.file_size = 1000});
        expect_sentence(command, outcome);
        EXPECT_NE(outcome.errors.find("full"), std::string::npos) << outcome.errors;
        for (const auto& entry : fs::recursive_directory_iterator(in("."))) {
            if (!entry.is_regular_file()) continue;
            const auto path = entry.path().lexically_relative(in(".")).string();
            if (path.find("full") == std::string::npos) continue;
            EXPECT_LE(entry.file_size(), 1000u) << path;
            EXPECT_EQ(path.find(".part-"), std::string::npos) << path;
            for (const char* end : {".parquet", ".npz", ".html", ".safetensors"}) {
                EXPECT_FALSE(path.ends_with(end)) << path;
            }
        }
        for (const char* name : {"full", "full.npz", "full.html"}) fs::remove_all(in(name));
    }
}

TEST_F(BrokenMachine, work_goes_on_when_there_is_room_again) {
    ASSERT_EQ(hodo("om2vec prepare events undisturbed -q").code, 0);
    ASSERT_EQ(hodo("om2vec prepare events filled -q", {.file_size = 1000}).code, 1);
    ASSERT_EQ(hodo("om2vec prepare events filled -q --resume").code, 0);
    EXPECT_TRUE(content_of(in("filled/modules-00000.parquet")) ==
                content_of(in("undisturbed/modules-00000.parquet")));
}

TEST_F(BrokenMachine, outputs_that_cannot_be_written_are_named) {
    std::ofstream(in("file")) << "not a folder";
    for (const auto& command : commands()) {
        // A folder that cannot be made, whoever asks: by the kernel, and below a file.
        for (const std::string place : {"/sys/hodo", "file/below"}) {
            const auto outcome = hodo(with_output(command, place));
            expect_sentence(command, outcome);
            EXPECT_NE(outcome.errors.find(place), std::string::npos) << outcome.errors;
        }
    }
}

TEST_F(BrokenMachine, an_input_that_goes_away_while_it_is_read_is_named) {
    fs::create_directory(in("many"));
    for (int i = 0; i < 12; ++i) {
        fs::copy(in("events/events-00000.parquet"),
                 in("many") / base::format("events-{}.parquet", i));
    }
    const auto last = in("many/events-11.parquet");
    const auto remove_when_begun = [&](int) {
        if (fs::exists(in("going/chunk_0.parquet"))) fs::remove(last);
    };
    const auto outcome = hodo("om2vec prepare many going --format om2vec --chunk-size 30 -q",
                              {.watch = remove_when_begun});
    expect_sentence("prepare", outcome);
    EXPECT_NE(outcome.errors.find("events-11.parquet"), std::string::npos) << outcome.errors;
    EXPECT_EQ(hodo("om2vec prepare going again -q").code, 1);
}

TEST_F(BrokenMachine, a_training_whose_data_are_gone_says_so_and_goes_on_when_they_are_back) {
    if (!can_learn()) GTEST_SKIP() << "this build has no half with LibTorch";
    fs::copy(in("events"), in("lent"));
    const std::string train = "om2vec train small.yaml --data.train lent --output returned -q";
    ASSERT_EQ(hodo(train + " --plan.steps 3").code, 0);
    fs::rename(in("lent"), in("away"));
    const auto outcome = hodo(train + " --resume");
    expect_sentence("train", outcome);
    EXPECT_NE(outcome.errors.find("lent"), std::string::npos) << outcome.errors;
    fs::rename(in("away"), in("lent"));
    EXPECT_EQ(hodo(train + " --resume").code, 0);
    EXPECT_TRUE(content_of(in("returned/model.safetensors")) ==
                content_of(in("run/model.safetensors")));
}

TEST_F(BrokenMachine, an_input_that_is_cut_while_it_is_read_is_named) {
    fs::create_directory(in("shrinking"));
    for (int i = 0; i < 12; ++i) {
        fs::copy(in("events/events-00000.parquet"),
                 in("shrinking") / base::format("events-{}.parquet", i));
    }
    const auto cut_when_begun = [&](int) {
        if (fs::exists(in("cut/chunk_0.parquet"))) {
            fs::resize_file(in("shrinking/events-11.parquet"), 500);
        }
    };
    const auto outcome = hodo("om2vec prepare shrinking cut --format om2vec --chunk-size 30 -q",
                              {.watch = cut_when_begun});
    expect_sentence("prepare", outcome);
    EXPECT_NE(outcome.errors.find("events-11.parquet"), std::string::npos) << outcome.errors;
}

}  // namespace
}  // namespace hodo::test
