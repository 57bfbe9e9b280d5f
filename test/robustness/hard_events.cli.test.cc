/// Events that are not as they should be, or larger than they usually are.

#include "hodo/detector/optical/event_writer.hh"
#include "hodo/detector/optical/prepared.hh"
#include "hodo/detector/optical/schema.hh"
#include "hodo/io/npz.hh"
#include "hodo/io/parquet.hh"
#include "robustness/program.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

namespace hodo::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* configuration = R"(workflow: om2vec
train:
  data:
    train: [events]
    valid_fraction: 0
    binning: {bins: 128, window: 6400, rule: floor}
  model: {bins: 128, latent: 4, embed: 8, heads: 2, feedforward: 16, tokens: [16, 8, 4]}
  feed: {batch_size: 256}
  plan: {epochs: 1}
)";

/// Adds a photon to the last event.
void add(optical::Events& events, double time, std::int64_t string, std::int64_t sensor) {
    events.time.push_back(time);
    events.x.push_back(100.0 * static_cast<double>(string % 10));
    events.y.push_back(100.0 * static_cast<double>(string / 10));
    events.z.push_back(-17.0 * static_cast<double>(sensor));
    events.string.push_back(string);
    events.sensor.push_back(sensor);
    events.offsets.back() = std::ssize(events.time);
}

void begin_event(optical::Events& events) {
    events.file.push_back(0);
    events.row.push_back(events.size());
    events.offsets.push_back(events.offsets.back());
}

/// Three small events, the second with `photons` on one module.
optical::Events bright(std::int64_t photons) {
    optical::Events events;
    for (int event = 0; event < 3; ++event) {
        begin_event(events);
        for (int module = 0; module < 10; ++module) add(events, 50.0 + 13.0 * module, 3, module);
        for (std::int64_t i = 0; event == 1 && i < photons; ++i) {
            add(events, 60.0 + 0.02 * static_cast<double>(i), 7, 20);
        }
    }
    return events;
}

/// One event with light on all modules of 86 strings of 60.
optical::Events everywhere() {
    optical::Events events;
    begin_event(events);
    for (std::int64_t string = 1; string <= 86; ++string) {
        for (std::int64_t sensor = 1; sensor <= 60; ++sensor) {
            for (int i = 0; i < 3; ++i) {
                add(events, static_cast<double>(string * 7 + sensor * 11 + i * 40), string, sensor);
            }
        }
    }
    return events;
}

class HardEvents : public testing::Test {
  protected:
    void SetUp() override {
        std::ofstream(folder / "small.yaml") << configuration;
        fs::create_directory(folder / "events");
    }
    void write(const optical::Events& events) {
        optical::write_events(folder / "events" / "events.parquet", events);
    }
    /// Runs a command that should end well within `megabytes`.
    void expect_within([[maybe_unused]] double megabytes, const std::string& command) {
        const auto outcome = run_hodo(folder.path(), command);
        EXPECT_EQ(outcome.code, 0) << command << "\n" << outcome.errors;
#ifndef HODO_MEMORY_IS_NOT_MEASURED
        EXPECT_LT(outcome.peak_megabytes, megabytes) << command;
#endif
        std::printf("%.0f MB in %.1f s: hodo %s\n", outcome.peak_megabytes, outcome.seconds,
                    command.c_str());
    }
    /// Runs a command that should say `sentence`, naming file and event, and write nothing.
    void expect_refused(const std::string& command, const std::string& sentence) {
        const auto outcome = run_hodo(folder.path(), command + " -q");
        EXPECT_EQ(outcome.code, 1) << command << "\n" << outcome.errors;
        for (const std::string& part :
             {sentence, std::string("events.parquet"), std::string("event 1")}) {
            EXPECT_NE(outcome.errors.find(part), std::string::npos) << outcome.errors;
        }
        EXPECT_EQ(outcome.errors.find("bug in"), std::string::npos) << outcome.errors;
        EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1)
            << outcome.errors;
        for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
            const auto name = entry.path().filename().string();
            EXPECT_TRUE(name == "events.parquet" || !name.ends_with(".parquet")) << entry.path();
            EXPECT_EQ(name.find(".part-"), std::string::npos) << entry.path();
        }
    }
    void expect_everything_within(double plain, double learning) {
        expect_within(plain, "om2vec prepare events prepared");
        expect_within(plain, "om2vec prepare events chunks --format om2vec");
        expect_within(plain, "om2vec summarize events summaries");
        expect_within(plain, "om2vec view events/events.parquet page.html");
        if (!can_learn()) return;
        expect_within(learning, "om2vec train small.yaml --output run");
        expect_within(learning, "om2vec apply --weights run events latents");
        expect_within(learning, "om2vec decode --weights run latents decoded");
        expect_within(learning, "om2vec decode --weights run --form distribution latents shapes");
    }
    TemporaryFolder folder;
};

TEST_F(HardEvents, a_module_with_300000_photons_keeps_them_all_in_bounded_memory) {
    write(bright(300'000));
    expect_everything_within(300, 600);
    const auto prepared = optical::PreparedSet(folder / "prepared").read(0);
    double most = 0;
    for (const double hits : prepared.counts.hits) most = std::max(most, hits);
    EXPECT_EQ(most, 300'000);
    if (!can_learn()) return;
    const auto decoded = optical::read_all_events({folder / "decoded" / "chunk_0.parquet"});
    EXPECT_EQ(decoded.photons(), 300'030);
}

TEST_F(HardEvents, an_event_with_every_module_hit_is_taken_whole_in_bounded_memory) {
    write(everywhere());
    expect_everything_within(500, 500);
    EXPECT_EQ(optical::PreparedSet(folder / "prepared").modules(), 5160);
    expect_within(200, "om2vec summarize events summaries.npz --latents-only");
    const auto arrays = io::read_npz(folder / "summaries.npz");
    EXPECT_EQ(arrays.back().array.shape.at(0), 5160);
}

TEST_F(HardEvents, numbers_that_are_not_finite_are_refused_with_file_and_event) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    struct Wrong {
        std::vector<double> optical::Events::*column;
        double value;
        const char* name;
    };
    for (const auto& wrong : {Wrong{&optical::Events::time, nan, "photons.t"},
                              Wrong{&optical::Events::time, -infinity, "photons.t"},
                              Wrong{&optical::Events::y, nan, "photons.sensor_pos_y"}}) {
        auto events = bright(5);
        (events.*wrong.column)[17] = wrong.value;
        write(events);
        expect_refused("om2vec prepare events prepared", wrong.name);
        fs::remove_all(folder / "prepared");
        expect_refused("om2vec summarize events summaries", wrong.name);
        fs::remove_all(folder / "summaries");
        expect_refused("om2vec view events/events.parquet page.html", wrong.name);
    }
}

TEST_F(HardEvents, weights_that_are_not_finite_or_negative_are_refused) {
    for (const double value : {std::nan(""), -1.0, std::numeric_limits<double>::infinity()}) {
        auto events = bright(5);
        events.weight.assign(events.time.size(), 1.0);
        events.weight[17] = value;
        write(events);
        expect_refused("om2vec prepare events prepared --read.weight charge", "photons.charge");
        fs::remove_all(folder / "prepared");
    }
}

TEST_F(HardEvents, training_and_encoding_refuse_a_time_that_is_not_a_number) {
    if (!can_learn()) GTEST_SKIP() << "this build has no half with LibTorch";
    write(bright(5));
    ASSERT_EQ(run_hodo(folder.path(), "om2vec train small.yaml --output run -q").code, 0);
    auto events = bright(5);
    events.time[17] = std::nan("");
    write(events);
    expect_refused("om2vec train small.yaml --output other", "photons.t");
    expect_refused("om2vec apply --weights run events latents", "photons.t");
}

TEST_F(HardEvents, decoding_refuses_a_latent_that_is_not_a_number) {
    if (!can_learn()) GTEST_SKIP() << "this build has no half with LibTorch";
    write(bright(5));
    ASSERT_EQ(run_hodo(folder.path(), "om2vec train small.yaml --output run -q").code, 0);
    using Numbers = std::vector<std::int64_t>;
    const auto write_latents = [&](float last) {
        const io::ColumnSpec event{"event", io::ColumnType::i64, 0};
        const io::ColumnSpec string{"string_id", io::ColumnType::i64, 0};
        const io::ColumnSpec sensor{"sensor_id", io::ColumnType::i64, 0};
        const io::ColumnSpec latent{"latent", io::ColumnType::f32, 1};
        io::ParquetWriter writer(folder / "events" / "events.parquet",
                                 {event, string, sensor, latent}, {});
        io::Chunk chunk;
        chunk.rows = 2;
        chunk.columns = {{event, {}, Numbers{0, 1}},
                         {string, {}, Numbers{3, 3}},
                         {sensor, {}, Numbers{4, 5}},
                         {latent,
                          {{0, 4, 8}},
                          std::vector<float>{0.5F, 0.25F, 0.0F, 1.0F, 0.5F, 0.25F, 0.0F, last}}};
        writer.append(chunk);
        writer.finish();
    };
    write_latents(1.0F);
    const std::string decode = "om2vec decode --weights run --photons 5 events ";
    EXPECT_EQ(run_hodo(folder.path(), decode + "fine -q").code, 0);
    fs::remove_all(folder / "fine");
    for (const float value : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
        write_latents(value);
        expect_refused(decode + "decoded", "latent 3 of module");
        fs::remove_all(folder / "decoded");
    }
}

}  // namespace
}  // namespace hodo::test
