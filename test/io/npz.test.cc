#include "hodo/io/npz.hh"

#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace {

namespace base = hodo::base;
namespace io = hodo::io;
namespace test = hodo::test;
using io::DType;

/// A whole npy file from the literal of its header and its data.
std::string npy(const std::string& literal, const std::string& data, char version = 1) {
    std::string text = literal + "\n";
    std::string file = std::string("\x93NUMPY") + version + '\0';
    for (int shift = 0; shift < (version == 1 ? 16 : 32); shift += 8) {
        file += static_cast<char>((text.size() >> shift) & 0xff);
    }
    return file + text + data;
}

io::Array parse(const std::string& file) {
    return io::parse_npy(std::as_bytes(std::span(file)), "a.npy");
}

bool equal(const io::Array& a, const io::Array& b) {
    return a.dtype == b.dtype && a.shape == b.shape && std::ranges::equal(a.bytes, b.bytes);
}

std::string header(const std::string& descr, const std::string& shape,
                   const std::string& order = "False") {
    return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

TEST(Npy, reads_every_version) {
    const std::string data("\x01\x00\x02\x00", 4);
    for (const char version : {'\1', '\2', '\3'}) {
        EXPECT_EQ(parse(npy(header("<i2", "(2,)"), data, version)).integers(),
                  (std::vector<std::int64_t>{1, 2}));
    }
    const auto message = test::error_of([&] { parse(npy(header("<i2", "(2,)"), data, 4)); });
    EXPECT_NE(message.find("version 4"), std::string::npos);
}

TEST(Npy, big_endian_becomes_little) {
    EXPECT_EQ(parse(npy(header(">i4", "(1,)"), std::string("\0\0\1\2", 4))).integers(),
              (std::vector<std::int64_t>{258}));
}

TEST(Npy, fortran_order_becomes_row_major) {
    // The matrix 0 1 2 / 3 4 5, column after column.
    const auto array = parse(npy(header("|u1", "(2, 3)", "True"), std::string("\0\3\1\4\2\5", 6)));
    EXPECT_EQ(array.integers(), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}));
}

TEST(Npy, scalars_and_empty_arrays_have_their_shapes) {
    EXPECT_TRUE(parse(npy(header("|b1", "()"), "\1")).shape.empty());
    const auto empty = parse(npy(header("<f8", "(4611686018427387904, 4, 0)"), ""));
    EXPECT_EQ(empty.shape.size(), 3U);
    EXPECT_EQ(empty.size(), 0);
}

TEST(Npy, refuses_objects_because_they_hold_programs) {
    EXPECT_NE(test::error_of([] { parse(npy(header("|O", "(1,)"), "x")); }).find("objects"),
              std::string::npos);
}

TEST(Npy, refuses_hostile_headers_without_allocating) {
    const std::string data(16, '\0');
    for (const std::string shape :
         {"(1000000000000,)", "(4294967296, 4294967296)", "(9223372036854775807,)",
          "(99999999999999999999,)", "(-1,)", "(3,)", "(2, 2"}) {
        test::error_of([&] { parse(npy(header("<f8", shape), data)); });
    }
    for (const std::string literal :
         {"", "{}", "{'descr': '<f8'}", "[1]", "{'descr': '<f8', 'shape': (1,), }",
          "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
          "{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }",
          "{'descr': '<S9999999999999', 'fortran_order': False, 'shape': (1,), }",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'extra': 1, }",
          "{'descr': '<f8', 'fortran_order': Maybe, 'shape': (1,), }"}) {
        test::error_of([&] { parse(npy(literal, data)); });
    }
}

TEST(Npy, every_truncation_is_an_error_and_nothing_else) {
    const test::TemporaryFolder folder;
    const std::vector<double> values{1, 2, 3};
    io::write_npy(folder / "a.npy", io::make_array(values));
    const std::string whole = io::read_text(folder / "a.npy");
    for (std::size_t length = 0; length < whole.size(); ++length) {
        test::error_of([&] { parse(whole.substr(0, length)); });
    }
    EXPECT_EQ(parse(whole).doubles(), values);
}

TEST(Npy, data_begins_at_a_multiple_of_sixty_four) {
    const test::TemporaryFolder folder;
    for (std::int64_t size = 1; size < 100'000'000; size *= 10) {
        io::Array array{DType::f32, {size, 0, size}, {}, nullptr};
        io::write_npy(folder / "a.npy", array);
        EXPECT_EQ(std::filesystem::file_size(folder / "a.npy") % 64, 0U);
        EXPECT_TRUE(equal(io::read_npy(folder / "a.npy"), array));
    }
}

TEST(Npz, every_type_comes_back_stored_and_deflated) {
    const test::TemporaryFolder folder;
    const std::string bytes(64, '\1');
    io::NamedArrays arrays;
    for (int i = 0; i <= static_cast<int>(DType::c128); ++i) {
        const auto type = static_cast<DType>(i);
        if (type == DType::bf16) continue;
        const std::vector<std::int64_t> shape{static_cast<std::int64_t>(32 / io::item_size(type)),
                                              2};
        arrays.push_back({"group/" + std::string(io::name(type)),
                          {type, shape, std::as_bytes(std::span(bytes)), nullptr}});
    }
    for (const auto compression : {io::Compression::none, io::Compression::deflate}) {
        const auto file = folder / "it's \"quoted\".npz";
        io::write_npz(file, arrays, compression);
        const auto again = io::read_npz(file);
        ASSERT_EQ(again.size(), arrays.size());
        for (std::size_t i = 0; i < arrays.size(); ++i) {
            EXPECT_EQ(again[i].name, arrays[i].name);
            EXPECT_TRUE(equal(again[i].array, arrays[i].array)) << arrays[i].name;
            EXPECT_TRUE(equal(io::read_npz(file, arrays[i].name), arrays[i].array));
        }
        EXPECT_EQ(io::npz_names(file).front(), arrays.front().name);
    }
}

TEST(Npz, empty_arrays_come_back) {
    const test::TemporaryFolder folder;
    const io::Array empty{DType::f64, {0, 3}, {}, nullptr};
    for (const auto compression : {io::Compression::none, io::Compression::deflate}) {
        io::write_npz(folder / "a.npz", {{"empty", empty}}, compression);
        EXPECT_TRUE(equal(io::read_npz(folder / "a.npz", "empty"), empty));
    }
}

TEST(Npz, has_no_place_for_brain_floats) {
    const test::TemporaryFolder folder;
    io::Array array{DType::bf16, {0}, {}, nullptr};
    EXPECT_NE(test::error_of([&] {
                  io::write_npz(folder / "a.npz", {{"a", array}});
              }).find("bfloat16"),
              std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder / "a.npz"));
}

TEST(Npz, every_truncation_is_an_error_and_nothing_else) {
    const test::TemporaryFolder folder;
    for (const auto compression : {io::Compression::none, io::Compression::deflate}) {
        io::write_npz(folder / "a.npz",
                      {{"x", io::make_array(std::vector<double>{1, 2, 3})},
                       {"y", io::make_array(std::vector<std::int64_t>{4})}},
                      compression);
        const std::string whole = io::read_text(folder / "a.npz");
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const std::string part = whole.substr(0, length);
            test::error_of([&] { io::parse_npz(std::as_bytes(std::span(part)), "a.npz"); });
        }
        EXPECT_EQ(io::parse_npz(std::as_bytes(std::span(whole)), "a.npz").size(), 2U);
    }
}

TEST(Npz, every_flipped_byte_is_an_error_or_harmless) {
    const test::TemporaryFolder folder;
    io::write_npz(folder / "a.npz", {{"x", io::make_array(std::vector<double>{1, 2, 3})}});
    const std::string whole = io::read_text(folder / "a.npz");
    int refused = 0;
    for (std::size_t place = 0; place < whole.size(); ++place) {
        std::string changed = whole;
        changed[place] = static_cast<char>(changed[place] ^ 0x55);
        try {
            io::parse_npz(std::as_bytes(std::span(changed)), "a.npz");
        } catch (const base::Error&) {
            ++refused;
        }
    }
    EXPECT_GT(refused, static_cast<int>(whole.size()) / 2);
}

TEST(Npz, an_unknown_name_is_met_with_the_nearest) {
    const test::TemporaryFolder folder;
    io::write_npz(folder / "a.npz", {{"latents", io::make_array(std::vector<double>{1})}});
    const auto message = test::error_of([&] { io::read_npz(folder / "a.npz", "latent"); });
    EXPECT_NE(message.find("a.npz"), std::string::npos);
    EXPECT_NE(message.find("'latents'"), std::string::npos);
}

RC_GTEST_PROP(NpyRoundTrip, what_is_written_is_read, ()) {
    const auto values = *rc::gen::arbitrary<std::vector<double>>();
    const auto columns = *rc::gen::inRange<std::int64_t>(1, 4);
    const auto rows = static_cast<std::int64_t>(values.size()) / columns;
    const std::span<const double> part(values.data(), static_cast<std::size_t>(rows * columns));
    const test::TemporaryFolder folder;
    const auto array = io::make_array(part, {rows, columns});
    io::write_npy(folder / "a.npy", array);
    RC_ASSERT(equal(io::read_npy(folder / "a.npy"), array));
}

}  // namespace
