#include "hodo/io/zip.hh"

#include <gmock/gmock.h>

#include "hodo/base/error.hh"
#include "hodo/base/random.hh"
#include "support/damage.hh"
#include "support/reference.hh"

namespace {

using hodo::io::Blob;
using hodo::io::Checksum;
using hodo::io::make_blob;
using hodo::io::Packing;
using hodo::io::ZipReader;
using hodo::io::ZipWriter;
using hodo::test::error_of;
using hodo::test::TemporaryFolder;

/// The bytes of an archive with three members, one of them deflated, one empty.
std::string example(const TemporaryFolder& folder) {
    ZipWriter writer(folder / "example.zip");
    writer.add("top/plain", "some bytes", Packing::stored, 64);
    writer.add("top/packed", std::string(5000, 'a'), Packing::deflated);
    writer.add("top/empty", "", Packing::stored, 64);
    writer.commit();
    return hodo::io::read_text(folder / "example.zip");
}

/// Reads every member of an archive in memory.
void read_all(const std::string& archive) {
    const auto reader = ZipReader::parse(make_blob(archive), "memory");
    for (const auto& member : reader.members()) {
        reader.read(member, Checksum::verify, 1'000'000);
    }
}

TEST(Zip, gives_back_what_was_written_in_order) {
    const TemporaryFolder folder;
    example(folder);
    const auto reader = ZipReader::open(folder / "example.zip");
    ASSERT_EQ(reader.members().size(), 3u);
    EXPECT_EQ(reader.members()[0].name, "top/plain");
    EXPECT_EQ(reader.read(*reader.find("top/plain"), Checksum::verify).text(), "some bytes");
    EXPECT_EQ(reader.read(*reader.find("top/packed")).text(), std::string(5000, 'a'));
    EXPECT_EQ(reader.read(*reader.find("top/empty")).text(), "");
    EXPECT_LT(reader.find("top/packed")->packed_size, 200u);
    EXPECT_EQ(reader.find("top/absent"), nullptr);
}

TEST(Zip, aligns_stored_data_and_shares_the_archive) {
    const TemporaryFolder folder;
    ZipWriter writer(folder / "aligned.zip");
    for (int i = 0; i < 70; ++i)
        writer.add(std::string(static_cast<std::size_t>(1 + i), 'n'), "x", Packing::stored, 64);
    writer.commit();
    const auto blob = hodo::io::map_file(folder / "aligned.zip");
    const auto reader = ZipReader::parse(blob, "aligned.zip");
    for (const auto& member : reader.members()) {
        const auto content = reader.read(member);
        EXPECT_EQ((content.bytes.data() - blob.bytes.data()) % 64, 0) << member.name;
        EXPECT_EQ(content.text(), "x");
    }
}

TEST(Zip, joins_the_parts_of_a_member) {
    const TemporaryFolder folder;
    ZipWriter writer(folder / "parts.zip");
    const std::string a = "head", b = "tail";
    for (const auto packing : {Packing::stored, Packing::deflated}) {
        writer.add(packing == Packing::stored ? "s" : "d",
                   {std::as_bytes(std::span(a)), std::as_bytes(std::span(b)), {}}, packing);
    }
    writer.commit();
    const auto reader = ZipReader::open(folder / "parts.zip");
    EXPECT_EQ(reader.read(*reader.find("s"), Checksum::verify).text(), "headtail");
    EXPECT_EQ(reader.read(*reader.find("d")).text(), "headtail");
}

TEST(Zip, uses_the_64_bit_end_record_for_many_members) {
    const TemporaryFolder folder;
    ZipWriter writer(folder / "many.zip");
    for (int i = 0; i < 70'000; ++i) writer.add(std::to_string(i), "");
    writer.commit();
    const auto reader = ZipReader::open(folder / "many.zip");
    EXPECT_EQ(reader.members().size(), 70'000u);
    EXPECT_NE(reader.find("69999"), nullptr);
}

TEST(Zip, refuses_a_member_beyond_the_limit_before_it_allocates) {
    const TemporaryFolder folder;
    example(folder);
    const auto reader = ZipReader::open(folder / "example.zip");
    const auto message =
        error_of([&] { reader.read(*reader.find("top/packed"), Checksum::skip, 4999); });
    EXPECT_THAT(message, testing::HasSubstr("limit"));
    auto bomb = *reader.find("top/packed");
    bomb.size = std::uint64_t{1} << 50;
    EXPECT_THAT(error_of([&] { reader.read(bomb, Checksum::skip, ~std::uint64_t{0}); }),
                testing::HasSubstr("more than deflate can give"));
}

TEST(Zip, unpacks_no_more_than_the_front_that_is_asked_for) {
    const TemporaryFolder folder;
    example(folder);
    const auto reader = ZipReader::open(folder / "example.zip");
    for (const auto& member : reader.members()) {
        const auto whole = reader.read(member);
        for (const std::size_t count : {0, 1, 100, 1'000'000}) {
            EXPECT_EQ(reader.front(member, count).text(), whole.text().substr(0, count));
        }
    }
    auto longer = *reader.find("top/packed");
    longer.size += 1;
    EXPECT_THROW(reader.front(longer, 1'000'000), hodo::base::Error);
}

TEST(Zip, refuses_two_members_of_one_name) {
    const TemporaryFolder folder;
    ZipWriter writer(folder / "twice.zip");
    writer.add("a", "1");
    writer.add("a", "2");
    writer.commit();
    EXPECT_THAT(error_of([&] { ZipReader::open(folder / "twice.zip"); }),
                testing::HasSubstr("two members called 'a'"));
}

TEST(Zip, notices_changed_content) {
    const TemporaryFolder folder;
    auto archive = example(folder);
    const auto place = archive.find("some bytes");
    ASSERT_NE(place, std::string::npos);
    archive[place] ^= 1;
    EXPECT_THAT(error_of([&] { read_all(archive); }), testing::HasSubstr("checksum"));
}

TEST(Zip, answers_every_truncation_with_an_error) {
    const TemporaryFolder folder;
    const auto archive = example(folder);
    ASSERT_NO_THROW(read_all(archive));
    for (std::size_t size = 0; size < archive.size(); ++size) {
        EXPECT_THROW(read_all(archive.substr(0, size)), hodo::base::Error) << size;
    }
}

TEST(Zip, survives_random_damage) {
    const TemporaryFolder folder;
    const auto archive = example(folder);
    hodo::base::Random random(7, "zip damage");
    EXPECT_GT(hodo::test::refusals_of_damaged_copies(archive, 5000, random, read_all), 500);
}

}  // namespace
