#include "hodo/io/parquet.hh"

#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

namespace {

namespace base = hodo::base;
namespace io = hodo::io;
namespace test = hodo::test;
using io::Chunk;
using io::Column;
using io::ColumnSpec;
using io::ColumnType;

template <class T>
Column scalars(std::string name, ColumnType type, std::vector<T> values) {
    return {{std::move(name), type, 0}, {}, std::move(values)};
}

/// All rows of a file in one chunk.
Chunk read_all(const base::Path& file, const io::ParquetQuery& query = {}) {
    const auto reader = io::read_parquet(file, query);
    Chunk all;
    while (auto chunk = reader->next()) {
        if (all.columns.empty()) {
            all = std::move(*chunk);
            continue;
        }
        EXPECT_EQ(chunk->first_row, all.rows);
        all.rows += chunk->rows;
        for (std::size_t i = 0; i < all.columns.size(); ++i) {
            Column& to = all.columns[i];
            const Column& from = chunk->columns[i];
            for (std::size_t level = 0; level < to.offsets.size(); ++level) {
                const auto shift = to.offsets[level].back();
                for (std::size_t k = 1; k < from.offsets[level].size(); ++k) {
                    to.offsets[level].push_back(from.offsets[level][k] + shift);
                }
            }
            std::visit(
                [&]<class T>(std::vector<T>& values) {
                    const auto& more = std::get<std::vector<T>>(from.values);
                    values.insert(values.end(), more.begin(), more.end());
                },
                to.values);
        }
    }
    return all;
}

void write(const base::Path& file, const Chunk& chunk, io::ParquetWriteOptions options = {}) {
    std::vector<ColumnSpec> specs;
    for (const Column& column : chunk.columns) specs.push_back(column.spec);
    io::ParquetWriter writer(file, specs, std::move(options));
    writer.append(chunk);
    writer.finish();
}

void expect_equal(const Column& a, const Column& b) {
    EXPECT_EQ(a.spec.name, b.spec.name);
    EXPECT_EQ(a.spec.type, b.spec.type);
    EXPECT_EQ(a.spec.list_levels, b.spec.list_levels);
    EXPECT_EQ(a.offsets, b.offsets) << a.spec.name;
    EXPECT_EQ(a.values, b.values) << a.spec.name;
}

/// Every type at every list level, with empty lists, in three rows.
Chunk every_kind() {
    Chunk chunk{0, 3, {}};
    const auto add = [&]<class T>(const std::string& name, ColumnType type, std::vector<T> six) {
        chunk.columns.push_back(scalars(name, type, std::vector<T>(six.begin(), six.begin() + 3)));
        chunk.columns.push_back({{"lists." + name, type, 1}, {{0, 2, 2, 6}}, six});
        chunk.columns.push_back(
            {{"lists.deep." + name, type, 2}, {{0, 3, 3, 4}, {0, 1, 1, 4, 6}}, six});
    };
    add("f64", ColumnType::f64, std::vector<double>{1.5, -2, 0, 1e300, 5, 6});
    add("f32", ColumnType::f32, std::vector<float>{1.5F, -2, 0, 1e30F, 5, 6});
    add("i64", ColumnType::i64,
        std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), 1, 2, 3, 4, 5});
    add("i32", ColumnType::i32, std::vector<std::int32_t>{-2147483647, 1, 2, 3, 4, 5});
    add("boolean", ColumnType::boolean, std::vector<std::uint8_t>{1, 0, 1, 1, 0, 0});
    add("text", ColumnType::text,
        std::vector<std::string>{"", "it's", "twelve bytes", "thirteen bytes", "\"", "\xc2\xb5"});
    return chunk;
}

TEST(Parquet, every_type_and_level_comes_back) {
    const test::TemporaryFolder folder;
    const auto chunk = every_kind();
    for (const std::string packing : {"zstd", "snappy", "gzip", "uncompressed"}) {
        write(folder / "a.parquet", chunk, {{}, packing});
        const auto again = read_all(folder / "a.parquet");
        ASSERT_EQ(again.columns.size(), chunk.columns.size());
        for (const Column& column : chunk.columns) {
            expect_equal(again.column(column.spec.name), column);
        }
    }
    EXPECT_NE(test::error_of([&] {
                  write(folder / "b.parquet", chunk, {{}, "lzma"});
              }).find("zstd"),
              std::string::npos);
}

TEST(Parquet, schema_opens_structs_and_counts_lists) {
    const test::TemporaryFolder folder;
    const io::KeyValues metadata{{"plain", "1"}, {"it's a \"key\"", "{\"json\": 'value'}\n"}};
    write(folder / "a.parquet", every_kind(), {metadata, "zstd"});
    const auto schema = io::parquet_schema(folder / "a.parquet");
    EXPECT_EQ(schema.rows, 3);
    EXPECT_EQ(schema.metadata, metadata);
    EXPECT_TRUE(schema.has("lists.deep.f64"));
    EXPECT_TRUE(schema.has_struct("lists.deep"));
    EXPECT_FALSE(schema.has_struct("list"));
    for (const auto& spec : schema.columns) {
        const int levels = static_cast<int>(std::count(spec.name.begin(), spec.name.end(), '.'));
        EXPECT_EQ(spec.list_levels, levels) << spec.name;
    }
}

TEST(Parquet, takes_names_with_quotes_and_wild_cards) {
    const test::TemporaryFolder folder;
    const auto file = folder / "it's [a] \"dir\"/key=1/ev?nts*.parquet";
    const auto chunk = every_kind();
    write(file, chunk);
    expect_equal(read_all(file, {{"lists.f64"}, {}, {}, 1}).columns[0], chunk.column("lists.f64"));
    EXPECT_EQ(io::parquet_schema(file).columns.size(), chunk.columns.size());
}

TEST(Parquet, long_lists_are_cut_into_row_groups_and_come_back_in_order) {
    const test::TemporaryFolder folder;
    constexpr std::int64_t rows = 60, length = 100'000;
    Column times{{"photons.t", ColumnType::f64, 1}, {{0}}, std::vector<double>(rows * length)};
    auto& values = std::get<std::vector<double>>(times.values);
    std::iota(values.begin(), values.end(), 0.0);
    for (std::int64_t i = 1; i <= rows; ++i) times.offsets[0].push_back(i * length);
    std::vector<std::int64_t> events(rows);
    std::iota(events.begin(), events.end(), 0);
    write(folder / "a.parquet", {0, rows, {times, scalars("event", ColumnType::i64, events)}});
    for (const int threads : {1, 2}) {
        const auto again = read_all(folder / "a.parquet", {{}, {}, {}, threads});
        expect_equal(again.column("photons.t"), times);
        EXPECT_EQ(again.column("event").integers(), events);
    }
}

TEST(Parquet, many_short_rows_come_back_in_order) {
    const test::TemporaryFolder folder;
    io::ParquetWriter writer(folder / "a.parquet", {{"i", ColumnType::i64, 0}});
    std::int64_t next = 0;
    for (const std::size_t count : {1UL, 2047UL, 2049UL, 0UL, 150'000UL}) {
        std::vector<std::int64_t> values(count);
        std::iota(values.begin(), values.end(), next);
        next += static_cast<std::int64_t>(count);
        writer.append(
            {0, static_cast<std::int64_t>(count), {scalars("i", ColumnType::i64, values)}});
    }
    EXPECT_EQ(writer.rows(), next);
    EXPECT_EQ(writer.bytes(), 8 * next);
    writer.finish();
    std::int64_t expected = 0;
    const auto again = read_all(folder / "a.parquet");
    for (const std::int64_t value : again.columns[0].integers()) {
        ASSERT_EQ(value, expected++);
    }
    EXPECT_EQ(expected, next);
}

TEST(Parquet, conditions_and_order_keep_row_numbers) {
    const test::TemporaryFolder folder;
    write(folder / "a.parquet",
          {0, 4, {scalars("x", ColumnType::f64, std::vector<double>{4, 1, 3, 2})}});
    const auto chosen =
        io::read_parquet(folder / "a.parquet", {{"x", "file_row_number"}, "x > 1.5", "x", 1})
            ->next();
    EXPECT_EQ(chosen->column("x").doubles(), (std::vector<double>{2, 3, 4}));
    EXPECT_EQ(chosen->column("file_row_number").integers(), (std::vector<std::int64_t>{3, 2, 0}));
    const auto message = test::error_of([&] {
        io::read_parquet(folder / "a.parquet", {{"x"}, "y > 1.5", {}, 1});
    });
    EXPECT_NE(message.find("'y > 1.5'"), std::string::npos) << message;
}

TEST(Parquet, a_column_named_like_the_row_number_is_read_as_it_is) {
    const test::TemporaryFolder folder;
    write(folder / "a.parquet",
          {0, 1, {scalars("file_row_number", ColumnType::i64, std::vector<std::int64_t>{17})}});
    EXPECT_EQ(read_all(folder / "a.parquet").columns[0].integers()[0], 17);
    EXPECT_EQ(
        read_all(folder / "a.parquet", {{"file_row_number"}, {}, {}, 1}).columns[0].integers()[0],
        17);
}

TEST(Parquet, without_rows_there_is_a_schema_and_no_chunk) {
    const test::TemporaryFolder folder;
    io::ParquetWriter writer(folder / "a.parquet", {{"a.b", ColumnType::f64, 1}});
    writer.finish();
    EXPECT_EQ(io::parquet_schema(folder / "a.parquet").rows, 0);
    EXPECT_TRUE(io::parquet_schema(folder / "a.parquet").has("a.b"));
    EXPECT_FALSE(io::read_parquet(folder / "a.parquet", {})->next());
}

TEST(Parquet, a_file_appears_only_when_finished) {
    const test::TemporaryFolder folder;
    {
        io::ParquetWriter writer(folder / "a.parquet", {{"x", ColumnType::f64, 0}});
        writer.append({0, 1, {scalars("x", ColumnType::f64, std::vector<double>{1})}});
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Parquet, refuses_chunks_that_contradict_themselves) {
    const test::TemporaryFolder folder;
    io::ParquetWriter writer(folder / "a.parquet", {{"x", ColumnType::f64, 1}});
    const auto append = [&](std::int64_t rows, std::vector<std::int64_t> offsets,
                            std::size_t values) {
        return test::error_of([&] {
            writer.append(
                {0, rows, {{{"x", ColumnType::f64, 1}, {offsets}, std::vector<double>(values)}}});
        });
    };
    EXPECT_NE(append(2, {0, 1}, 1).find("'x'"), std::string::npos);
    append(2, {0, 2, 1}, 1);
    append(2, {1, 2, 3}, 3);
    append(1, {0, 2}, 3);
    test::error_of([&] {
        writer.append({0, 1, {scalars("x", ColumnType::f64, std::vector<double>{1})}});
    });
    test::error_of([&] {
        io::ParquetWriter(folder / "b.parquet",
                          {{"a", ColumnType::f64, 0}, {"a.b", ColumnType::f64, 0}});
    });
    test::error_of([&] { io::ParquetWriter(folder / "b.parquet", {}); });
}

TEST(Parquet, says_what_is_wrong_with_a_file) {
    const test::TemporaryFolder folder;
    const auto problem = [&](const std::string& name) {
        const auto message = test::error_of([&] { read_all(folder / name, {{"x"}, {}, {}, 1}); });
        EXPECT_NE(message.find(name), std::string::npos) << message;
        EXPECT_EQ(message.find("Error"), std::string::npos) << message;
        EXPECT_EQ(message.find('\n'), std::string::npos) << message;
        return message;
    };
    EXPECT_NE(problem("none.parquet").find("no such file"), std::string::npos);
    EXPECT_NE(problem("").find("folder"), std::string::npos);
    io::write_text(folder / "text.parquet", "certainly not a table");
    EXPECT_NE(problem("text.parquet").find("not a Parquet file"), std::string::npos);
    std::vector<double> values(1000);
    std::iota(values.begin(), values.end(), 0.0);
    write(folder / "a.parquet", {0, 1000, {scalars("x", ColumnType::f64, values)}});
    const std::string whole = io::read_text(folder / "a.parquet");
    io::write_text(folder / "cut.parquet", whole.substr(0, whole.size() / 2));
    EXPECT_NE(problem("cut.parquet").find("cut off"), std::string::npos);
    std::string damaged = whole;
    std::fill(damaged.begin() + 4, damaged.begin() + static_cast<std::ptrdiff_t>(whole.size()) / 2,
              'x');
    io::write_text(folder / "damaged.parquet", damaged);
    EXPECT_NE(problem("damaged.parquet").find("cannot be read"), std::string::npos);
    io::write_text(folder / "footer.parquet", "PAR1" + std::string(200, 'x') + "PAR1");
    problem("footer.parquet");
}

TEST(Parquet, a_missing_column_is_met_with_the_nearest) {
    const test::TemporaryFolder folder;
    write(folder / "a.parquet", every_kind());
    const auto ask = [&](const std::string& name) {
        return test::error_of([&] { io::read_parquet(folder / "a.parquet", {{name}, {}, {}, 1}); });
    };
    EXPECT_NE(ask("lists.f46").find("'lists.f64'"), std::string::npos);
    EXPECT_NE(ask("lists").find("struct"), std::string::npos);
}

TEST(ParquetCopy, keeps_all_columns_of_the_chosen_rows_in_order) {
    const test::TemporaryFolder folder;
    const auto chunk = every_kind();
    write(folder / "a.parquet", chunk, {{{"kept", "yes"}, {"both", "old"}}, "zstd"});
    write(folder / "b.parquet", chunk);
    const std::vector<io::RowReference> rows{{0, 0}, {0, 2}, {1, 1}, {1, 2}};
    const auto number =
        scalars("number", ColumnType::i64, std::vector<std::int64_t>{10, 11, 12, 13});
    io::copy_parquet_rows({folder / "a.parquet", folder / "b.parquet"}, rows, {number},
                          folder / "c.parquet", {{{"both", "new"}}, "zstd"});
    const auto again = read_all(folder / "c.parquet");
    EXPECT_EQ(again.rows, 4);
    EXPECT_EQ(again.column("number").integers(), (std::vector<std::int64_t>{10, 11, 12, 13}));
    EXPECT_EQ(again.column("f64").doubles(), (std::vector<double>{1.5, 0, -2, 0}));
    EXPECT_EQ(again.column("lists.f64").offsets[0], (std::vector<std::int64_t>{0, 2, 6, 6, 10}));
    EXPECT_EQ(again.column("lists.deep.text").offsets[0],
              (std::vector<std::int64_t>{0, 3, 4, 4, 5}));
    EXPECT_EQ(again.column("lists.deep.text").texts(),
              (std::vector<std::string>{"", "it's", "twelve bytes", "thirteen bytes", "\"",
                                        "\xc2\xb5", "\"", "\xc2\xb5"}));
    const auto metadata = io::parquet_schema(folder / "c.parquet").metadata;
    EXPECT_EQ(metadata, (io::KeyValues{{"kept", "yes"}, {"both", "new"}}));
}

TEST(ParquetCopy, an_added_column_replaces_one_and_an_added_field_joins_a_struct) {
    const test::TemporaryFolder folder;
    write(folder / "a.parquet", {0,
                                 2,
                                 {scalars("x", ColumnType::f64, std::vector<double>{1, 2}),
                                  scalars("s.kept", ColumnType::f64, std::vector<double>{3, 4}),
                                  scalars("s.old", ColumnType::f64, std::vector<double>{5, 6})}});
    const std::vector<io::RowReference> rows{{0, 1}};
    const std::vector<Column> added{
        scalars("x", ColumnType::text, std::vector<std::string>{"new"}),
        scalars("s.old", ColumnType::i64, std::vector<std::int64_t>{60}),
        scalars("s.more", ColumnType::i64, std::vector<std::int64_t>{7}),
        scalars("t.other", ColumnType::i64, std::vector<std::int64_t>{8})};
    io::copy_parquet_rows({folder / "a.parquet"}, rows, added, folder / "b.parquet");
    const auto again = read_all(folder / "b.parquet");
    EXPECT_EQ(again.columns.size(), 5U);
    EXPECT_EQ(again.column("x").texts()[0], "new");
    EXPECT_EQ(again.column("s.kept").doubles()[0], 4);
    EXPECT_EQ(again.column("s.old").integers()[0], 60);
    EXPECT_EQ(again.column("s.more").integers()[0], 7);
    EXPECT_EQ(again.column("t.other").integers()[0], 8);
}

TEST(ParquetCopy, columns_and_fields_that_an_input_lacks_are_null) {
    const test::TemporaryFolder folder;
    write(folder / "a.parquet", {0,
                                 1,
                                 {scalars("x", ColumnType::f64, std::vector<double>{1}),
                                  scalars("s.p", ColumnType::f64, std::vector<double>{2})}});
    write(folder / "b.parquet",
          {0,
           1,
           {scalars("y", ColumnType::i64, std::vector<std::int64_t>{3}),
            scalars("s.q", ColumnType::text, std::vector<std::string>{"q"})}});
    const std::vector<io::RowReference> rows{{0, 0}, {1, 0}};
    io::copy_parquet_rows({folder / "a.parquet", folder / "b.parquet"}, rows, {},
                          folder / "c.parquet");
    const auto again = read_all(folder / "c.parquet", {{"x", "s.p", "s.q"}, {}, {}, 1});
    EXPECT_EQ(again.column("x").doubles()[0], 1);
    EXPECT_TRUE(std::isnan(again.column("x").doubles()[1]));
    EXPECT_TRUE(std::isnan(again.column("s.p").doubles()[1]));
    EXPECT_EQ(again.column("s.q").texts(), (std::vector<std::string>{"", "q"}));
    const auto message = test::error_of([&] {
        read_all(folder / "c.parquet", {{"y"}, {}, {}, 1});
    });
    EXPECT_NE(message.find("column 'y' has no value (NULL) in row 0"), std::string::npos)
        << message;
}

TEST(ParquetCopy, refuses_rows_that_are_absent_or_out_of_order) {
    const test::TemporaryFolder folder;
    write(folder / "a.parquet", every_kind());
    const auto copy = [&](std::vector<io::RowReference> rows) {
        const auto message = test::error_of(
            [&] { io::copy_parquet_rows({folder / "a.parquet"}, rows, {}, folder / "b.parquet"); });
        EXPECT_FALSE(std::filesystem::exists(folder / "b.parquet"));
        return message;
    };
    EXPECT_NE(copy({{0, 3}}).find("3 rows"), std::string::npos);
    copy({{1, 0}});
    copy({{0, -1}});
    copy({{0, 1}, {0, 0}});
    copy({{0, 1}, {0, 1}});
}

TEST(ParquetCopy, may_replace_its_own_input) {
    const test::TemporaryFolder folder;
    write(folder / "a.parquet", every_kind());
    const std::vector<io::RowReference> rows{{0, 2}};
    io::copy_parquet_rows({folder / "a.parquet"}, rows, {}, folder / "a.parquet");
    EXPECT_EQ(read_all(folder / "a.parquet").column("i32").to_integers(),
              (std::vector<std::int64_t>{2}));
}

RC_GTEST_PROP(ParquetRoundTrip, ragged_lists_come_back, ()) {
    const auto lists = *rc::gen::arbitrary<std::vector<std::vector<std::int64_t>>>();
    Column column{{"s.list", ColumnType::i64, 1}, {{0}}, std::vector<std::int64_t>()};
    for (const auto& list : lists) {
        auto& values = std::get<std::vector<std::int64_t>>(column.values);
        values.insert(values.end(), list.begin(), list.end());
        column.offsets[0].push_back(static_cast<std::int64_t>(values.size()));
    }
    const test::TemporaryFolder folder;
    write(folder / "a.parquet", {0, static_cast<std::int64_t>(lists.size()), {column}});
    const auto again = read_all(folder / "a.parquet");
    RC_ASSERT(again.rows == static_cast<std::int64_t>(lists.size()));
    if (again.rows > 0) {
        RC_ASSERT(again.columns[0].offsets == column.offsets);
        RC_ASSERT(again.columns[0].values == column.values);
    }
}

}  // namespace
