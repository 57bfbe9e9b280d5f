#include "hodo/io/mapped_file.hh"

#include <gmock/gmock.h>

#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

namespace {

using hodo::io::map_file;
using hodo::test::error_of;
using testing::HasSubstr;

TEST(MappedFile, shows_the_bytes_of_a_file_and_outlives_its_name) {
    const hodo::test::TemporaryFolder folder;
    hodo::io::write_text(folder / "a", "some text");
    const auto part = map_file(folder / "a").slice(5, 4, "a");
    std::filesystem::remove(folder / "a");
    EXPECT_EQ(part.text(), "text");
}

TEST(MappedFile, is_empty_for_an_empty_file) {
    const hodo::test::TemporaryFolder folder;
    hodo::io::write_text(folder / "a", "");
    EXPECT_TRUE(map_file(folder / "a").bytes.empty());
}

TEST(MappedFile, names_what_cannot_be_mapped) {
    const hodo::test::TemporaryFolder folder;
    EXPECT_THAT(error_of([&] { map_file(folder / "absent"); }), HasSubstr("absent"));
    EXPECT_THAT(error_of([&] { map_file(folder.path()); }), HasSubstr("not a regular file"));
}

TEST(MappedFile, refuses_slices_outside_for_any_numbers) {
    const auto blob = hodo::io::make_blob("12345");
    EXPECT_EQ(blob.slice(5, 0, "x").bytes.size(), 0u);
    EXPECT_THAT(error_of([&] { blob.slice(2, 4, "storage 'w'"); }), HasSubstr("storage 'w'"));
    EXPECT_THROW(blob.slice(6, 0, "x"), hodo::base::Error);
    EXPECT_THROW(blob.slice(2, ~std::uint64_t{0}, "x"), hodo::base::Error);
    EXPECT_THROW(blob.slice(~std::uint64_t{0}, 2, "x"), hodo::base::Error);
}

}  // namespace
