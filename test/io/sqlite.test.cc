#include "hodo/io/sqlite.hh"

#include <sqlite3.h>
#include <cmath>

#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

namespace {

namespace base = hodo::base;
namespace io = hodo::io;
namespace test = hodo::test;
using io::ColumnType;

void make_database(const base::Path& file, const std::string& statements) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, statements.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
}

constexpr const char* two_tables =
    "CREATE TABLE truth (event_no INTEGER PRIMARY KEY, energy FLOAT, name TEXT);"
    "INSERT INTO truth VALUES (7, 1.5, 'muon'), (3, NULL, NULL), (5, 2, 'it''s');"
    "CREATE TABLE \"odd \"\" name\" (\"a 'b'\" DOUBLE);"
    "INSERT INTO \"odd \"\" name\" VALUES (0.25);";

TEST(Sqlite, lists_tables_and_their_columns) {
    const test::TemporaryFolder folder;
    const auto file = folder / "it's a.db";
    make_database(file, two_tables);
    EXPECT_EQ(io::sqlite_tables(file), (std::vector<std::string>{"odd \" name", "truth"}));
    const auto schema = io::sqlite_schema(file, "truth");
    EXPECT_EQ(schema.rows, 3);
    ASSERT_EQ(schema.columns.size(), 3U);
    EXPECT_EQ(schema.columns[0].type, ColumnType::i64);
    EXPECT_EQ(schema.columns[1].type, ColumnType::f64);
    EXPECT_EQ(schema.columns[2].type, ColumnType::text);
}

TEST(Sqlite, reads_columns_in_the_order_of_another) {
    const test::TemporaryFolder folder;
    make_database(folder / "a.db", two_tables);
    const auto reader = io::read_sqlite(folder / "a.db", "truth", {"energy", "name"}, "event_no");
    const auto chunk = reader->next();
    ASSERT_TRUE(chunk);
    EXPECT_FALSE(reader->next());
    EXPECT_TRUE(std::isnan(chunk->column("energy").doubles()[0]));
    EXPECT_EQ(chunk->column("energy").doubles()[1], 2.0);
    EXPECT_EQ(chunk->column("name").texts(), (std::vector<std::string>{"", "it's", "muon"}));
    const auto odd = io::read_sqlite(folder / "a.db", "odd \" name", {})->next();
    EXPECT_EQ(odd->column("a 'b'").doubles(), (std::vector<double>{0.25}));
}

TEST(Sqlite, text_in_the_first_row_makes_a_text_column) {
    const test::TemporaryFolder folder;
    make_database(folder / "a.db", "CREATE TABLE t (x FLOAT); INSERT INTO t VALUES ('genie'), (2)");
    EXPECT_EQ(io::read_sqlite(folder / "a.db", "t", {})->next()->column("x").texts(),
              (std::vector<std::string>{"genie", "2.0"}));
}

TEST(Sqlite, reads_long_tables_in_chunks_without_losing_rows) {
    const test::TemporaryFolder folder;
    make_database(folder / "a.db",
                  "CREATE TABLE t (i INTEGER);"
                  "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39999) "
                  "INSERT INTO t SELECT i FROM n;");
    const auto reader = io::read_sqlite(folder / "a.db", "t", {"i"}, "i");
    std::int64_t expected = 0;
    while (const auto chunk = reader->next()) {
        EXPECT_EQ(chunk->first_row, expected);
        for (const std::int64_t value : chunk->column("i").integers()) EXPECT_EQ(value, expected++);
    }
    EXPECT_EQ(expected, 40000);
}

TEST(Sqlite, names_the_row_of_a_value_of_the_wrong_kind) {
    const test::TemporaryFolder folder;
    make_database(
        folder / "a.db",
        "CREATE TABLE t (i INTEGER, x FLOAT); INSERT INTO t VALUES (1, 1), (NULL, 'oops')");
    const auto null = test::error_of([&] { io::read_sqlite(folder / "a.db", "t", {"i"})->next(); });
    EXPECT_NE(null.find("column 'i' holds 'NULL' in row 1"), std::string::npos) << null;
    const auto text = test::error_of([&] { io::read_sqlite(folder / "a.db", "t", {"x"})->next(); });
    EXPECT_NE(text.find("'oops' in row 1"), std::string::npos) << text;
}

TEST(Sqlite, unknown_names_are_met_with_the_nearest) {
    const test::TemporaryFolder folder;
    make_database(folder / "a.db", two_tables);
    EXPECT_NE(test::error_of([&] { io::sqlite_schema(folder / "a.db", "thruth"); }).find("'truth'"),
              std::string::npos);
    EXPECT_NE(test::error_of([&] {
                  io::read_sqlite(folder / "a.db", "truth", {"energie"});
              }).find("'energy'"),
              std::string::npos);
}

TEST(Sqlite, refuses_what_is_no_database_and_never_makes_one) {
    const test::TemporaryFolder folder;
    io::write_text(folder / "a.db", std::string(5000, 'x'));
    EXPECT_NE(test::error_of([&] { io::sqlite_tables(folder / "a.db"); }).find("not a database"),
              std::string::npos);
    EXPECT_NE(test::error_of([&] { io::sqlite_tables(folder / "none.db"); }).find("no such file"),
              std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder / "none.db"));
}

}  // namespace
