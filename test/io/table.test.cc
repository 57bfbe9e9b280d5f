#include "hodo/io/table.hh"

#include "support/reference.hh"

namespace {

namespace io = hodo::io;
namespace test = hodo::test;
using io::Column;
using io::ColumnType;

TEST(TableSchema, knows_columns_and_the_structs_above_them) {
    const io::TableSchema schema{
        {{"photons.t", ColumnType::f64, 1}, {"event", ColumnType::i64, 0}}, {}, 0};
    EXPECT_TRUE(schema.has("photons.t"));
    EXPECT_FALSE(schema.has("photons"));
    EXPECT_TRUE(schema.has_struct("photons"));
    EXPECT_FALSE(schema.has_struct("photon"));
    EXPECT_FALSE(schema.has_struct("event"));
    EXPECT_FALSE(schema.has_struct("photons.t"));
}

TEST(Column, has_as_many_rows_as_lists_or_values) {
    const Column lists{{"a", ColumnType::f64, 1}, {{0, 2, 2}}, std::vector<double>{1, 2}};
    EXPECT_EQ(lists.rows(), 2);
    const Column scalars{{"a", ColumnType::text, 0}, {}, std::vector<std::string>{"x", "y", "z"}};
    EXPECT_EQ(scalars.rows(), 3);
}

TEST(Column, gives_values_in_place_only_as_the_stored_type) {
    const Column column{{"charge", ColumnType::f32, 0}, {}, std::vector<float>{1.5F}};
    EXPECT_EQ(column.floats()[0], 1.5F);
    const auto message = test::error_of([&] { column.doubles(); });
    EXPECT_NE(message.find("'charge' holds float32"), std::string::npos) << message;
    test::error_of([&] { column.integers(); });
    test::error_of([&] { column.texts(); });
}

TEST(Column, converts_every_type_of_number) {
    const std::vector<double> expected{0, 1};
    const auto convert = []<class T>(ColumnType type, std::vector<T> values) {
        const Column column{{"a", type, 0}, {}, std::move(values)};
        EXPECT_EQ(column.to_integers(), (std::vector<std::int64_t>{0, 1}));
        return column.to_doubles();
    };
    EXPECT_EQ(convert(ColumnType::f64, std::vector<double>{0, 1}), expected);
    EXPECT_EQ(convert(ColumnType::f32, std::vector<float>{0, 1}), expected);
    EXPECT_EQ(convert(ColumnType::i64, std::vector<std::int64_t>{0, 1}), expected);
    EXPECT_EQ(convert(ColumnType::i32, std::vector<std::int32_t>{0, 1}), expected);
    EXPECT_EQ(convert(ColumnType::boolean, std::vector<std::uint8_t>{0, 1}), expected);
}

TEST(Column, converts_neither_fractions_to_integers_nor_text_to_numbers) {
    const Column fraction{{"energy", ColumnType::f64, 0}, {}, std::vector<double>{0.5}};
    EXPECT_NE(test::error_of([&] { fraction.to_integers(); }).find("0.5"), std::string::npos);
    const Column text{{"name", ColumnType::text, 0}, {}, std::vector<std::string>{"1"}};
    EXPECT_NE(test::error_of([&] { text.to_doubles(); }).find("'name'"), std::string::npos);
    test::error_of([&] { text.to_integers(); });
}

TEST(Chunk, meets_an_unknown_column_with_the_nearest) {
    io::Chunk chunk;
    chunk.columns.push_back({{"photons.t", ColumnType::f64, 0}, {}, std::vector<double>{}});
    EXPECT_EQ(&chunk.column("photons.t"), &chunk.columns[0]);
    EXPECT_NE(test::error_of([&] { chunk.column("photon.t"); }).find("'photons.t'"),
              std::string::npos);
}

}  // namespace
