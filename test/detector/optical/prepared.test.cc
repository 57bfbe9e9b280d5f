#include "hodo/detector/optical/prepared.hh"

#include <gmock/gmock.h>

#include "hodo/base/random.hh"
#include "hodo/detector/optical/chunks.hh"
#include "hodo/io/parquet.hh"
#include "support/reference.hh"

namespace hodo::optical {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Events random_events(std::uint64_t seed, int count) {
    base::Random random(seed, "prepared test");
    Events events;
    for (int e = 0; e < count; ++e) {
        const auto photons = random.below(60);
        for (std::uint64_t p = 0; p < photons; ++p) {
            const auto string = static_cast<std::int64_t>(random.below(4));
            events.time.push_back(900 * random.exponential());
            events.string.push_back(string);
            events.sensor.push_back(static_cast<std::int64_t>(random.below(4)));
            events.x.push_back(0.125 * static_cast<double>(string));
            events.y.push_back(1.0 / 3.0);
            events.z.push_back(-7);
        }
        events.offsets.push_back(static_cast<std::int64_t>(events.time.size()));
        events.file.push_back(e % 2);
        events.row.push_back(100 + e);
    }
    return events;
}

PreparedHeader header_with(Binning binning) {
    PreparedHeader header;
    header.binning = std::move(binning);
    header.order = ModuleOrder::ascending;
    header.sources = {"a.parquet", "b.parquet"};
    header.metadata = {{"note", "kept"}};
    return header;
}

PreparedModules modules_of(const Events& events, const PreparedHeader& header) {
    return prepared_modules(bin_photons(events, header.binning, header.order), events);
}

TEST(Prepared, reading_gives_back_what_was_written) {
    test::TemporaryFolder folder;
    Binning binning{320, 6400, BinningRule::floor, Overflow::extra, "quantile:0.25"};
    const PreparedHeader header = header_with(binning);
    const auto written = modules_of(random_events(1, 30), header);
    PreparedWriter writer(folder.path(), header);
    writer.append(written);
    const auto files = writer.finish();
    const PreparedSet set(folder.path());
    EXPECT_EQ(set.shards(), static_cast<std::int64_t>(files.size()));
    EXPECT_EQ(set.modules(), written.size());
    EXPECT_EQ(set.header().binning, binning);
    EXPECT_EQ(set.header().order, ModuleOrder::ascending);
    EXPECT_THAT(set.header().sources, ElementsAre("a.parquet", "b.parquet"));
    EXPECT_THAT(set.header().metadata, testing::Contains(testing::Pair("note", "kept")));
    ASSERT_EQ(set.shards(), 1);
    const auto read = set.read(0);
    EXPECT_EQ(read.file, written.file);
    EXPECT_EQ(read.event, written.event);
    EXPECT_EQ(read.counts.id, written.counts.id);
    EXPECT_EQ(read.counts.position, written.counts.position);
    EXPECT_EQ(read.counts.time_offset, written.counts.time_offset);
    EXPECT_EQ(read.counts.hits, written.counts.hits);
    EXPECT_EQ(read.counts.offsets, written.counts.offsets);
    EXPECT_EQ(read.counts.bin, written.counts.bin);
    EXPECT_EQ(read.counts.count, written.counts.count);
}

TEST(Prepared, shards_have_their_true_sizes_and_events_are_numbered_within) {
    test::TemporaryFolder folder;
    const PreparedHeader header = header_with(Binning{});
    PreparedWriter writer(folder.path(), header, {.max_modules = 50, .max_bytes = 1 << 30});
    std::int64_t total = 0;
    for (int part = 0; part < 5; ++part) {
        const auto modules =
            modules_of(random_events(10 + static_cast<std::uint64_t>(part), 7), header);
        total += modules.size();
        writer.append(modules);
    }
    const auto files = writer.finish();
    const PreparedSet set(files);
    EXPECT_GT(set.shards(), 1);
    std::int64_t sum = 0;
    for (std::int64_t shard = 0; shard < set.shards(); ++shard) {
        const auto modules = set.read(shard);
        EXPECT_EQ(modules.size(), set.modules(shard));
        sum += modules.size();
        ASSERT_GT(modules.size(), 0);
        EXPECT_EQ(modules.counts.event.front(), 0);
    }
    EXPECT_EQ(sum, total);
}

TEST(Prepared, an_empty_set_is_a_set) {
    test::TemporaryFolder folder;
    PreparedWriter writer(folder.path(), header_with(Binning{}));
    EXPECT_EQ(writer.finish().size(), 1U);
    const PreparedSet set(folder.path());
    EXPECT_EQ(set.modules(), 0);
    EXPECT_EQ(set.read(0).size(), 0);
}

TEST(Prepared, binning_survives_json_and_differences_are_named) {
    Binning binning{5000, 5000, BinningRule::om2vec, Overflow::last, "first"};
    EXPECT_EQ(binning_of_json(binning_json(binning), "here"), binning);
    Binning other = binning;
    other.rule = BinningRule::floor;
    EXPECT_THAT(test::error_of([&] { require_same_binning(binning, other, "set"); }),
                AllOf(HasSubstr("om2vec"), HasSubstr("floor"), HasSubstr("set")));
    auto json = binning_json(binning);
    json["rule"] = "ceiling";
    EXPECT_THAT(test::error_of([&] { binning_of_json(json, "here"); }), HasSubstr("'ceiling'"));
}

TEST(Prepared, other_files_are_refused) {
    test::TemporaryFolder folder;
    io::ParquetWriter writer(folder / "modules-00000.parquet", {{"a", io::ColumnType::i64, 0}});
    writer.finish();
    EXPECT_THAT(test::error_of([&] { PreparedSet set(folder.path()); }),
                HasSubstr("'hodo_binning' is missing"));
}

TEST(Chunks, hold_the_rows_asked_for_and_a_last_remainder) {
    test::TemporaryFolder folder;
    const Events events = random_events(2, 20);
    Binning binning{64, 6400, BinningRule::floor, Overflow::last, "first"};
    const auto modules = bin_photons(events, binning, ModuleOrder::first_appearance);
    ChunkWriter writer(folder.path(), binning.width(), 40);
    writer.append(modules);
    const auto files = writer.finish();
    ASSERT_EQ(files.size(), static_cast<std::size_t>(modules.size() / 40 + 1));
    EXPECT_EQ(files[1].filename(), "chunk_1.parquet");
    std::int64_t rows = 0;
    for (std::size_t k = 0; k < files.size(); ++k) {
        ChunkReader reader(files[k]);
        EXPECT_EQ(reader.rows(), k + 1 < files.size() ? 40 : modules.size() % 40);
        while (const auto part = reader.next()) {
            for (std::int64_t m = 0; m < part->size(); ++m, ++rows) {
                const auto i = static_cast<std::size_t>(rows);
                const auto j = static_cast<std::size_t>(m);
                EXPECT_EQ(part->id[j], modules.id[i]);
                EXPECT_EQ(part->position[j], modules.position[i]);
                EXPECT_EQ(part->hits[j], modules.hits[i]);
                EXPECT_THAT(part->bins_of(m), testing::ElementsAreArray(modules.bins_of(rows)));
                EXPECT_THAT(part->counts_of(m), testing::ElementsAreArray(modules.counts_of(rows)));
            }
        }
    }
    EXPECT_EQ(rows, modules.size());
}

TEST(Chunks, an_empty_last_file_is_written) {
    test::TemporaryFolder folder;
    ChunkWriter writer(folder.path(), 8, 5);
    const auto files = writer.finish();
    ASSERT_EQ(files.size(), 1U);
    ChunkReader reader(files[0]);
    EXPECT_EQ(reader.rows(), 0);
    EXPECT_FALSE(reader.next());
}

TEST(Chunks, refuse_weights_and_other_files) {
    test::TemporaryFolder folder;
    ModuleCounts modules;
    modules.event = {0};
    modules.id = {{1, 2}};
    modules.position = {{0, 0, 0}};
    modules.time_offset = {0};
    modules.hits = {0.5};
    modules.offsets = {0, 1};
    modules.bin = {3};
    modules.count = {0.5F};
    ChunkWriter writer(folder.path(), 8, 5);
    EXPECT_THAT(test::error_of([&] { writer.append(modules); }), HasSubstr("whole photons"));
    io::ParquetWriter other(folder / "other.parquet", {{"a", io::ColumnType::i64, 0}});
    other.finish();
    EXPECT_THAT(test::error_of([&] { ChunkReader reader(folder / "other.parquet"); }),
                HasSubstr("binned_time_counts"));
}

}  // namespace
}  // namespace hodo::optical
