#include "hodo/workflow/array_job.hh"

#include "support/reference.hh"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>

#include "hodo/io/atomic_file.hh"
#include "hodo/workflow/shard.hh"

namespace hodo::workflow {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::TemporaryFolder;

void put(const base::Path& file, const std::string& content) {
    std::ofstream(file, std::ios::binary) << content;
}

std::string content_of(const base::Path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
}

/// An array job that writes the numbers of its share, one file per shard, joined to one text.
struct Numbers {
    base::Path output;
    std::int64_t numbers = 10;
    std::string resolved = "  output: out\n  binning:\n    bins: 5\n  seed: 1\n";
    int made = 0;

    ArrayJob array() {
        ArrayJob array;
        array.output = output;
        array.make = [this](const base::Path& folder, const Shard& shard) {
            ++made;
            std::string text;
            for (const auto& range : share_of({{numbers, numbers}}, shard)) {
                for (auto i = range.begin; i < range.end; ++i) text += std::to_string(i) + "\n";
            }
            put(folder / "numbers", text);
        };
        array.join = [this](const std::vector<Part>& parts) {
            std::string text;
            for (const auto& part : parts) {
                for (const auto& file : part.files) text += io::read_text(file);
            }
            io::write_text(output / "all", text);
            return std::vector<base::Path>{output / "all"};
        };
        return array;
    }
    Job job() const {
        Job job;
        job.workflow = "toy";
        job.verb = "count";
        job.resolved = resolved;
        job.command_line = "hodo toy count out --verify";
        return job;
    }
    void shard(std::int64_t index, std::int64_t count) {
        auto one = job();
        one.portion = Portion::shard;
        one.shard = {index, count};
        run_array(one, array());
    }
    void verify() {
        auto all = job();
        all.portion = Portion::verify;
        run_array(all, array());
    }
};

TEST(ArrayJob, joins_the_parts_in_order_whatever_order_they_were_made_in) {
    for (const std::int64_t count : {1, 2, 3, 7, 23}) {
        TemporaryFolder work;
        Numbers numbers{.output = work / "out"};
        for (auto i = count - 1; i >= 0; --i) numbers.shard(i, count);
        numbers.verify();
        EXPECT_EQ(content_of(work / "out" / "all"), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n") << count;
        EXPECT_TRUE(fs::exists(work / "out" / "run.json"));
        numbers.verify();
    }
}

TEST(ArrayJob, does_a_whole_shard_once_and_a_damaged_one_again) {
    TemporaryFolder work;
    Numbers numbers{.output = work / "out"};
    numbers.shard(0, 2);
    numbers.shard(0, 2);
    EXPECT_EQ(numbers.made, 1);
    put(work / "out" / "shards" / "0-of-2" / "numbers", "0\n1\n2\n3\n5\n");
    numbers.shard(0, 2);
    EXPECT_EQ(numbers.made, 2);
    fs::remove(work / "out" / "shards" / "0-of-2" / "whole.json");
    numbers.shard(0, 2);
    EXPECT_EQ(numbers.made, 3);
}

TEST(ArrayJob, says_which_shards_are_missing_half_or_damaged_and_how_to_make_them) {
    TemporaryFolder work;
    Numbers numbers{.output = work / "out"};
    for (const std::int64_t i : {0, 2, 3}) numbers.shard(i, 5);
    fs::create_directories(work / "out" / "shards" / ".1-of-5.elsewhere-7");
    fs::resize_file(work / "out" / "shards" / "2-of-5" / "numbers", 1);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const auto message = error_of([&] { numbers.verify(); });
    const auto warnings = testing::internal::GetCapturedStderr();
    EXPECT_EQ(testing::internal::GetCapturedStdout(),
              "hodo toy count out --shard 1/5\nhodo toy count out --shard 2/5\n"
              "hodo toy count out --shard 4/5\n");
    EXPECT_NE(message.find("3 of 5 shards"), std::string::npos) << message;
    EXPECT_NE(warnings.find("shard 1/5 is in work or was broken off"), std::string::npos);
    EXPECT_NE(warnings.find("numbers has 1 bytes instead of 4"), std::string::npos) << warnings;
    EXPECT_NE(warnings.find("shard 4/5 has not been made"), std::string::npos);
    EXPECT_FALSE(fs::exists(work / "out" / "all"));
}

TEST(ArrayJob, refuses_other_settings_with_the_first_difference) {
    TemporaryFolder work;
    Numbers numbers{.output = work / "out"};
    numbers.shard(0, 2);
    EXPECT_NE(error_of([&] { numbers.shard(1, 3); }).find("'shards' is 3, not 2"),
              std::string::npos);
    numbers.resolved = "  output: elsewhere\n  binning:\n    bins: 6\n  seed: 1\n";
    const auto message = error_of([&] { numbers.shard(1, 2); });
    EXPECT_NE(message.find("'binning.bins' is 6, not 5"), std::string::npos) << message;
    EXPECT_NE(error_of([&] { numbers.verify(); }).find("'binning.bins'"), std::string::npos);
    EXPECT_EQ(numbers.made, 1);
}

TEST(ArrayJob, refuses_a_folder_that_holds_something_else) {
    TemporaryFolder work;
    put(work / "kept", "mine");
    Numbers numbers{.output = work.path()};
    EXPECT_NE(error_of([&] { numbers.shard(0, 2); }).find("not empty"), std::string::npos);
    EXPECT_NE(error_of([&] { numbers.verify(); }).find("no shard"), std::string::npos);
    EXPECT_EQ(content_of(work / "kept"), "mine");
}

TEST(ArrayJob, leaves_nothing_of_a_shard_that_fails) {
    TemporaryFolder work;
    Numbers numbers{.output = work / "out"};
    auto job = numbers.job();
    job.portion = Portion::shard;
    job.shard = {0, 1};
    auto array = numbers.array();
    array.make = [](const base::Path& folder, const Shard&) {
        put(folder / "half", "1");
        base::fail("the disk is full");
    };
    EXPECT_EQ(error_of([&] { run_array(job, array); }), "the disk is full");
    EXPECT_FALSE(fs::exists(work / "out" / "shards" / "0-of-1"));
    EXPECT_EQ(std::distance(fs::directory_iterator(work / "out" / "shards"), {}), 1);
}

TEST(ArrayJob, removes_what_a_killed_process_left) {
    TemporaryFolder work;
    Numbers numbers{.output = work / "out"};
    const auto child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto job = numbers.job();
        job.portion = Portion::shard;
        job.shard = {0, 1};
        auto array = numbers.array();
        array.make = [](const base::Path& folder, const Shard&) {
            put(folder / "half", "1");
            raise(SIGKILL);
        };
        run_array(job, array);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_FALSE(fs::exists(work / "out" / "shards" / "0-of-1"));
    numbers.shard(0, 1);
    EXPECT_EQ(std::distance(fs::directory_iterator(work / "out" / "shards"), {}), 2);
    numbers.verify();
    EXPECT_EQ(content_of(work / "out" / "all").size(), 20u);
}

TEST(ArrayJob, may_do_every_shard_and_the_join_several_times_at_once) {
    TemporaryFolder work;
    std::vector<pid_t> children;
    for (int process = 0; process < 6; ++process) {
        const auto child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            int code = 0;
            try {
                Numbers numbers{.output = work / "out", .numbers = 40};
                for (std::int64_t i = 0; i < 20; ++i) numbers.shard((i + process) % 20, 20);
                numbers.verify();
            } catch (const std::exception& error) {
                std::fprintf(stderr, "process %d: %s\n", process, error.what());
                code = 1;
            }
            _exit(code);
        }
        children.push_back(child);
    }
    for (const auto child : children) {
        int status = 0;
        waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(content_of(work / "out" / "all").substr(0, 6), "0\n1\n2\n");
    EXPECT_EQ(content_of(work / "out" / "all").size(), 110u);
}

TEST(ArrayJob, puts_files_in_their_place_whole) {
    TemporaryFolder work;
    put(work / "part", "new");
    put(work / "target", "old");
    place_file(work / "part", work / "target");
    EXPECT_EQ(content_of(work / "target"), "new");
    EXPECT_EQ(content_of(work / "part"), "new");
    EXPECT_NE(error_of([&] { place_file(work / "absent", work / "target"); }).find("target"),
              std::string::npos);
    EXPECT_EQ(std::distance(fs::directory_iterator(work.path()), {}), 2);
}

}  // namespace
}  // namespace hodo::workflow
