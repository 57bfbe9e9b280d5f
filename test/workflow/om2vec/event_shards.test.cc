/// Shards take every event once, and latents pass through parts unchanged.

#include "hodo/workflow/om2vec/event_shards.hh"

#include "hodo/detector/optical/event_writer.hh"
#include "hodo/detector/optical/flat_writer.hh"
#include "hodo/workflow/om2vec/latent_parts.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace hodo::om2vec {
namespace {

/// `count` events; event e has `first + e` photons, each on a module of its own.
optical::Events small_events(std::int64_t first, std::int64_t count) {
    optical::Events events;
    for (std::int64_t event = 0; event < count; ++event) {
        for (std::int64_t module = 0; module < first + event; ++module) {
            events.time.push_back(static_cast<double>(100 * (first + event) + module));
            events.x.push_back(1), events.y.push_back(2), events.z.push_back(3);
            events.string.push_back(first + event), events.sensor.push_back(module);
        }
        events.offsets.push_back(std::ssize(events.time));
        events.file.push_back(0), events.row.push_back(event);
    }
    return events;
}

class EventShards : public testing::Test {
  protected:
    void SetUp() override {
        for (int i = 0; i < 3; ++i) {
            files.push_back(folder / base::format("{}.parquet", i));
            optical::write_events(files.back(), small_events(3 * i, i == 1 ? 1 : 4));
        }
        read.truth = optical::TruthReading::no;
    }
    test::TemporaryFolder folder;
    std::vector<base::Path> files;
    optical::ReadOptions read;
};

TEST_F(EventShards, deliver_the_events_of_all_files_in_order) {
    const auto all = optical::read_all_events(files, read);
    for (const std::int64_t count : {1, 3, 16}) {
        optical::Events joined;
        for (std::int64_t index = 0; index < count; ++index) {
            const auto ranges = events_of_shard(files, read, {index, count});
            optical::EventReader reader(files, read, ranges);
            std::int64_t expected = 0;
            while (const auto block = reader.next()) {
                expected += block->size();
                for (std::int64_t e = 0; e < block->size(); ++e) joined.append(*block, e);
            }
            EXPECT_EQ(reader.event_count(), expected);
        }
        EXPECT_EQ(joined.time, all.time) << count;
        EXPECT_EQ(joined.offsets, all.offsets) << count;
        EXPECT_EQ(joined.file, all.file) << count;
        EXPECT_EQ(joined.row, all.row) << count;
    }
}

TEST_F(EventShards, open_no_files_of_others) {
    std::vector<base::Path> many;
    for (int i = 0; i < 8; ++i) {
        many.push_back(folder / base::format("many-{}.parquet", i));
        optical::write_events(many.back(), small_events(5, 5));
    }
    // Others than those about the middle become unreadable, with the sizes that they had.
    for (const std::size_t i : {0U, 1U, 6U, 7U}) {
        const auto size = std::filesystem::file_size(many[i]);
        std::ofstream(many[i], std::ios::binary) << std::string(size, '?');
    }
    const auto ranges = events_of_shard(many, read, {2, 4});
    ASSERT_FALSE(ranges.empty());
    optical::EventReader reader(many, read, ranges);
    std::int64_t events = 0;
    while (const auto block = reader.next()) events += block->size();
    EXPECT_GT(events, 0);
    EXPECT_EQ(reader.event_count(), events);
    EXPECT_THROW(optical::EventReader(many, read), base::Error) << "the first file cannot be read";
}

TEST_F(EventShards, take_flat_tables_whole) {
    auto events = small_events(1, 12);
    events.truth.resize(12);
    optical::FlatEventWriter writer(folder / "flat", {.events_per_file = 4});
    writer.append(events);
    const auto flat = writer.finish();
    ASSERT_EQ(flat.size(), 3u);
    const auto all = optical::read_all_events(flat, read);
    std::vector<double> times;
    for (std::int64_t index = 0; index < 5; ++index) {
        optical::EventReader reader(flat, read, events_of_shard(flat, read, {index, 5}));
        while (const auto block = reader.next()) {
            times.insert(times.end(), block->time.begin(), block->time.end());
        }
    }
    EXPECT_EQ(times, all.time);
}

std::string content_of(const base::Path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
}

/// Hands the events of `ranges` to `sink`, with latents that tell their module.
void encode(const std::vector<base::Path>& files, const optical::ReadOptions& read,
            const std::vector<optical::EventRange>& ranges, LatentSink& sink) {
    optical::EventReader reader(files, read, ranges);
    while (const auto block = reader.next()) {
        for (std::int64_t e = 0; e < block->size(); ++e) {
            const auto event = static_cast<std::size_t>(e);
            const auto modules = block->offsets[event + 1] - block->offsets[event];
            const auto fate = sink.admit(modules);
            if (fate == EventFate::drop) continue;
            std::vector<optical::ModuleId> ids;
            std::vector<float> latents;
            for (auto i = block->offsets[event];
                 fate == EventFate::encode && i < block->offsets[event + 1]; ++i) {
                ids.push_back(block->module(i));
                latents.push_back(static_cast<float>(ids.back().string) / 3.0f);
                latents.push_back(static_cast<float>(ids.back().sensor));
            }
            sink.add({block->file[event], block->row[event]}, fate, modules, ids, latents);
        }
    }
}

TEST_F(EventShards, give_the_latent_files_of_one_process) {
    for (const auto compat : {Compat::none, Compat::om2vec}) {
        LatentOutput options;
        options.chunk_size = 2;
        options.min_modules = 3;
        options.compat = compat;
        options.output = (folder / base::format("one-{}", static_cast<int>(compat))).string();
        LatentWriter one(files, options, workflow::Existing::refuse, 2, {});
        encode(files, read, events_of_shard(files, read, {0, 1}), one);
        const auto expected = one.finish();
        ASSERT_GE(expected.size(), 3u);

        std::vector<workflow::Part> parts;
        for (std::int64_t index = 0; index < 4; ++index) {
            const auto part = folder / base::format("part-{}-{}", static_cast<int>(compat), index);
            std::filesystem::create_directory(part);
            LatentPartWriter writer(part, options, 2);
            encode(files, read, events_of_shard(files, read, {index, 4}), writer);
            writer.finish();
            parts.push_back({part, {part / "latents.parquet"}});
        }
        options.output = (folder / base::format("many-{}", static_cast<int>(compat))).string();
        LatentWriter many(files, options, workflow::Existing::refuse, 2, {});
        join_latents(parts, 2, many);
        const auto found = many.finish();
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t k = 0; k < found.size(); ++k) {
            EXPECT_TRUE(content_of(found[k]) == content_of(expected[k])) << found[k];
        }
        options.output += "-wide";
        LatentWriter other(files, options, workflow::Existing::refuse, 3, {});
        EXPECT_NE(test::error_of([&] { join_latents(parts, 3, other); }).find("latents for"),
                  std::string::npos);
    }
}

}  // namespace
}  // namespace hodo::om2vec
