#include "hodo/io/npz_archive.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/npz.hh"
#include "hodo/io/pickle.hh"
#include "hodo/io/zip.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

namespace io = hodo::io;
namespace test = hodo::test;
using testing::HasSubstr;

TEST(NpzArchive, arrays_and_lists_of_arrays_come_back) {
    const test::TemporaryFolder folder;
    const auto file = folder / "a.npz";
    const std::vector<double> rows{1, 2, 3, 4, 5.5, -6};
    const std::vector<std::int64_t> ids{7, 8, 9};
    io::NpzWriter writer(file);
    writer.add("X", io::make_array(rows));
    writer.add_objects("list",
                       {io::make_array(std::span<const double>(rows), {3, 2}),
                        io::make_array(std::span<const double>(), {0, 4}), io::make_array(ids)});
    writer.add_objects("nothing", {});
    writer.commit();

    const auto archive = io::NpzArchive::open(file);
    EXPECT_EQ(archive.names(), (std::vector<std::string>{"X", "list", "nothing"}));
    EXPECT_TRUE(archive.has("list"));
    EXPECT_FALSE(archive.has("lists"));
    EXPECT_EQ(archive.read("X").doubles(), rows);
    const auto list = archive.read_objects("list");
    ASSERT_EQ(list.size(), 3u);
    EXPECT_EQ(list[0].shape, (std::vector<std::int64_t>{3, 2}));
    EXPECT_EQ(list[0].doubles(), rows);
    EXPECT_EQ(list[1].shape, (std::vector<std::int64_t>{0, 4}));
    EXPECT_EQ(list[2].integers(), ids);
    EXPECT_TRUE(archive.read_objects("nothing").empty());
}

TEST(NpzArchive, python_values_come_back_as_they_were) {
    const test::TemporaryFolder folder;
    const auto file = folder / "a.npz";
    const std::vector<double> numbers{0.5, -2};
    const std::vector<io::ObjectValue> tuple{{std::int64_t{-3}}, {}, {std::string("beam")}};
    const std::vector<io::ObjectValue> values{{tuple}, {io::make_array(numbers)}, {-1.25e300}, {}};
    const std::vector<std::int64_t> shape{2, 2};
    io::NpzWriter writer(file);
    writer.add_values("rows", values, shape);
    writer.commit();

    const auto archive = io::ZipReader::open(file);
    const auto content = archive.read(*archive.find("rows.npy"), io::Checksum::verify);
    const std::string_view text(reinterpret_cast<const char*>(content.bytes.data()),
                                content.bytes.size());
    EXPECT_THAT(text, HasSubstr("'shape': (2, 2), "));
    const auto begin = text.find('\n') + 1;
    EXPECT_EQ(begin % 64, 0u);
    const auto pickle = io::Pickle::parse({content.bytes.subspan(begin), content.owner}, "rows");
    const auto state = pickle.root().state();
    ASSERT_TRUE(state);
    EXPECT_EQ(state->item(1).item(1).integer(), 2);
    const auto list = state->item(4);
    ASSERT_EQ(list.size(), 4u);
    EXPECT_EQ(list.item(0).kind(), io::PickleKind::tuple);
    EXPECT_EQ(list.item(0).item(0).integer(), -3);
    EXPECT_EQ(list.item(0).item(1).kind(), io::PickleKind::none);
    EXPECT_EQ(list.item(0).item(2).text(), "beam");
    EXPECT_EQ(list.item(2).real(), -1.25e300);
    EXPECT_EQ(list.item(3).kind(), io::PickleKind::none);
}

TEST(NpzArchive, the_wrong_kind_of_member_is_told) {
    const test::TemporaryFolder folder;
    const auto file = folder / "a.npz";
    io::NpzWriter writer(file);
    writer.add("X", io::make_array(std::vector<double>{1}));
    writer.add_objects("list", {});
    writer.commit();
    const auto archive = io::NpzArchive::open(file);
    EXPECT_THAT(test::error_of([&] { archive.read_objects("X"); }), HasSubstr("'X'"));
    EXPECT_THAT(test::error_of([&] { archive.read("list"); }), HasSubstr("'list'"));
    EXPECT_THAT(test::error_of([&] { archive.read("lst"); }), HasSubstr("did you mean 'list'"));

    const std::vector<std::byte> zeros(16);
    const io::Array complex{io::DType::c64, {2}, zeros, nullptr};
    io::write_npz(file, {{"Z", complex}});
    EXPECT_THAT(test::error_of([&] { io::NpzArchive::open(file).read("Z"); }),
                HasSubstr("array 'Z': holds complex numbers"));
}

TEST(NpzArchive, arrays_beyond_the_limit_are_refused_before_they_are_unpacked) {
    const test::TemporaryFolder folder;
    const auto file = folder / "a.npz";
    io::NpzWriter writer(file);
    writer.add("X", io::make_array(std::vector<double>(1000)));
    writer.add_objects("list", {io::make_array(std::vector<double>(1000))});
    writer.commit();
    const auto archive = io::NpzArchive::open(file);
    EXPECT_THAT(test::error_of([&] { archive.read("X", 8000); }),
                AllOf(HasSubstr("a.npz: array 'X': takes 8.1 kB"), HasSubstr("8.0 kB")));
    EXPECT_THAT(test::error_of([&] { archive.read_objects("list", 8000); }), HasSubstr("8.0 kB"));
    EXPECT_EQ(archive.read("X", 9000).size(), 1000);
    EXPECT_THAT(test::error_of([&] { io::read_npz(file, "X", 8000); }), HasSubstr("8.0 kB"));
}

/// An archive with one packed member: the header of an array, then so many zeros.
hodo::base::Path with_zeros(const hodo::base::Path& file, const io::Array& head,
                            std::size_t zeros) {
    io::write_npy(file, head);
    auto content = io::read_text(file);
    content.resize(content.size() - head.bytes.size());
    content.resize(content.size() + zeros);
    io::ZipWriter archive(file);
    archive.add("X.npy", content, io::Packing::deflated);
    archive.commit();
    return file;
}

TEST(NpzArchive, members_longer_than_their_header_says_are_refused) {
    const test::TemporaryFolder folder;
    const auto ten = io::make_array(std::vector<double>(10));
    const auto file = with_zeros(folder / "a.npz", ten, 100 << 20);
    EXPECT_LT(std::filesystem::file_size(file), 1u << 20);
    const auto said = HasSubstr("its shape needs 80 bytes of data but 104857600 follow");
    EXPECT_THAT(test::error_of([&] { io::NpzArchive::open(file).read("X"); }), said);
    EXPECT_THAT(test::error_of([&] { io::read_npz(file); }), said);
    EXPECT_THAT(test::error_of([&] { io::read_npz(file, "X"); }), said);
    EXPECT_THAT(test::error_of([&] { io::read_npz_text(file, "X"); }), said);
    EXPECT_EQ(io::NpzArchive::open(with_zeros(file, ten, 80)).read("X").size(), 10);
}

TEST(NpzArchive, lists_that_repeat_one_another_without_end_are_refused) {
    const test::TemporaryFolder folder;
    const auto file = folder / "a.npz";
    io::NpzWriter writer(file);
    writer.add_objects("list", {});
    writer.commit();
    const auto archive = io::ZipReader::open(file);
    const auto content = archive.read(*archive.find("list.npy"), io::Checksum::verify);
    std::string text(content.text());
    // In place of no items "](e": twelve lists, each of which is ten times the one before.
    std::string lists = "](K\x01q\x01";
    lists.pop_back(), lists.pop_back();
    for (char level = 1; level <= 12; ++level) {
        const std::string before = level == 1 ? "K\x01" : std::string("h") + level;
        lists += "](";
        for (int i = 0; i < 10; ++i) lists += before;
        lists += "eq";
        lists += static_cast<char>(level + 1);
    }
    const auto place = text.rfind("](e");
    ASSERT_NE(place, std::string::npos);
    text.replace(place, 3, lists + "e");
    io::ZipWriter bomb(file);
    bomb.add("list.npy", text, io::Packing::deflated);
    bomb.commit();
    EXPECT_THAT(test::error_of([&] { io::NpzArchive::open(file).read_objects("list"); }),
                HasSubstr("repeats its lists"));
}
