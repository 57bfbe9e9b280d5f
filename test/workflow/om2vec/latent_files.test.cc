/// Latents written and read back.

#include "hodo/base/random.hh"
#include "hodo/detector/optical/event_writer.hh"
#include "hodo/detector/optical/schema.hh"
#include "hodo/io/npz.hh"
#include "hodo/io/parquet.hh"
#include "hodo/workflow/om2vec/latent_reader.hh"
#include "hodo/workflow/om2vec/latent_writer.hh"
#include "support/reference.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace hodo::om2vec {
namespace {

using workflow::Existing;

/// `count` events; event e has e modules with one photon each.
optical::Events small_events(std::int64_t count) {
    optical::Events events;
    for (std::int64_t event = 0; event < count; ++event) {
        for (std::int64_t module = 0; module < event; ++module) {
            events.time.push_back(static_cast<double>(10 * event + module));
            events.x.push_back(1), events.y.push_back(2), events.z.push_back(3);
            events.string.push_back(event), events.sensor.push_back(module);
        }
        events.offsets.push_back(std::ssize(events.time));
        events.file.push_back(0), events.row.push_back(event);
    }
    return events;
}

/// Latent values of module (string, sensor), width 2.
std::vector<float> values_of(optical::ModuleId id) {
    return {static_cast<float>(id.string) + 0.5f, -static_cast<float>(id.sensor)};
}

struct Written {
    std::vector<base::Path> files;
    std::int64_t encoded = 0;
};

Written write_all(const base::Path& input, const LatentOutput& options, Existing existing,
                  std::int64_t count, const std::string& weights = "a") {
    LatentWriter writer({input}, options, existing, 2, {{"hodo_weights_fingerprint", weights}});
    Written written;
    for (std::int64_t event = 0; event < count; ++event) {
        const auto fate = writer.admit(event);
        if (fate == EventFate::drop) continue;
        std::vector<optical::ModuleId> ids;
        std::vector<float> values;
        for (std::int64_t module = 0; fate == EventFate::encode && module < event; ++module) {
            ids.push_back({event, module});
            for (const float value : values_of(ids.back())) values.push_back(value);
        }
        written.encoded += fate == EventFate::encode ? 1 : 0;
        writer.add({0, event}, fate, event, ids, values);
    }
    written.files = writer.finish();
    return written;
}

class LatentFiles : public testing::Test {
  protected:
    void SetUp() override {
        input = folder / "events.parquet";
        optical::write_events(input, small_events(7));
    }
    test::TemporaryFolder folder;
    base::Path input;
};

TEST_F(LatentFiles, read_back_as_they_were_written) {
    const auto written = write_all(input, {.output = (folder / "out").string(), .chunk_size = 3},
                                   Existing::refuse, 7);
    ASSERT_EQ(written.files.size(), 3u);
    std::int64_t first_event = 0;
    for (const auto& file : written.files) {
        const auto latents = read_latents(file);
        EXPECT_TRUE(latents.beside_events);
        EXPECT_EQ(latents.note("hodo_weights_fingerprint"), "a");
        EXPECT_TRUE(latents.note("config_prometheus").has_value());
        for (std::int64_t i = 0; i < latents.size(); ++i) {
            const auto m = static_cast<std::size_t>(i);
            EXPECT_EQ(latents.id[m].string, first_event + latents.event[m]);
            const auto expected = values_of(latents.id[m]);
            EXPECT_EQ(latents.values[2 * m], expected[0]);
            EXPECT_EQ(latents.values[2 * m + 1], expected[1]);
        }
        first_event += 3;
    }
}

TEST_F(LatentFiles, the_events_stay_readable_and_unchanged) {
    const auto written =
        write_all(input, {.output = (folder / "one.parquet").string()}, Existing::refuse, 7);
    const auto before = optical::read_all_events({input});
    const auto after = optical::read_all_events(written.files);
    EXPECT_EQ(after.offsets, before.offsets);
    EXPECT_EQ(after.time, before.time);
    EXPECT_EQ(after.string, before.string);
}

TEST_F(LatentFiles, compat_drops_small_events_and_adds_latents_only) {
    LatentOutput options{.output = (folder / "compat").string(), .compat = Compat::om2vec};
    options.min_modules = 4;
    const auto written = write_all(input, options, Existing::refuse, 7);
    const auto schema = io::parquet_schema(written.files.front());
    EXPECT_EQ(schema.rows, 3);
    EXPECT_FALSE(schema.has("modules"));
    EXPECT_TRUE(schema.has("latents"));
}

TEST_F(LatentFiles, without_compat_small_events_keep_their_row_and_are_flagged) {
    LatentOutput options{.output = (folder / "kept").string()};
    options.min_modules = 4;
    const auto written = write_all(input, options, Existing::refuse, 7);
    EXPECT_EQ(io::parquet_schema(written.files.front()).rows, 7);
    const auto reader =
        io::read_parquet(written.files.front(), {.columns = {"modules", "latents"}});
    const auto chunk = reader->next();
    EXPECT_EQ(chunk->column("modules").to_integers(),
              (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(chunk->column("latents").offsets[0],
              (std::vector<std::int64_t>{0, 0, 0, 0, 0, 4, 9, 15}));
}

TEST_F(LatentFiles, a_resumed_run_encodes_only_what_is_missing) {
    const LatentOutput options{.output = (folder / "resume").string(), .chunk_size = 2};
    const auto first = write_all(input, options, Existing::refuse, 7);
    std::filesystem::remove(first.files[3]);
    std::filesystem::remove(first.files[2]);
    const auto second = write_all(input, options, Existing::resume, 7);
    EXPECT_EQ(second.files, first.files);
    EXPECT_EQ(second.encoded, 3);  // Events 4, 5 and 6.
    EXPECT_EQ(read_latents(second.files[3]).size(), 6);
}

TEST_F(LatentFiles, a_resumed_run_does_not_mix_latents_of_other_weights) {
    const LatentOutput options{.output = (folder / "mixed").string(), .chunk_size = 2};
    const auto first = write_all(input, options, Existing::refuse, 7);
    std::filesystem::remove(first.files[3]);
    EXPECT_THAT(
        test::error_of([&] { write_all(input, options, Existing::resume, 7, "b"); }),
        testing::AllOf(testing::HasSubstr("chunk_0.parquet"), testing::HasSubstr("fingerprint"),
                       testing::HasSubstr("--overwrite")));
}

TEST_F(LatentFiles, latents_only_files_have_one_row_per_module) {
    for (const char* name : {"latents.parquet", "latents.npz"}) {
        const auto written = write_all(
            input, {.output = (folder / name).string(), .latents_only = true}, Existing::refuse, 7);
        const auto latents = read_latents(written.files.front());
        ASSERT_EQ(latents.size(), 21);
        EXPECT_FALSE(latents.beside_events);
        EXPECT_EQ(latents.event[20], 6);
        EXPECT_EQ(latents.values[40], 6.5f);
    }
}

TEST_F(LatentFiles, a_latent_that_is_no_finite_number_is_refused_with_file_event_and_module) {
    for (const char* name : {"beside.parquet", "latents.parquet", "latents.npz"}) {
        for (const float value : {std::nanf(""), -std::numeric_limits<float>::infinity()}) {
            const auto file = folder / name;
            LatentWriter writer({input}, {.output = file.string(), .latents_only = name[0] == 'l'},
                                Existing::overwrite, 2, {});
            for (std::int64_t event = 0; event < 7; ++event) {
                writer.admit(event);
                std::vector<optical::ModuleId> ids;
                std::vector<float> values;
                for (std::int64_t module = 0; module < event; ++module) {
                    ids.push_back({event, module});
                    values.insert(values.end(), {0.5f, event == 3 && module == 2 ? value : 0.25f});
                }
                writer.add({0, event}, EventFate::encode, event, ids, values);
            }
            EXPECT_THAT(
                test::error_of([&] { read_latents(writer.finish().front()); }),
                testing::AllOf(testing::HasSubstr(name), testing::HasSubstr("event 3"),
                               testing::HasSubstr("latent 1 of module (string 3, sensor 2)"),
                               testing::HasSubstr("only finite numbers can be decoded")));
        }
    }
}

TEST_F(LatentFiles, existing_outputs_are_not_replaced) {
    const LatentOutput options{.output = (folder / "one.parquet").string()};
    write_all(input, options, Existing::refuse, 3);
    EXPECT_THAT(test::error_of([&] { write_all(input, options, Existing::refuse, 3); }),
                testing::HasSubstr("one.parquet: exists already; add --overwrite"));
}

TEST(HalfPrecision, rounds_to_nearest_even_with_exact_bits) {
    EXPECT_EQ(half_bits(1.0f), 0x3c00);
    EXPECT_EQ(half_bits(-2.0f), 0xc000);
    EXPECT_EQ(half_bits(65504.0f), 0x7bff);
    EXPECT_EQ(half_bits(65520.0f), 0x7c00);
    EXPECT_EQ(half_bits(0x1p-24f), 0x0001);
    EXPECT_EQ(half_bits(0x1p-25f), 0x0000);
    EXPECT_EQ(half_bits(1.0f + 0x1p-11f), 0x3c00);
    EXPECT_EQ(half_bits(1.0f + 0x3p-11f), 0x3c02);
    EXPECT_EQ(half_bits(0x1.ff8p-15f), 0x03ff);
    EXPECT_EQ(half_bits(0x1.fffp-15f), 0x0400);
}

TEST(HalfPrecision, rounding_is_within_half_a_step_and_idempotent) {
    base::Random random(2, "half");
    for (int i = 0; i < 10'000; ++i) {
        const auto value = static_cast<float>(random.normal() * std::exp(4 * random.normal()));
        if (std::abs(value) > 65504.0f) continue;
        const float rounded = round_to_half(value);
        EXPECT_LE(std::abs(rounded - value), std::max(std::abs(value) * 0x1p-11f, 0x1p-25f));
        EXPECT_EQ(round_to_half(rounded), rounded);
    }
}

}  // namespace
}  // namespace hodo::om2vec
