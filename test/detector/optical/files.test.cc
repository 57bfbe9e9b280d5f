#include "hodo/detector/optical/files.hh"

#include <gmock/gmock.h>

#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

namespace hodo::optical {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names_of(const std::vector<base::Path>& files) {
    std::vector<std::string> names;
    for (const auto& file : files) names.push_back(file.filename().string());
    return names;
}

class FilesTest : public testing::Test {
  protected:
    void add(const std::string& name) { io::write_text(folder_ / name, "x"); }
    test::TemporaryFolder folder_;
};

TEST_F(FilesTest, folders_list_event_files_in_natural_order) {
    for (const char* name : {"run_10.parquet", "run_9.parquet", "a.db", "notes.txt"}) add(name);
    EXPECT_THAT(names_of(event_files(folder_.path().string())),
                ElementsAre("a.db", "run_9.parquet", "run_10.parquet"));
}

TEST_F(FilesTest, patterns_and_names_work_and_repeats_are_read_once) {
    for (const char* name : {"a1.parquet", "a2.parquet", "b1.parquet"}) add(name);
    const std::string base = folder_.path().string();
    EXPECT_THAT(names_of(event_files(base + "/a*.parquet")),
                ElementsAre("a1.parquet", "a2.parquet"));
    const std::vector<std::string> inputs{base + "/b1.parquet", base + "/?1.parquet"};
    EXPECT_THAT(names_of(event_files(inputs)), ElementsAre("b1.parquet", "a1.parquet"));
}

TEST_F(FilesTest, nothing_found_is_an_error_that_names_what_was_asked) {
    const std::string base = folder_.path().string();
    EXPECT_THAT(test::error_of([&] { event_files(base); }), HasSubstr("holds no"));
    EXPECT_THAT(test::error_of([&] { event_files(base + "/x*"); }), HasSubstr("x*"));
    EXPECT_THAT(test::error_of([&] { event_files(base + "/x.parquet"); }), HasSubstr("x.parquet"));
    EXPECT_THAT(test::error_of([&] { event_files(base + "/none/*.parquet"); }), HasSubstr("none"));
}

TEST(LastNumber, is_the_last_run_of_digits) {
    EXPECT_EQ(last_number("run2_chunk_17.parquet"), 17);
    EXPECT_EQ(last_number("007x"), 7);
    EXPECT_EQ(last_number("none"), std::nullopt);
    EXPECT_EQ(last_number("99999999999999999999999"), std::nullopt);
}

TEST_F(FilesTest, selects_by_the_last_number_in_an_inclusive_range) {
    for (const char* name : {"s1_c_1.parquet", "s1_c_2.parquet", "s9_c_10.parquet",
                             "s1_c_3.parquet", "s1_c_2.txt", "other.parquet"}) {
        add(name);
    }
    EXPECT_THAT(names_of(select_files(folder_.path(), 2, 10)),
                ElementsAre("s1_c_2.parquet", "s1_c_3.parquet", "s9_c_10.parquet"));
    EXPECT_THAT(test::error_of([&] { select_files(folder_.path(), 50, 60); }),
                HasSubstr("from 50 to 60"));
}

}  // namespace
}  // namespace hodo::optical
