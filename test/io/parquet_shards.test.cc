#include <numeric>

#include "hodo/io/parquet.hh"
#include "support/reference.hh"

namespace {

namespace base = hodo::base;
namespace io = hodo::io;
namespace test = hodo::test;
using io::ColumnType;

const std::vector<io::ColumnSpec> one_column{{"i", ColumnType::i64, 0}};

io::Chunk counting(std::int64_t rows) {
    std::vector<std::int64_t> values(static_cast<std::size_t>(rows));
    std::iota(values.begin(), values.end(), 0);
    return {0, rows, {{one_column[0], {}, values}}};
}

/// The values of all files one after the other; no file may have more than `most` rows.
std::vector<std::int64_t> values_of(const std::vector<base::Path>& files, std::int64_t most) {
    std::vector<std::int64_t> values;
    for (const auto& file : files) {
        EXPECT_LE(io::parquet_schema(file).rows, most);
        const auto reader = io::read_parquet(file, {});
        while (const auto chunk = reader->next()) {
            const auto& more = chunk->column("i").integers();
            values.insert(values.end(), more.begin(), more.end());
        }
    }
    return values;
}

TEST(ParquetShards, begin_anew_after_the_rows_that_are_allowed) {
    const test::TemporaryFolder folder;
    io::ShardWriter writer(folder.path(), "rows", one_column, {}, 100, 1'000'000);
    writer.append(counting(250));
    const auto files = writer.finish();
    EXPECT_EQ(files.size(), 3U);
    EXPECT_EQ(files[2].filename(), "rows-00002.parquet");
    EXPECT_EQ(values_of(files, 100), counting(250).column("i").integers());
}

TEST(ParquetShards, begin_anew_after_the_bytes_that_are_allowed) {
    const test::TemporaryFolder folder;
    io::ShardWriter writer(folder.path(), "bytes", one_column, {}, 1'000'000, 800);
    writer.append(counting(250));
    EXPECT_EQ(values_of(writer.finish(), 100), counting(250).column("i").integers());
}

TEST(ParquetShards, hold_a_row_each_when_a_row_is_larger_than_a_shard) {
    const test::TemporaryFolder folder;
    io::ShardWriter writer(folder.path(), "one", one_column, {}, 1'000'000, 1);
    writer.append(counting(4));
    const auto files = writer.finish();
    EXPECT_EQ(files.size(), 4U);
    EXPECT_EQ(values_of(files, 1), counting(4).column("i").integers());
}

TEST(ParquetShards, without_rows_there_is_one_empty_shard) {
    const test::TemporaryFolder folder;
    io::ShardWriter writer(folder.path(), "none", one_column);
    const auto files = writer.finish();
    ASSERT_EQ(files.size(), 1U);
    EXPECT_EQ(io::parquet_schema(files[0]).rows, 0);
}

TEST(ParquetShards, that_were_not_finished_leave_no_half_file) {
    const test::TemporaryFolder folder;
    {
        io::ShardWriter writer(folder.path(), "half", one_column, {}, 100, 1'000'000);
        writer.append(counting(50));
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
