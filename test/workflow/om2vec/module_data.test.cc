/// Modules from any kind of file, and files that change while they are in use.

#include "hodo/workflow/om2vec/module_data.hh"

#include "hodo/detector/optical/event_writer.hh"
#include "hodo/detector/optical/prepared.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

namespace hodo::om2vec {
namespace {

/// `count` events with three modules of two photons each.
optical::Events small_events(std::int64_t count) {
    optical::Events events;
    for (std::int64_t event = 0; event < count; ++event) {
        for (std::int64_t photon = 0; photon < 6; ++photon) {
            events.time.push_back(static_cast<double>(10 * event + 100 * photon));
            events.x.push_back(1), events.y.push_back(2), events.z.push_back(3);
            events.string.push_back(photon / 2), events.sensor.push_back(event);
        }
        events.offsets.push_back(std::ssize(events.time));
        events.file.push_back(0), events.row.push_back(event);
    }
    return events;
}

class ModuleDataTest : public testing::Test {
  protected:
    void SetUp() override {
        request.binning.bins = 16;
        write_prepared(5);
        request.inputs = {folder.path().string()};
    }
    void write_prepared(std::int64_t events) {
        const auto all = small_events(events);
        optical::PreparedWriter writer(folder.path(), {.binning = request.binning});
        writer.append(optical::prepared_modules(
            bin_photons(all, request.binning, optical::ModuleOrder::first_appearance), all));
        writer.finish();
    }
    test::TemporaryFolder folder;
    DataRequest request;
};

TEST_F(ModuleDataTest, prepared_files_and_events_give_the_same_modules) {
    const ModuleData prepared(request);
    auto other = request;
    const auto file = folder / "events";
    optical::write_events(file / "a.parquet", small_events(5));
    other.inputs = {file.string()};
    const ModuleData events(other);
    ASSERT_EQ(prepared.size(), 15);
    ASSERT_EQ(events.size(), 15);
    const std::vector<ModuleIndex> some{{0, 0}, {0, 7}, {0, 14}};
    EXPECT_EQ(prepared.load(some).bin, events.load(some).bin);
    EXPECT_EQ(prepared.load(some).count, events.load(some).count);
}

TEST_F(ModuleDataTest, a_file_that_vanishes_before_it_is_needed_is_named) {
    const ModuleData data(request);
    std::filesystem::remove(folder / "modules-00000.parquet");
    const std::vector<ModuleIndex> some{{0, 0}};
    const auto message = test::error_of([&] { data.load(some); });
    EXPECT_NE(message.find("modules-00000.parquet"), std::string::npos) << message;
}

TEST_F(ModuleDataTest, a_file_that_shrinks_before_it_is_needed_is_named) {
    const ModuleData data(request);
    write_prepared(2);
    const std::vector<ModuleIndex> some{{0, 14}};
    const auto message = test::error_of([&] { data.load(some); });
    EXPECT_NE(message.find("has only 6 modules now"), std::string::npos) << message;
}

TEST_F(ModuleDataTest, held_out_and_training_modules_are_all_and_share_no_event) {
    request.held_out = 0.5;
    request.part = Part::training;
    const ModuleData training(request);
    request.part = Part::held_out;
    const ModuleData held_out(request);
    EXPECT_EQ(training.size() + held_out.size(), 15);
    EXPECT_EQ(training.size() % 3, 0);
}

}  // namespace
}  // namespace hodo::om2vec
