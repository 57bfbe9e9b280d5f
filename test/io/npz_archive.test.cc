#include "hodo/io/npz_archive.hh"
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
}
