#include "hodo/io/atomic_file.hh"

#include "support/reference.hh"

#include <fstream>

namespace {

namespace base = hodo::base;
namespace io = hodo::io;
namespace test = hodo::test;

std::size_t files_in(const base::Path& folder) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
    return count;
}

TEST(AtomicFile, appears_only_when_committed) {
    const test::TemporaryFolder folder;
    const auto path = folder / "deep/er/result.txt";
    {
        io::AtomicFile file(path);
        file.write("half");
        EXPECT_FALSE(std::filesystem::exists(path));
        file.write(" and half");
        file.commit();
    }
    EXPECT_EQ(io::read_text(path), "half and half");
    EXPECT_EQ(files_in(path.parent_path()), 1U);
}

TEST(AtomicFile, leaves_nothing_and_keeps_the_old_file_without_commit) {
    const test::TemporaryFolder folder;
    io::write_text(folder / "a.txt", "old");
    {
        io::AtomicFile file(folder / "a.txt");
        file.write("new");
    }
    EXPECT_EQ(io::read_text(folder / "a.txt"), "old");
    EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(AtomicFile, two_writers_of_one_name_do_not_meet) {
    const test::TemporaryFolder folder;
    io::AtomicFile first(folder / "a.txt"), second(folder / "a.txt");
    first.write("first");
    second.write("second");
    first.commit();
    second.commit();
    EXPECT_EQ(io::read_text(folder / "a.txt"), "second");
}

TEST(AtomicFile, takes_what_a_library_wrote_under_the_temporary_name) {
    const test::TemporaryFolder folder;
    io::AtomicFile file(folder / "a.txt");
    std::ofstream(file.temporary()) << "by a library";
    file.commit();
    EXPECT_EQ(io::read_text(folder / "a.txt"), "by a library");
}

TEST(AtomicFile, says_why_it_cannot_be_written) {
    const test::TemporaryFolder folder;
    EXPECT_NE(test::error_of([&] { io::AtomicFile file(folder.path()); }).find("is a folder"),
              std::string::npos);
    io::write_text(folder / "file", "");
    const auto below = folder / "file/below.txt";
    EXPECT_NE(test::error_of([&] { io::AtomicFile file(below); }).find(below.string()),
              std::string::npos);
}

TEST(ReadText, names_a_file_that_is_absent_or_too_large) {
    const test::TemporaryFolder folder;
    EXPECT_NE(test::error_of([&] { io::read_text(folder / "none"); }).find("none"),
              std::string::npos);
    io::write_text(folder / "big", std::string(100'000, 'x'));
    EXPECT_NE(test::error_of([&] { io::read_text(folder / "big", 99'999); }).find("larger"),
              std::string::npos);
    EXPECT_EQ(io::read_text(folder / "big", 100'000).size(), 100'000U);
}

}  // namespace
