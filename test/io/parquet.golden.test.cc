#include "hodo/io/parquet.hh"

#include <iostream>

#include "support/reference.hh"

namespace {

namespace base = hodo::base;
namespace io = hodo::io;
namespace test = hodo::test;

void expect_consistent(const io::Column& column, std::int64_t rows, const base::Path& file) {
    std::int64_t count = rows;
    for (const auto& offsets : column.offsets) {
        ASSERT_EQ(static_cast<std::int64_t>(offsets.size()), count + 1) << file << column.spec.name;
        EXPECT_EQ(offsets.front(), 0);
        EXPECT_TRUE(std::is_sorted(offsets.begin(), offsets.end()));
        count = offsets.back();
    }
    const auto held = std::visit([](const auto& values) { return values.size(); }, column.values);
    EXPECT_EQ(static_cast<std::int64_t>(held), count) << file << column.spec.name;
}

TEST(ParquetGolden, photons_of_every_event_file_have_consistent_offsets) {
    const auto files = test::reference_files("om2vec", "*_photons.parquet");
    HODO_REQUIRE_REFERENCE(files, "om2vec/*_photons.parquet");
    for (const auto& file : files) {
        const auto schema = io::parquet_schema(file);
        EXPECT_TRUE(schema.has_struct("photons"));
        const auto reader = io::read_parquet(file, {});
        std::int64_t rows = 0, photons = 0;
        while (const auto chunk = reader->next()) {
            EXPECT_EQ(chunk->first_row, rows);
            EXPECT_EQ(chunk->columns.size(), schema.columns.size());
            for (const auto& column : chunk->columns) {
                expect_consistent(column, chunk->rows, file);
                if (column.spec.name.starts_with("photons.")) {
                    EXPECT_EQ(column.offsets, chunk->column("photons.t").offsets);
                }
            }
            rows += chunk->rows;
            photons += chunk->column("photons.t").offsets[0].back();
        }
        EXPECT_EQ(rows, schema.rows);
        std::cout << file.filename() << ": " << rows << " events, " << photons << " photons\n";
    }
}

TEST(ParquetGolden, every_other_reference_table_reads) {
    const auto files = test::reference_files("gapreco/parquet", "*.pq");
    HODO_REQUIRE_REFERENCE(files, "gapreco/parquet/*.pq");
    for (const auto& file : files) {
        const auto schema = io::parquet_schema(file);
        const auto reader = io::read_parquet(file, {});
        std::int64_t rows = 0;
        while (const auto chunk = reader->next()) {
            for (const auto& column : chunk->columns) expect_consistent(column, chunk->rows, file);
            rows += chunk->rows;
        }
        EXPECT_EQ(rows, schema.rows);
        std::cout << file.filename() << ": " << rows << " rows\n";
    }
}

TEST(ParquetGolden, copies_of_event_files_hold_the_same_values) {
    const auto files = test::reference_files("om2vec", "*_photons.parquet");
    HODO_REQUIRE_REFERENCE(files, "om2vec/*_photons.parquet");
    const test::TemporaryFolder folder;
    for (const auto& file : files) {
        std::vector<io::RowReference> rows;
        for (std::int64_t row = 0; row < io::parquet_schema(file).rows; ++row)
            rows.push_back({0, row});
        io::copy_parquet_rows({file}, rows, {}, folder / "copy.parquet");
        const auto first = io::read_parquet(file, {}),
                   second = io::read_parquet(folder / "copy.parquet", {});
        const auto a = first->next(), b = second->next();
        ASSERT_EQ(a->rows, b->rows);
        for (const auto& column : a->columns) {
            EXPECT_EQ(column.offsets, b->column(column.spec.name).offsets);
            EXPECT_TRUE(column.to_doubles().size() ==
                        b->column(column.spec.name).to_doubles().size());
        }
        EXPECT_EQ(a->column("photons.t").values, b->column("photons.t").values);
        EXPECT_EQ(a->column("photons.string_id").values, b->column("photons.string_id").values);
    }
}

}  // namespace
