#include "hodo/detector/optical/schema.hh"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include "detector/optical/tables.hh"
#include "hodo/detector/optical/files.hh"
#include "support/reference.hh"

namespace hodo::optical {
namespace {

using test_tables::doubles;
using test_tables::flat_photons;
using test_tables::integers;
using test_tables::write_table;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(FlatTables, reads_flat_tables_event_by_event) {
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

TEST(FlatTables, flat_tables_out_of_order_are_put_in_order) {
    test::TemporaryFolder folder;
    write_table(folder / "flat.parquet", flat_photons({7, 3, 7, 3, 3}));
    const Events events = read_all_events({folder / "flat.parquet"});
    EXPECT_THAT(events.offsets, ElementsAre(0, 3, 5));
    EXPECT_THAT(events.row, ElementsAre(3, 7));
}

TEST(FlatTables, joins_a_truth_table_and_keeps_events_without_light) {
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

TEST(FlatTables, reads_sqlite_files_with_their_truth_table) {
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

TEST(FlatTables, finds_the_photon_table_of_an_sqlite_file_or_says_what_is_there) {
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

TEST(FlatTables, says_when_photons_have_no_truth) {
    test::TemporaryFolder folder;
    write_table(folder / "flat.parquet", flat_photons({3, 4}));
    write_table(folder / "truth.parquet",
                {integers("event_no", {3}), doubles("injection_energy", {30})});
    ReadOptions options;
    options.truth_file = (folder / "truth.parquet").string();
    EXPECT_THAT(test::error_of([&] { read_all_events({folder / "flat.parquet"}, options); }),
                AllOf(HasSubstr("event 4"), HasSubstr("truth.parquet")));
}

}  // namespace
}  // namespace hodo::optical
