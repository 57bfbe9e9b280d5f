#include <gmock/gmock.h>

#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/weights.hh"
#include "support/reference.hh"

namespace {

using hodo::io::Json;
using hodo::io::make_array;
using hodo::io::WeightFile;
using hodo::test::error_of;
using hodo::test::TemporaryFolder;
using testing::HasSubstr;

/// A file with this header and so many bytes of data.
WeightFile parse(std::string header, std::size_t data) {
    const std::uint64_t length = header.size();
    std::string content(reinterpret_cast<const char*>(&length), sizeof length);
    content += header + std::string(data, '\0');
    return WeightFile::parse(hodo::io::make_blob(content), "x.safetensors");
}

TEST(Safetensors, begin_their_data_at_a_multiple_of_eight) {
    const TemporaryFolder folder;
    for (std::size_t length = 1; length < 10; ++length) {
        const auto file = folder / "a.safetensors";
        hodo::io::write_weights(file, {{std::string(length, 'n'), make_array<double>({1.5})}});
        const auto content = hodo::io::read_text(file);
        EXPECT_EQ(content.size() % 8, 0u);
        EXPECT_EQ(WeightFile::open(file).get(std::string(length, 'n')).doubles().front(), 1.5);
    }
}

TEST(Safetensors, store_metadata_that_is_no_text_as_json) {
    const TemporaryFolder folder;
    auto metadata = Json::object();
    metadata["name"] = "om2vec";
    metadata["options"] = Json::parse(R"({"lr": 0.5})", "test");
    hodo::io::write_weights(folder / "a.safetensors", {}, metadata);
    const auto file = WeightFile::open(folder / "a.safetensors");
    EXPECT_EQ(file.metadata().at("name").text(), "om2vec");
    const auto options = Json::parse(file.metadata().at("options").text(), "options");
    EXPECT_EQ(options.at("lr").number(), 0.5);
}

TEST(Safetensors, keep_the_order_of_the_file) {
    const auto file = parse(R"({"b": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]},
                                "a": {"dtype": "BOOL", "shape": [], "data_offsets": [0, 1]}})",
                            3);
    EXPECT_EQ(file.entries()[0].name, "b");
    EXPECT_EQ(file.entries()[1].name, "a");
}

TEST(Safetensors, refuse_headers_that_do_not_fit_the_data) {
    const auto entry = [](const std::string& shape, const std::string& offsets,
                          const std::string& type = "F32") {
        return R"({"a": {"dtype": ")" + type + R"(", "shape": [)" + shape +
               R"(], "data_offsets": [)" + offsets + "]}}";
    };
    ASSERT_NO_THROW(parse(entry("2", "0, 8"), 8));
    const std::tuple<std::string, std::size_t, std::string> cases[] = {
        {entry("2", "0, 8"), 7, "lie outside"},
        {entry("2", "0, 8"), 9, "of which tensors use 8"},
        {entry("2", "4, 12"), 12, "where 0 was expected"},
        {entry("3", "0, 8"), 8, "does not match"},
        {entry("-2", "0, 8"), 8, "negative size"},
        {entry("4294967296, 4294967296", "0, 0"), 0, "does not match"},
        {entry("2", "8, 0"), 8, "no interval"},
        {entry("2", "0, 8", "F4"), 8, "'F4'"},
        {R"({"__metadata__": {"a": 1}})", 0, "text"},
    };
    for (const auto& [header, data, message] : cases) {
        EXPECT_THAT(error_of([&, &h = header, &d = data] { parse(h, d); }), HasSubstr(message));
    }
}

TEST(Safetensors, refuse_a_header_longer_than_the_file) {
    EXPECT_THAT(error_of([] {
                    const auto content = std::string("\xff\xff\xff\0\0\0\0\0{}", 10);
                    WeightFile::parse(hodo::io::make_blob(content), "x.safetensors");
                }),
                HasSubstr("its header claims"));
}

}  // namespace
