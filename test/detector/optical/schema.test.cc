#include "hodo/detector/optical/schema.hh"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <gmock/gmock.h>

#include "detector/optical/tables.hh"
#include "hodo/detector/optical/event_writer.hh"
#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

namespace hodo::optical {
namespace {

using test_tables::double_lists;
using test_tables::doubles;
using test_tables::flat_photons;
using test_tables::integer_lists;
using test_tables::integers;
using test_tables::photon_columns;
using test_tables::sample_events;
using test_tables::write_table;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

TEST(EventReader, joins_files_of_different_columns_by_those_they_share) {
    test::TemporaryFolder folder;
    write_events(folder / "full.parquet", sample_events());
    write_table(folder / "bare.parquet", photon_columns("photons."));
    for (const bool full_first : {true, false}) {
        std::vector<base::Path> files{folder / "full.parquet", folder / "bare.parquet"};
        if (!full_first) std::swap(files[0], files[1]);
        const Events events = read_all_events(files);
        EXPECT_EQ(events.photons(), 6);
        EXPECT_THAT(events.source, IsEmpty());
        EXPECT_THAT(events.truth, IsEmpty());
    }
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

}  // namespace
}  // namespace hodo::optical
