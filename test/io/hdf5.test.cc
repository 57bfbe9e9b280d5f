#include "hodo/io/hdf5.hh"

#include <algorithm>

#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

namespace {

namespace io = hodo::io;
namespace test = hodo::test;
using io::DType;
using io::Json;

bool equal(const io::Array& a, const io::Array& b) {
    return a.dtype == b.dtype && a.shape == b.shape && std::ranges::equal(a.bytes, b.bytes);
}

TEST(Hdf5, every_type_comes_back) {
    const test::TemporaryFolder folder;
    const std::string bytes(64, '\1');
    io::Hdf5Writer writer(folder / "it's.h5");
    std::vector<io::NamedArray> arrays;
    for (int i = 0; i <= static_cast<int>(DType::c128); ++i) {
        const auto type = static_cast<DType>(i);
        const std::vector<std::int64_t> shape{static_cast<std::int64_t>(32 / io::item_size(type)),
                                              2};
        arrays.push_back({"deep/group/" + std::string(io::name(type)),
                          {type, shape, std::as_bytes(std::span(bytes)), nullptr}});
        writer.write(arrays.back().name, arrays.back().array);
    }
    writer.write("scalar", io::make_array(std::span<const double>(std::vector{2.5}), {}));
    writer.finish();
    const auto file = io::Hdf5File::open(folder / "it's.h5");
    for (const auto& [name, array] : arrays) {
        EXPECT_TRUE(equal(file.read(name), array)) << name;
        EXPECT_EQ(file.describe(name).shape, array.shape);
    }
    EXPECT_EQ(file.datasets().size(), arrays.size() + 1);
    EXPECT_TRUE(file.has("deep/group/float16"));
    EXPECT_FALSE(file.has("deep/group"));
    EXPECT_TRUE(file.read("scalar").shape.empty());
}

TEST(Hdf5, rows_appended_in_parts_are_rows_read_in_parts) {
    const test::TemporaryFolder folder;
    io::Hdf5Writer writer(folder / "a.h5");
    std::vector<std::int64_t> all;
    for (std::int64_t rows : {3, 0, 1, 500}) {
        std::vector<std::int64_t> part;
        for (std::int64_t i = 0; i < 2 * rows; ++i) {
            part.push_back(static_cast<std::int64_t>(all.size()));
            all.push_back(part.back());
        }
        writer.append("x/rows", io::make_array(std::span<const std::int64_t>(part), {rows, 2}));
    }
    test::error_of([&] { writer.append("x/rows", io::make_array(all)); });
    writer.finish();
    const auto file = io::Hdf5File::open(folder / "a.h5");
    EXPECT_EQ(file.read("x/rows").integers(), all);
    EXPECT_EQ(file.read_rows("x/rows", 2, 2).integers(), (std::vector<std::int64_t>{4, 5, 6, 7}));
    EXPECT_EQ(file.read_rows("x/rows", 504, 0).size(), 0);
    EXPECT_NE(test::error_of([&] { file.read_rows("x/rows", 500, 5); }).find("504"),
              std::string::npos);
}

TEST(Hdf5, text_and_attributes_come_back) {
    const test::TemporaryFolder folder;
    const std::vector<std::string> texts{"electron", "", "muon \xc2\xb5"};
    io::Hdf5Writer writer(folder / "a.h5");
    writer.write_text("names", texts);
    writer.attribute("/", "version", "1.0");
    writer.attribute("names", "count", 3);
    writer.attribute("names", "scale", Json::parse("[0.5, 2]", "t"));
    writer.attribute("group", "labels", Json::parse("[\"a\", \"b\"]", "t"));
    writer.attribute("group", "is_true", true);
    test::error_of([&] { writer.attribute("group", "object", Json::object()); });
    writer.finish();
    const auto file = io::Hdf5File::open(folder / "a.h5");
    EXPECT_EQ(file.read_text("names"), texts);
    EXPECT_EQ(file.attributes("/").at("version").text(), "1.0");
    EXPECT_EQ(file.attributes("names").dump(), R"({"count":3,"scale":[0.5,2.0]})");
    EXPECT_EQ(file.attributes("group").dump(), R"({"is_true":true,"labels":["a","b"]})");
}

TEST(Hdf5, appears_only_when_finished) {
    const test::TemporaryFolder folder;
    {
        io::Hdf5Writer writer(folder / "a.h5");
        writer.write("x", io::make_array(std::vector<double>{1}));
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Hdf5, says_what_is_wrong_with_a_file) {
    const test::TemporaryFolder folder;
    EXPECT_NE(test::error_of([&] { io::Hdf5File::open(folder / "none.h5"); }).find("none.h5"),
              std::string::npos);
    io::write_text(folder / "a.h5", "hello");
    EXPECT_NE(test::error_of([&] { io::Hdf5File::open(folder / "a.h5"); }).find("not an HDF5"),
              std::string::npos);
    io::Hdf5Writer writer(folder / "b.h5");
    writer.write("charge", io::make_array(std::vector<double>{1}));
    writer.write_text("name", {"x"});
    writer.finish();
    const auto file = io::Hdf5File::open(folder / "b.h5");
    EXPECT_NE(test::error_of([&] { file.read("charges"); }).find("'charge'"), std::string::npos);
    EXPECT_NE(test::error_of([&] { file.read("name"); }).find("text"), std::string::npos);
    EXPECT_NE(test::error_of([&] { file.read_text("charge"); }).find("no text"), std::string::npos);
    EXPECT_NE(test::error_of([&] { file.attributes("none"); }).find("'none'"), std::string::npos);
}

TEST(Hdf5, truncated_files_are_errors) {
    const test::TemporaryFolder folder;
    io::Hdf5Writer writer(folder / "a.h5");
    writer.write("x", io::make_array(std::vector<double>(1000, 1.0)));
    writer.finish();
    const std::string whole = io::read_text(folder / "a.h5");
    for (std::size_t length = 0; length < whole.size(); length += 97) {
        io::write_text(folder / "b.h5", std::string_view(whole).substr(0, length));
        test::error_of([&] { io::Hdf5File::open(folder / "b.h5").read("x"); });
    }
}

}  // namespace
