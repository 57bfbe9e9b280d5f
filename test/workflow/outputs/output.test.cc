#include "hodo/workflow/output.hh"

#include "support/reference.hh"

#include <fstream>

#include "hodo/io/json.hh"
#include "hodo/io/provenance.hh"

namespace hodo::workflow {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::TemporaryFolder;

void put(const base::Path& file, const std::string& content = "kept") {
    std::ofstream(file) << content;
}

TEST(Output, a_new_or_empty_folder_is_taken) {
    TemporaryFolder work;
    claim_folder(work / "new" / "inner", Existing::refuse);
    EXPECT_TRUE(fs::is_directory(work / "new" / "inner"));
    claim_folder(work / "new" / "inner", Existing::refuse);
}

TEST(Output, a_folder_with_content_is_refused_with_what_to_do) {
    TemporaryFolder work;
    put(work / "a.txt");
    const auto message = error_of([&] { claim_folder(work.path(), Existing::refuse); });
    EXPECT_NE(message.find(work.path().string()), std::string::npos) << message;
    EXPECT_NE(message.find("--overwrite"), std::string::npos) << message;
    EXPECT_TRUE(fs::exists(work / "a.txt"));
}

TEST(Output, overwriting_removes_only_what_hodo_wrote) {
    TemporaryFolder work;
    put(work / "a.txt");
    EXPECT_NE(error_of([&] { claim_folder(work.path(), Existing::overwrite); }).find("run.json"),
              std::string::npos);
    EXPECT_TRUE(fs::exists(work / "a.txt"));
    put(work / "run.json", "{}");
    claim_folder(work.path(), Existing::overwrite);
    EXPECT_FALSE(fs::exists(work / "a.txt"));
    EXPECT_FALSE(fs::exists(work / "run.json"));
}

TEST(Output, a_file_that_cannot_be_written_is_refused_at_once) {
    TemporaryFolder work;
    claim_file(work / "new" / "inner" / "page.html", Existing::refuse);
    EXPECT_FALSE(fs::exists(work / "new"));
    put(work / "a.txt");
    const auto below =
        error_of([&] { claim_file(work / "a.txt" / "page.html", Existing::refuse); });
    EXPECT_NE(below.find("is no folder"), std::string::npos) << below;
    if (!fs::is_directory("/proc/self")) GTEST_SKIP() << "no folder that nobody may write";
    const auto never = error_of([&] { claim_file("/proc/page.html", Existing::refuse); });
    EXPECT_NE(never.find("nothing can be made in the folder /proc"), std::string::npos) << never;
}

TEST(Output, counts_as_unfinished_until_it_is_recorded) {
    TemporaryFolder work;
    const auto folder = work / "out";
    claim_folder(folder, Existing::refuse);
    put(folder / "a.parquet");
    put(folder / "b.parquet.part-123-4");
    put(folder / "b.part-two");
    EXPECT_TRUE(io::is_unfinished(folder));
    EXPECT_NE(error_of([&] { claim_folder(folder, Existing::refuse); }).find("unfinished"),
              std::string::npos);
    claim_folder(folder, Existing::resume);
    EXPECT_TRUE(fs::exists(folder / "a.parquet"));
    EXPECT_TRUE(fs::exists(folder / "b.part-two"));
    EXPECT_FALSE(fs::exists(folder / "b.parquet.part-123-4"));
    claim_folder(folder, Existing::overwrite);
    EXPECT_FALSE(fs::exists(folder / "a.parquet"));
    record_run(folder, Job(), {});
    EXPECT_FALSE(io::is_unfinished(folder));
}

TEST(Output, resuming_leaves_everything) {
    TemporaryFolder work;
    put(work / "a.txt");
    claim_folder(work.path(), Existing::resume);
    EXPECT_TRUE(fs::exists(work / "a.txt"));
}

TEST(Output, a_file_and_a_folder_are_not_mistaken_for_each_other) {
    TemporaryFolder work;
    put(work / "a.txt");
    EXPECT_NE(error_of([&] { claim_folder(work / "a.txt", Existing::overwrite); }).find("a file"),
              std::string::npos);
    EXPECT_NE(error_of([&] { claim_file(work.path(), Existing::overwrite); }).find("a folder"),
              std::string::npos);
}

TEST(Output, a_file_is_replaced_only_when_asked) {
    TemporaryFolder work;
    claim_file(work / "a.txt", Existing::refuse);
    put(work / "a.txt");
    EXPECT_NE(error_of([&] { claim_file(work / "a.txt", Existing::refuse); }).find("--overwrite"),
              std::string::npos);
    claim_file(work / "a.txt", Existing::overwrite);
}

TEST(Output, a_record_names_command_seed_and_inputs) {
    TemporaryFolder work;
    put(work / "input.parquet", "twelve bytes");
    Job job;
    job.workflow = "om2vec";
    job.verb = "prepare";
    job.resolved = "  output: out\n";
    job.command_line = "hodo om2vec prepare input.parquet out";
    record_run(work.path(), job, {work / "input.parquet"}, 7);
    std::stringstream text;
    text << std::ifstream(work / "run.json").rdbuf();
    const auto record = io::Json::parse(text.str(), "run.json").dump();
    EXPECT_NE(record.find("hodo om2vec prepare input.parquet out"), std::string::npos) << record;
    EXPECT_NE(record.find("input.parquet"), std::string::npos) << record;
    EXPECT_NE(record.find("12"), std::string::npos) << record;
    EXPECT_TRUE(fs::exists(work / "config.yaml"));
}

}  // namespace
}  // namespace hodo::workflow
