#include "hodo/detector/optical/event_writer.hh"

#include <gmock/gmock.h>

#include "detector/optical/tables.hh"
#include "hodo/detector/optical/schema.hh"
#include "support/reference.hh"

namespace hodo::optical {
namespace {

using io::ColumnType;
using test_tables::sample_events;

TEST(EventWriter, writes_names_and_types_of_current_prometheus) {
    test::TemporaryFolder folder;
    WriteOptions options;
    options.config["run"]["run number"] = 7;
    write_events(folder / "a.parquet", sample_events(), options);
    const auto schema = io::parquet_schema(folder / "a.parquet");
    const auto type_of = [&](const std::string& name) -> std::pair<ColumnType, int> {
        for (const auto& column : schema.columns) {
            if (column.name == name) return {column.type, column.list_levels};
        }
        ADD_FAILURE() << name << " is missing";
        return {};
    };
    for (const char* name : {"interaction", "initial_state_type"}) {
        EXPECT_EQ(type_of(std::string("mc_truth.") + name), std::pair(ColumnType::i64, 0)) << name;
    }
    for (const char* name : {"initial_state_energy", "initial_state_zenith",
                             "initial_state_azimuth", "initial_state_x", "initial_state_y",
                             "initial_state_z", "bjorken_x", "bjorken_y", "column_depth"}) {
        EXPECT_EQ(type_of(std::string("mc_truth.") + name), std::pair(ColumnType::f64, 0)) << name;
    }
    for (const char* name : {"energy", "type", "zenith", "azimuth", "x", "y", "z", "parent"}) {
        EXPECT_EQ(type_of(std::string("mc_truth.final_state_") + name),
                  std::pair(ColumnType::f64, 1))
            << name;
    }
    for (const char* name : {"string_id", "sensor_id", "id_idx"}) {
        EXPECT_EQ(type_of(std::string("photons.") + name), std::pair(ColumnType::i64, 1)) << name;
    }
    for (const char* name : {"sensor_pos_x", "sensor_pos_y", "sensor_pos_z", "t"}) {
        EXPECT_EQ(type_of(std::string("photons.") + name), std::pair(ColumnType::f64, 1)) << name;
    }
    EXPECT_EQ(schema.columns.size(), 26U);
    EventReader reader({folder / "a.parquet"});
    EXPECT_EQ(reader.metadata().at("run").at("run number").integer(), 7);
    EXPECT_EQ(reader.metadata().at("photon propagator").at("photon field name").text(), "photons");
    EXPECT_EQ(reader.layout(), EventLayout::prometheus);
    EXPECT_EQ(reader.event_count(), 3);
}

TEST(EventWriter, shards_keep_all_events_in_order) {
    test::TemporaryFolder folder;
    WriteOptions options;
    options.max_rows = 4;
    EventWriter writer(folder.path(), "events", options);
    for (int i = 0; i < 3; ++i) writer.append(sample_events());
    const auto files = writer.finish();
    EXPECT_GE(files.size(), 2U);
    const Events events = read_all_events(files);
    EXPECT_EQ(events.size(), 9);
    EXPECT_EQ(events.photons(), 9);
    EXPECT_EQ(events.truth.at(4).initial.energy, 2000.0);
}

TEST(EventWriter, writes_weights_when_events_have_them) {
    test::TemporaryFolder folder;
    Events events = sample_events();
    events.weight = {1.5, 2.5, 3.5};
    write_events(folder / "a.parquet", events);
    ReadOptions options;
    options.weight = "charge";
    EXPECT_EQ(read_all_events({folder / "a.parquet"}, options).weight, events.weight);
}

}  // namespace
}  // namespace hodo::optical
