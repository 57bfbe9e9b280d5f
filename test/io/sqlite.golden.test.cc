#include "hodo/io/sqlite.hh"

#include <iostream>

#include "support/reference.hh"

namespace {

namespace io = hodo::io;
namespace test = hodo::test;

TEST(SqliteGolden, every_table_of_the_reference_reads_to_its_end) {
    const auto files = test::reference_files("gapreco/i3", "*.db");
    HODO_REQUIRE_REFERENCE(files, "gapreco/i3/*.db");
    for (const auto& file : files) {
        for (const auto& table : io::sqlite_tables(file)) {
            const auto schema = io::sqlite_schema(file, table);
            const auto reader = io::read_sqlite(file, table, {});
            std::int64_t rows = 0;
            while (const auto chunk = reader->next()) rows += chunk->rows;
            EXPECT_EQ(rows, schema.rows);
            std::cout << file.filename() << " " << table << ": " << rows << " rows\n";
        }
    }
}

}  // namespace
