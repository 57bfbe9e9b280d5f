#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

#include <gmock/gmock.h>

#include "hodo/detector/optical/binning.hh"
#include "hodo/detector/optical/schema.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/json.hh"
#include "hodo/io/npz.hh"
#include "support/reference.hh"

namespace hodo::optical {
namespace {

using Entry = std::tuple<std::int64_t, std::int64_t, double>;  ///< module, bin, count

Binning binning_of(std::int64_t bins, double window, BinningRule rule) {
    Binning binning;
    binning.bins = bins;
    binning.window = window;
    binning.rule = rule;
    return binning;
}

std::vector<Entry> entries_of(const ModuleCounts& counts) {
    std::vector<Entry> entries;
    for (std::int64_t m = 0; m < counts.size(); ++m) {
        const auto bins = counts.bins_of(m);
        const auto values = counts.counts_of(m);
        for (std::size_t i = 0; i < bins.size(); ++i) entries.emplace_back(m, bins[i], values[i]);
    }
    return entries;
}

std::vector<Entry> entries_of(const io::NamedArrays& arrays, const std::string& prefix,
                              const std::string& origin) {
    const auto get = [&](const char* name) {
        return io::find(arrays, prefix + name, origin).integers();
    };
    const auto rows = get("row"), bins = get("bin"), counts = get("count");
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        entries.emplace_back(rows[i], bins[i], static_cast<double>(counts[i]));
    }
    return entries;
}

/// "bins_example_6400_6400.npz" of events "example": bins 6400, window 6400.
struct Geometry {
    std::int64_t bins = 0;
    double window = 0;
};
std::optional<Geometry> geometry_of(const std::string& text) {
    const auto parts = base::split(text, '_');
    if (parts.size() != 2) return std::nullopt;
    const auto bins = base::parse_int(parts[0]);
    const auto window = base::parse_double(parts[1]);
    if (!bins || !window) return std::nullopt;
    return Geometry{*bins, *window};
}

/// Every event file `<name>_photons.parquet` and its name.
std::vector<std::pair<std::string, base::Path>> event_samples() {
    std::vector<std::pair<std::string, base::Path>> samples;
    constexpr std::string_view suffix = "_photons.parquet";
    for (const auto& file : test::reference_files("om2vec", "*_photons.parquet")) {
        const auto name = file.filename().string();
        samples.emplace_back(name.substr(0, name.size() - suffix.size()), file);
    }
    return samples;
}

void print_case(const base::Path& file) {
    std::printf("case: %s\n", file.filename().c_str());
}

TEST(BinningGolden, equals_the_original_bit_for_bit) {
    int cases = 0;
    for (const auto& [name, events_file] : event_samples()) {
        const Events events = read_all_events({events_file});
        for (const auto& file : test::reference_files("om2vec", "bins_" + name + "_*.npz")) {
            const std::string stem = file.stem().string();
            const auto geometry = geometry_of(stem.substr(6 + name.size()));
            if (!geometry) continue;
            print_case(file);
            ++cases;
            const auto arrays = io::read_npz(file);
            const bool one_ns = static_cast<double>(geometry->bins) == geometry->window;
            const auto rule = one_ns ? BinningRule::om2vec : BinningRule::om2vec_literal;
            const auto counts =
                bin_photons(events, binning_of(geometry->bins, geometry->window, rule),
                            ModuleOrder::first_appearance);
            const auto expected_events = io::find(arrays, "event", stem).integers();
            const auto positions = io::find(arrays, "pos", stem).doubles();
            ASSERT_EQ(counts.size(), io::find(arrays, "n_modules", stem).integers().at(0));
            EXPECT_EQ(counts.event, expected_events);
            for (std::size_t m = 0; m < counts.id.size(); ++m) {
                const double* pos = &positions[5 * m];
                ASSERT_EQ(counts.position[m], (Point{pos[0], pos[1], pos[2]})) << "module " << m;
                ASSERT_EQ(static_cast<double>(counts.id[m].string), pos[3]) << "module " << m;
                ASSERT_EQ(static_cast<double>(counts.id[m].sensor), pos[4]) << "module " << m;
            }
            EXPECT_TRUE(entries_of(counts) == entries_of(arrays, "", stem));
        }
    }
    if (cases == 0)
        GTEST_SKIP() << "no bins_<name>_<bins>_<time>.npz beside <name>_photons.parquet";
}

TEST(BinningGolden, literal_rule_reproduces_every_other_geometry_with_its_losses) {
    int cases = 0;
    for (const auto& [name, events_file] : event_samples()) {
        const Events events = read_all_events({events_file});
        for (const auto& file :
             test::reference_files("om2vec", "bins_" + name + "_quirk_geometries.npz")) {
            const auto arrays = io::read_npz(file);
            const std::string origin = file.string();
            const auto event_of = io::find(arrays, "event", origin).integers();
            for (const auto& [array_name, array] : arrays) {
                if (!array_name.ends_with("/row")) continue;
                const std::string prefix = array_name.substr(0, array_name.size() - 3);
                const auto geometry = geometry_of(prefix.substr(0, prefix.size() - 1));
                ASSERT_TRUE(geometry) << prefix;
                std::printf("case: %s %s\n", file.filename().c_str(), prefix.c_str());
                ++cases;
                const auto counts = bin_photons(
                    events,
                    binning_of(geometry->bins, geometry->window, BinningRule::om2vec_literal),
                    ModuleOrder::first_appearance);
                EXPECT_EQ(counts.event, event_of);
                // The file holds the histograms of some events only.
                const auto expected = entries_of(arrays, prefix, origin);
                std::vector<bool> kept_events(static_cast<std::size_t>(events.size()), false);
                for (const auto& [row, bin, count] : expected) {
                    kept_events[static_cast<std::size_t>(event_of[static_cast<std::size_t>(row)])] =
                        true;
                }
                std::vector<Entry> found;
                for (const Entry& entry : entries_of(counts)) {
                    const auto event = event_of[static_cast<std::size_t>(std::get<0>(entry))];
                    if (kept_events[static_cast<std::size_t>(event)]) found.push_back(entry);
                }
                EXPECT_TRUE(found == expected);
                double total = 0;
                for (const float count : counts.count) total += static_cast<double>(count);
                EXPECT_EQ(static_cast<std::int64_t>(total),
                          io::find(arrays, prefix + "photons_total", origin).integers().at(0));
                auto used = counts.bin;
                std::sort(used.begin(), used.end());
                used.erase(std::unique(used.begin(), used.end()), used.end());
                EXPECT_EQ(static_cast<std::int64_t>(used.size()),
                          io::find(arrays, prefix + "bins_used", origin).integers().at(0));
            }
        }
    }
    if (cases == 0) GTEST_SKIP() << "no bins_<name>_quirk_geometries.npz";
}

Events events_of_case(const io::Json& content) {
    const auto& strings = content.at("string_id").items();
    const auto& sensors = content.at("sensor_id").items();
    const auto& times = content.at("t").items();
    EXPECT_EQ(content.at("sensor_pos_rule").text(), "x=10*string, y=-5*string, z=-sensor");
    Events events;
    for (std::size_t i = 0; i < times.size(); ++i) {
        events.string.push_back(strings[i].integer());
        events.sensor.push_back(sensors[i].integer());
        events.time.push_back(times[i].number());
        events.x.push_back(10.0 * strings[i].number());
        events.y.push_back(-5.0 * strings[i].number());
        events.z.push_back(-sensors[i].number());
    }
    events.offsets.push_back(static_cast<std::int64_t>(times.size()));
    return events;
}

TEST(BinningGolden, edge_cases_fall_where_the_original_puts_them) {
    const auto files = test::reference_files("om2vec", "edge_binning*.json");
    HODO_REQUIRE_REFERENCE(files, "om2vec/edge_binning*.json");
    for (const auto& file : files) {
        const auto cases = io::Json::parse(io::read_text(file), file.string());
        for (const auto& [name, content] : cases.members()) {
            std::printf("case: %s %s\n", file.filename().c_str(), name.c_str());
            const auto events = events_of_case(content);
            for (const auto rule : {BinningRule::om2vec, BinningRule::om2vec_literal}) {
                const auto counts = bin_photons(events, binning_of(6400, 6400, rule),
                                                ModuleOrder::first_appearance);
                const auto& modules = content.at("modules").items();
                ASSERT_EQ(counts.size(), static_cast<std::int64_t>(modules.size())) << name;
                for (std::size_t m = 0; m < modules.size(); ++m) {
                    const auto& pos = modules[m].at("pos").items();
                    for (std::size_t k = 0; k < 3; ++k) {
                        EXPECT_EQ(counts.position[m][k], pos[k].number()) << name;
                    }
                    EXPECT_EQ(static_cast<double>(counts.id[m].string), pos[3].number()) << name;
                    EXPECT_EQ(static_cast<double>(counts.id[m].sensor), pos[4].number()) << name;
                    std::vector<std::int32_t> bins;
                    std::vector<float> values;
                    for (const auto& bin : modules[m].at("bins").items()) {
                        bins.push_back(static_cast<std::int32_t>(bin.integer()));
                    }
                    for (const auto& count : modules[m].at("counts").items()) {
                        values.push_back(static_cast<float>(count.number()));
                    }
                    const auto module = static_cast<std::int64_t>(m);
                    EXPECT_THAT(counts.bins_of(module), testing::ElementsAreArray(bins)) << name;
                    EXPECT_THAT(counts.counts_of(module), testing::ElementsAreArray(values))
                        << name;
                }
            }
        }
    }
}

TEST(EventsGolden, arrays_of_the_event_files_agree_with_the_binned_modules) {
    int cases = 0;
    for (const auto& [name, events_file] : event_samples()) {
        const auto bins = test::reference_files("om2vec", "bins_" + name + "_quirk_geometries.npz");
        if (bins.empty()) continue;
        print_case(events_file);
        ++cases;
        const auto arrays = io::read_npz(bins.front());
        const auto event_of = io::find(arrays, "event", "bins").integers();
        const auto strings = io::find(arrays, "string_id", "bins").integers();
        const auto sensors = io::find(arrays, "sensor_id", "bins").integers();
        const Events events = read_all_events({events_file});
        PhotonGrouper grouper;
        std::size_t m = 0;
        for (std::int64_t e = 0; e < events.size(); ++e) {
            grouper.group(events, e, ModuleOrder::first_appearance);
            for (const auto& module : grouper.modules()) {
                ASSERT_LT(m, event_of.size());
                EXPECT_EQ(event_of[m], e);
                EXPECT_EQ(module.id, (ModuleId{strings[m], sensors[m]}));
                ++m;
            }
        }
        EXPECT_EQ(m, event_of.size());
    }
    if (cases == 0) GTEST_SKIP() << "no bins_<name>_quirk_geometries.npz";
}

}  // namespace
}  // namespace hodo::optical
