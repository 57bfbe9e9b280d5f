#include "hodo/detector/optical/flat_writer.hh"

#include <gmock/gmock.h>

#include "hodo/detector/optical/schema.hh"
#include "hodo/detector/optical/simulate.hh"
#include "support/reference.hh"

namespace hodo::optical {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Events simulated(std::int64_t count) {
    SimulationOptions options;
    options.geometry = GeometryChoice::toy;
    options.energy_max = 1e4;
    return EventSimulator(options).simulate(0, count);
}

TEST(FlatEventWriter, events_are_read_back_with_their_truth) {
    test::TemporaryFolder folder;
    const Events events = simulated(25);
    FlatEventWriter writer(folder.path(), {.first_event = 100, .events_per_file = 10});
    writer.append(events);
    const auto files = writer.finish();
    EXPECT_THAT(files,
                ElementsAre(folder / "total/total_0.parquet", folder / "total/total_1.parquet",
                            folder / "total/total_2.parquet"));
    const Events read = read_all_events(files);
    EXPECT_EQ(read.offsets, events.offsets);
    EXPECT_EQ(read.time, events.time);
    EXPECT_EQ(read.string, events.string);
    EXPECT_EQ(read.z, events.z);
    EXPECT_EQ(read.row.front(), 100);
    EXPECT_EQ(read.row.back(), 124);
    ASSERT_EQ(read.truth.size(), events.truth.size());
    for (std::size_t e = 0; e < read.truth.size(); ++e) {
        const Truth &found = read.truth[e], &truth = events.truth[e];
        EXPECT_EQ(found.interaction, truth.interaction);
        EXPECT_EQ(found.initial.energy, truth.initial.energy);
        EXPECT_EQ(found.initial.position, truth.initial.position);
        ASSERT_EQ(found.final_state.size(), 2U);
        for (std::size_t k = 0; k < 2; ++k) {
            EXPECT_EQ(found.final_state[k].type, truth.final_state[k].type);
            EXPECT_EQ(found.final_state[k].energy, truth.final_state[k].energy);
            EXPECT_EQ(found.final_state[k].zenith, truth.final_state[k].zenith);
        }
    }
}

TEST(FlatEventWriter, weights_become_charges) {
    test::TemporaryFolder folder;
    Events events = simulated(8);
    events.weight.assign(events.time.size(), 0.25);
    FlatEventWriter writer(folder.path());
    writer.append(events);
    ReadOptions options;
    options.weight = "charge";
    EXPECT_EQ(read_all_events(writer.finish(), options).weight, events.weight);
}

TEST(FlatEventWriter, without_events_writes_tables_without_rows) {
    test::TemporaryFolder folder;
    FlatEventWriter writer(folder.path());
    EXPECT_THAT(read_all_events(writer.finish()).time, IsEmpty());
}

TEST(FlatEventWriter, several_hadrons_become_one) {
    test::TemporaryFolder folder;
    Events events = simulated(1);
    events.truth[0].final_state = {
        {211, 3.0, 0.1, 0.2, {}, 0}, {-13, 10.0, 0.5, 0.6, {}, 0}, {2212, 4.0, 0.3, 0.4, {}, 0}};
    FlatEventWriter writer(folder.path());
    writer.append(events);
    const Events read = read_all_events(writer.finish());
    ASSERT_EQ(read.truth.at(0).final_state.size(), 2U);
    EXPECT_EQ(read.truth[0].final_state[0].type, -13);
    EXPECT_EQ(read.truth[0].final_state[1].type, 2212);
    EXPECT_EQ(read.truth[0].final_state[1].energy, 7.0);
    EXPECT_EQ(read.truth[0].final_state[1].zenith, 0.3);
}

}  // namespace
}  // namespace hodo::optical
