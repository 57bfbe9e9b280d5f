#include "hodo/detector/optical/schema.hh"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <sqlite3.h>

#include "hodo/detector/optical/event_writer.hh"
#include "hodo/detector/optical/files.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/parquet.hh"
#include "support/reference.hh"

namespace hodo::optical {
namespace {

using io::ColumnType;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

io::Column doubles(std::string name, std::vector<double> values) {
    return {{std::move(name), ColumnType::f64, 0}, {}, std::move(values)};
}
io::Column integers(std::string name, std::vector<std::int64_t> values) {
    return {{std::move(name), ColumnType::i64, 0}, {}, std::move(values)};
}
io::Column double_lists(std::string name, std::vector<std::int64_t> offsets,
                        std::vector<double> values) {
    return {{std::move(name), ColumnType::f64, 1}, {std::move(offsets)}, std::move(values)};
}
io::Column integer_lists(std::string name, std::vector<std::int64_t> offsets,
                         std::vector<std::int64_t> values) {
    return {{std::move(name), ColumnType::i64, 1}, {std::move(offsets)}, std::move(values)};
}

void write_table(const base::Path& file, std::vector<io::Column> columns,
                 io::KeyValues metadata = {}) {
    std::vector<io::ColumnSpec> specs;
    for (const auto& column : columns) specs.push_back(column.spec);
    io::Chunk chunk;
    chunk.rows = columns.front().rows();
    chunk.columns = std::move(columns);
    io::ParquetWriter writer(file, specs, {std::move(metadata), "zstd"});
    if (chunk.rows > 0) writer.append(chunk);
    writer.finish();
}

/// Photon lists of three events with 2, 0 and 1 photons.
std::vector<io::Column> photon_columns(const std::string& prefix) {
    const std::vector<std::int64_t> offsets{0, 2, 2, 3};
    return {double_lists(prefix + "sensor_pos_x", offsets, {1.0, 2.0, 3.0}),
            double_lists(prefix + "sensor_pos_y", offsets, {4.0, 5.0, 6.0}),
            double_lists(prefix + "sensor_pos_z", offsets, {7.0, 8.0, 9.0}),
            integer_lists(prefix + "string_id", offsets, {11, 12, 13}),
            integer_lists(prefix + "sensor_id", offsets, {1, 2, 3}),
            double_lists(prefix + "t", offsets, {100.0, 90.0, 80.0})};
}

Particle particle(std::int64_t type, double energy, double zenith, double azimuth) {
    return {type, energy, zenith, azimuth, {1.0, 2.0, 3.0}, 0};
}

Events sample_events() {
    Events events;
    events.offsets = {0, 2, 2, 3};
    events.time = {100.5, 90.25, 80.125};
    events.x = {1.0, 2.0, 3.0};
    events.y = {4.0, 5.0, 6.0};
    events.z = {7.0, 8.0, 9.0};
    events.string = {11, 12, 13};
    events.sensor = {1, 2, 3};
    events.source = {1, 2, 1};
    for (int e = 0; e < 3; ++e) {
        Truth truth;
        truth.interaction = 1;
        truth.initial = particle(14, 1000.0 * (e + 1), 0.5, 1.5);
        truth.final_state = {particle(13, 700.0, 0.5, 1.5), particle(-2000001006, 300.0, 0.5, 1.5)};
        truth.bjorken_x = 0.1;
        truth.bjorken_y = 0.3;
        truth.column_depth = 12.5;
        events.truth.push_back(truth);
        events.file.push_back(0);
        events.row.push_back(e);
    }
    return events;
}

TEST(EventReader, reads_what_the_writer_wrote) {
    test::TemporaryFolder folder;
    const Events events = sample_events();
    write_events(folder / "a.parquet", events);
    const Events read = read_all_events({folder / "a.parquet"});
    EXPECT_EQ(read.offsets, events.offsets);
    EXPECT_EQ(read.time, events.time);
    EXPECT_EQ(read.x, events.x);
    EXPECT_EQ(read.y, events.y);
    EXPECT_EQ(read.z, events.z);
    EXPECT_EQ(read.string, events.string);
    EXPECT_EQ(read.sensor, events.sensor);
    EXPECT_EQ(read.source, events.source);
    EXPECT_THAT(read.weight, IsEmpty());
    EXPECT_EQ(read.row, events.row);
    ASSERT_EQ(read.truth.size(), 3U);
    EXPECT_EQ(read.truth[1].initial.energy, 2000.0);
    EXPECT_EQ(read.truth[1].initial.type, 14);
    ASSERT_EQ(read.truth[2].final_state.size(), 2U);
    EXPECT_EQ(read.truth[2].final_state[1].type, -2000001006);
    EXPECT_EQ(read.truth[2].column_depth, 12.5);
}

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

TEST(EventReader, looks_the_photon_column_up_in_the_metadata) {
    test::TemporaryFolder folder;
    WriteOptions options;
    options.photons = "light";
    write_events(folder / "a.parquet", sample_events(), options);
    EXPECT_EQ(read_all_events({folder / "a.parquet"}).photons(), 3);
}

TEST(EventReader, reads_the_photon_column_asked_for) {
    test::TemporaryFolder folder;
    auto columns = photon_columns("photons.");
    auto others = photon_columns("filtered.");
    std::get<std::vector<double>>(others[5].values) = {1.0, 2.0, 3.0};
    columns.insert(columns.end(), others.begin(), others.end());
    write_table(folder / "a.parquet", columns);
    EXPECT_THAT(read_all_events({folder / "a.parquet"}).time, ElementsAre(100.0, 90.0, 80.0));
    ReadOptions options;
    options.photons = "filtered";
    EXPECT_THAT(read_all_events({folder / "a.parquet"}, options).time, ElementsAre(1.0, 2.0, 3.0));
    options.photons = "fitlered";
    EXPECT_THAT(test::error_of([&] { read_all_events({folder / "a.parquet"}, options); }),
                HasSubstr("'fitlered'"));
}

TEST(EventReader, reads_a_file_without_photon_column_as_empty_events) {
    test::TemporaryFolder folder;
    write_table(folder / "dark.parquet",
                {doubles("mc_truth.initial_state_energy", {1, 2, 3, 4}),
                 integers("mc_truth.initial_state_type", {12, 12, 14, 14})});
    testing::internal::CaptureStderr();
    const Events events = read_all_events({folder / "dark.parquet"});
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_THAT(said, AllOf(HasSubstr("no photon column"), HasSubstr("dark.parquet"),
                            HasSubstr("4 events")));
    EXPECT_EQ(events.size(), 4);
    EXPECT_EQ(events.photons(), 0);
    EXPECT_EQ(events.truth.at(3).initial.type, 14);
    ReadOptions blind;
    blind.truth = TruthReading::no;
    EXPECT_EQ(read_all_events({folder / "dark.parquet"}, blind).size(), 4);
}

TEST(EventReader, reads_files_without_events) {
    test::TemporaryFolder folder;
    write_events(folder / "none.parquet", Events{});
    EventReader reader({folder / "none.parquet"});
    EXPECT_FALSE(reader.next());
    EXPECT_EQ(reader.event_count(), 0);
}

TEST(EventReader, reads_older_prometheus_files) {
    test::TemporaryFolder folder;
    auto columns = photon_columns("total.");
    columns[3].spec.name = "total.sensor_string_id";
    columns.push_back(doubles("mc_truth.injection_energy", {10, 20, 30}));
    columns.push_back(integers("mc_truth.injection_type", {14, 14, -14}));
    columns.push_back(integers("mc_truth.injection_interaction_type", {1, 2, 1}));
    columns.push_back(doubles("mc_truth.injection_zenith", {0.1, 0.2, 0.3}));
    columns.push_back(doubles("mc_truth.injection_azimuth", {1.0, 2.0, 3.0}));
    columns.push_back(doubles("mc_truth.injection_position_x", {5, 6, 7}));
    columns.push_back(doubles("mc_truth.injection_bjorkeny", {0.2, 0.4, 0.6}));
    columns.push_back(integers("mc_truth.primary_lepton_1_type", {13, 14, -13}));
    columns.push_back(doubles("mc_truth.primary_lepton_1_energy", {8, 12, 12}));
    columns.push_back(doubles("mc_truth.primary_lepton_1_direction_theta", {0.1, 0.2, 0.3}));
    columns.push_back(doubles("mc_truth.primary_lepton_1_direction_phi", {1.0, 2.0, 3.0}));
    columns.push_back(doubles("mc_truth.primary_hadron_1_energy", {2, 8, 18}));
    write_table(folder / "old.parquet", columns);
    EventReader reader({folder / "old.parquet"});
    EXPECT_EQ(reader.layout(), EventLayout::prometheus_total);
    const auto events = reader.next();
    ASSERT_TRUE(events);
    EXPECT_THAT(events->string, ElementsAre(11, 12, 13));
    EXPECT_EQ(events->truth[1].interaction, 2);
    EXPECT_EQ(events->truth[2].initial.position[0], 7.0);
    EXPECT_EQ(events->truth[2].bjorken_y, 0.6);
    ASSERT_EQ(events->truth[0].final_state.size(), 2U);
    EXPECT_EQ(events->truth[0].final_state[0].type, 13);
    EXPECT_EQ(events->truth[0].final_state[1].energy, 2.0);
}

std::vector<io::Column> flat_photons(std::vector<std::int64_t> event_no) {
    const auto count = event_no.size();
    std::vector<double> times;
    for (std::size_t i = 0; i < count; ++i) times.push_back(static_cast<double>(i));
    return {doubles("sensor_pos_x", std::vector<double>(count, 1.0)),
            doubles("sensor_pos_y", std::vector<double>(count, 2.0)),
            doubles("sensor_pos_z", std::vector<double>(count, 3.0)),
            integers("sensor_string_id", std::vector<std::int64_t>(count, 4)),
            integers("sensor_id", std::vector<std::int64_t>(count, 5)),
            doubles("t", times),
            integers("event_no", std::move(event_no))};
}

TEST(EventReader, reads_flat_tables_event_by_event) {
    test::TemporaryFolder folder;
    write_table(folder / "flat.parquet", flat_photons({3, 3, 5, 9, 9, 9}));
    EventReader reader({folder / "flat.parquet"});
    EXPECT_EQ(reader.layout(), EventLayout::flat_parquet);
    const auto events = reader.next();
    ASSERT_TRUE(events);
    EXPECT_THAT(events->offsets, ElementsAre(0, 2, 3, 6));
    EXPECT_THAT(events->row, ElementsAre(3, 5, 9));
    EXPECT_FALSE(reader.next());
}

TEST(EventReader, flat_tables_out_of_order_are_put_in_order) {
    test::TemporaryFolder folder;
    write_table(folder / "flat.parquet", flat_photons({7, 3, 7, 3, 3}));
    const Events events = read_all_events({folder / "flat.parquet"});
    EXPECT_THAT(events.offsets, ElementsAre(0, 3, 5));
    EXPECT_THAT(events.row, ElementsAre(3, 7));
}

TEST(EventReader, joins_a_truth_table_and_keeps_events_without_light) {
    test::TemporaryFolder folder;
    std::filesystem::create_directories(folder / "total");
    std::filesystem::create_directories(folder / "mc_truth");
    write_table(folder / "total/total_4.parquet", flat_photons({3, 3, 5}));
    write_table(folder / "mc_truth/mc_truth_4.parquet",
                {integers("event_no", {5, 2, 3, 8}), doubles("injection_energy", {50, 20, 30, 80}),
                 doubles("when", {0.5, 0.2, 0.3, 0.8})});
    ReadOptions options;
    options.trigger = "when";
    const Events events = read_all_events({folder / "total/total_4.parquet"}, options);
    EXPECT_THAT(events.row, ElementsAre(2, 3, 5, 8));
    EXPECT_THAT(events.offsets, ElementsAre(0, 0, 2, 3, 3));
    EXPECT_THAT(events.trigger, ElementsAre(0.2, 0.3, 0.5, 0.8));
    EXPECT_EQ(events.truth.at(2).initial.energy, 50.0);
    EXPECT_THAT(event_files(folder.path().string()), ElementsAre(folder / "total/total_4.parquet"));
}

void write_database(const base::Path& file, const std::string& statements) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, statements.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
}

constexpr const char* photon_table =
    " (event_no INTEGER, t REAL, sensor_pos_x REAL, sensor_pos_y REAL, sensor_pos_z REAL,"
    " sensor_string_id INTEGER, sensor_id INTEGER, charge REAL);";

TEST(EventReader, reads_sqlite_files_with_their_truth_table) {
    test::TemporaryFolder folder;
    write_database(folder / "events.db",
                   std::string("CREATE TABLE total") + photon_table +
                       "INSERT INTO total VALUES (4, 1.5, 1, 2, 3, 8, 9, 0.5),"
                       " (2, 2.5, 1, 2, 3, 8, 9, 0.25), (4, 3.5, 1, 2, 4, 8, 10, 0.75);"
                       "CREATE TABLE mc_truth (event_no INTEGER, injection_energy REAL,"
                       " injection_type INTEGER);"
                       "INSERT INTO mc_truth VALUES (4, 40.0, 14), (3, 30.0, 12), (2, 20.0, -14);");
    EventReader reader({folder / "events.db"});
    EXPECT_EQ(reader.layout(), EventLayout::flat_sqlite);
    EXPECT_EQ(reader.event_count(), std::nullopt);
    ReadOptions options;
    options.weight = "charge";
    const Events events = read_all_events({folder / "events.db"}, options);
    EXPECT_THAT(events.row, ElementsAre(2, 3, 4));
    EXPECT_THAT(events.offsets, ElementsAre(0, 1, 1, 3));
    EXPECT_THAT(events.time, ElementsAre(2.5, 1.5, 3.5));
    EXPECT_THAT(events.sensor, ElementsAre(9, 9, 10));
    EXPECT_THAT(events.weight, ElementsAre(0.25, 0.5, 0.75));
    EXPECT_EQ(events.truth.at(2).initial.energy, 40.0);
    EXPECT_EQ(events.truth.at(0).initial.type, -14);
}

TEST(EventReader, finds_the_photon_table_of_an_sqlite_file_or_says_what_is_there) {
    test::TemporaryFolder folder;
    write_database(folder / "one.db", std::string("CREATE TABLE hits") + photon_table);
    EXPECT_EQ(read_all_events({folder / "one.db"}).size(), 0);
    write_database(folder / "two.db", std::string("CREATE TABLE hits") + photon_table +
                                          "CREATE TABLE more" + photon_table);
    EXPECT_THAT(test::error_of([&] { read_all_events({folder / "two.db"}); }),
                AllOf(HasSubstr("hits"), HasSubstr("more")));
    ReadOptions options;
    options.photons = "mroe";
    EXPECT_THAT(test::error_of([&] { read_all_events({folder / "two.db"}, options); }),
                HasSubstr("did you mean 'more'"));
    write_database(folder / "none.db", "CREATE TABLE other (a INTEGER);");
    EXPECT_THAT(test::error_of([&] { read_all_events({folder / "none.db"}); }), HasSubstr("other"));
}

TEST(EventReader, says_when_photons_have_no_truth) {
    test::TemporaryFolder folder;
    write_table(folder / "flat.parquet", flat_photons({3, 4}));
    write_table(folder / "truth.parquet",
                {integers("event_no", {3}), doubles("injection_energy", {30})});
    ReadOptions options;
    options.truth_file = (folder / "truth.parquet").string();
    EXPECT_THAT(test::error_of([&] { read_all_events({folder / "flat.parquet"}, options); }),
                AllOf(HasSubstr("event 4"), HasSubstr("truth.parquet")));
}

TEST(EventReader, delivers_bounded_blocks_in_order_across_files) {
    test::TemporaryFolder folder;
    write_events(folder / "a.parquet", sample_events());
    write_events(folder / "b.parquet", sample_events());
    write_table(folder / "c.parquet", flat_photons({1, 1, 1, 2, 3, 3}));
    ReadOptions options;
    options.max_events = 2;
    options.max_photons = 2;
    const std::vector<base::Path> files{folder / "a.parquet", folder / "b.parquet",
                                        folder / "c.parquet"};
    const Events whole = [&] {
        ReadOptions blind;
        blind.truth = TruthReading::no;
        return read_all_events({files[0], files[1]}, blind);
    }();
    EXPECT_EQ(whole.size(), 6);
    EXPECT_THAT(whole.file, ElementsAre(0, 0, 0, 1, 1, 1));
    EventReader reader(files, options);
    std::vector<std::int64_t> sizes;
    std::vector<double> times;
    while (const auto block = reader.next()) {
        EXPECT_LE(block->size(), 2);
        EXPECT_TRUE(block->size() == 1 || block->photons() <= 2);
        for (const std::int64_t file : block->file) EXPECT_EQ(file, block->file.front());
        sizes.push_back(block->size());
        times.insert(times.end(), block->time.begin(), block->time.end());
    }
    EXPECT_THAT(sizes, ElementsAre(2, 1, 2, 1, 1, 1, 1));
    EXPECT_EQ(times.size(), 12U);
    EXPECT_EQ(times[3], 100.5);
}

TEST(EventReader, reads_weights_and_trigger_times) {
    test::TemporaryFolder folder;
    auto columns = photon_columns("photons.");
    columns.push_back(double_lists("photons.charge", {0, 2, 2, 3}, {0.5, 1.5, 2.5}));
    columns.push_back(doubles("trigger_time", {10, 20, 30}));
    write_table(folder / "a.parquet", columns);
    ReadOptions options;
    options.weight = "charge";
    options.trigger = "trigger_time";
    const Events events = read_all_events({folder / "a.parquet"}, options);
    EXPECT_THAT(events.weight, ElementsAre(0.5, 1.5, 2.5));
    EXPECT_THAT(events.trigger, ElementsAre(10, 20, 30));
    options.weight = "chrage";
    EXPECT_THAT(test::error_of([&] { read_all_events({folder / "a.parquet"}, options); }),
                HasSubstr("did you mean 'photons.charge'"));
}

std::string error_of_columns(const std::vector<io::Column>& columns, ReadOptions options = {}) {
    test::TemporaryFolder folder;
    write_table(folder / "broken.parquet", columns);
    return test::error_of([&] { read_all_events({folder / "broken.parquet"}, options); });
}

TEST(EventReader, names_file_event_column_and_value_of_broken_data) {
    auto columns = photon_columns("photons.");
    std::get<std::vector<double>>(columns[5].values)[2] = std::nan("");
    EXPECT_THAT(error_of_columns(columns), AllOf(HasSubstr("broken.parquet"), HasSubstr("event 2"),
                                                 HasSubstr("'photons.t'"), HasSubstr("nan")));

    columns = photon_columns("photons.");
    std::get<std::vector<double>>(columns[1].values)[0] = HUGE_VAL;
    EXPECT_THAT(error_of_columns(columns),
                AllOf(HasSubstr("event 0"), HasSubstr("sensor_pos_y"), HasSubstr("inf")));

    columns = photon_columns("photons.");
    columns[4] = integer_lists("photons.sensor_id", {0, 2, 3, 4}, {1, 2, 9, 3});
    EXPECT_THAT(error_of_columns(columns),
                AllOf(HasSubstr("event 1"), HasSubstr("'photons.sensor_id' has 1 values"),
                      HasSubstr("has 0")));

    columns = photon_columns("photons.");
    columns.push_back(double_lists("photons.charge", {0, 2, 2, 3}, {0.5, -1.5, 2.5}));
    ReadOptions options;
    options.weight = "charge";
    EXPECT_THAT(error_of_columns(columns, options),
                AllOf(HasSubstr("event 0"), HasSubstr("-1.5"), HasSubstr("weight")));
}

TEST(EventReader, names_missing_columns_and_what_is_there) {
    auto columns = photon_columns("photons.");
    columns.erase(columns.begin() + 2);
    EXPECT_THAT(error_of_columns(columns),
                AllOf(HasSubstr("'photons.sensor_pos_z' is missing"), HasSubstr("photons.t")));
    EXPECT_THAT(error_of_columns({doubles("energy", {1.0})}),
                AllOf(HasSubstr("neither photons"), HasSubstr("energy")));
}

TEST(EventReader, warns_once_when_directions_disagree) {
    test::TemporaryFolder folder;
    Events events = sample_events();
    for (Truth& truth : events.truth) truth.initial.azimuth += std::numbers::pi;
    write_events(folder / "old.parquet", events);
    testing::internal::CaptureStderr();
    const Events read = read_all_events({folder / "old.parquet"});
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    EXPECT_THAT(said, AllOf(HasSubstr("old.parquet"), HasSubstr("57 degrees")));
    const Point expected = travel_direction(0.5, 1.5);
    const Point found = neutrino_direction(read.truth[0], TruthDirection::final);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(found[k], expected[k], 1e-12);
}

TEST(EventReader, truncated_files_are_errors_not_crashes) {
    test::TemporaryFolder folder;
    write_events(folder / "whole.parquet", sample_events());
    const std::string bytes = io::read_text(folder / "whole.parquet");
    for (std::size_t size = 0; size < bytes.size(); size += 97) {
        io::write_text(folder / "cut.parquet", bytes.substr(0, size));
        EXPECT_THROW(read_all_events({folder / "cut.parquet"}), base::Error) << size;
    }
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
