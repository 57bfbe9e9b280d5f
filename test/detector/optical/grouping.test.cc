#include "hodo/detector/optical/grouping.hh"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>

#include "hodo/base/error.hh"
#include "hodo/base/random.hh"

namespace hodo::optical {
namespace {

void add_event(Events& events, const std::vector<ModuleId>& modules) {
    for (const ModuleId id : modules) {
        events.string.push_back(id.string);
        events.sensor.push_back(id.sensor);
        events.time.push_back(static_cast<double>(events.time.size()));
        events.x.push_back(static_cast<double>(id.string));
        events.y.push_back(0);
        events.z.push_back(-static_cast<double>(id.sensor));
    }
    events.offsets.push_back(static_cast<std::int64_t>(events.time.size()));
}

TEST(PhotonGrouper, agrees_with_a_map_for_random_events) {
    base::Random random(1, "grouping");
    Events events;
    for (int e = 0; e < 40; ++e) {
        std::vector<ModuleId> modules(random.below(3000));
        for (ModuleId& id : modules) {
            id = {static_cast<std::int64_t>(random.below(90)) - 3,
                  static_cast<std::int64_t>(random.below(1 + random.below(60)))};
        }
        add_event(events, modules);
    }
    PhotonGrouper grouper;
    for (std::int64_t e = 0; e < events.size(); ++e) {
        std::map<ModuleId, std::vector<std::int64_t>> expected;
        for (auto p = events.offsets[static_cast<std::size_t>(e)];
             p < events.offsets[static_cast<std::size_t>(e) + 1]; ++p) {
            expected[events.module(p)].push_back(p);
        }
        grouper.group(events, e, ModuleOrder::ascending);
        ASSERT_EQ(grouper.modules().size(), expected.size());
        auto next = expected.begin();
        for (const auto& module : grouper.modules()) {
            EXPECT_EQ(module.id, next->first);
            EXPECT_THAT(grouper.photons(module), testing::ElementsAreArray(next->second));
            ++next;
        }
        grouper.group(events, e, ModuleOrder::first_appearance);
        std::int64_t last = -1;
        for (const auto& module : grouper.modules()) {
            EXPECT_GT(grouper.photons(module).front(), last);
            last = grouper.photons(module).front();
            EXPECT_THAT(grouper.photons(module), testing::ElementsAreArray(expected[module.id]));
        }
        EXPECT_EQ(grouper.modules().size(), expected.size());
    }
}

TEST(PhotonGrouper, keeps_thousands_of_modules_apart) {
    Events events;
    std::vector<ModuleId> modules;
    for (int pass = 0; pass < 3; ++pass) {
        for (std::int64_t m = 0; m < 5000; ++m) modules.push_back({m / 60, m % 60});
    }
    add_event(events, modules);
    PhotonGrouper grouper;
    grouper.group(events, 0, ModuleOrder::first_appearance);
    ASSERT_EQ(grouper.modules().size(), 5000U);
    for (std::int64_t m = 0; m < 5000; ++m) {
        const auto& module = grouper.modules()[static_cast<std::size_t>(m)];
        EXPECT_EQ(module.id, (ModuleId{m / 60, m % 60}));
        EXPECT_THAT(grouper.photons(module), testing::ElementsAre(m, m + 5000, m + 10000));
    }
}

TEST(PhotonGrouper, tells_positions_apart_but_not_signs_of_zero) {
    Events events;
    add_event(events, {{1, 1}, {1, 1}, {1, 1}});
    events.y = {0.0, -0.0, 1e-9};
    PhotonGrouper grouper;
    grouper.group(events, 0, ModuleOrder::ascending);
    ASSERT_EQ(grouper.modules().size(), 2U);
    EXPECT_EQ(grouper.modules()[0].size(), 2);
}

TEST(PhotonGrouper, forgets_the_event_before) {
    Events events;
    add_event(events, {{1, 1}, {2, 1}});
    add_event(events, {});
    add_event(events, {{2, 1}});
    PhotonGrouper grouper;
    grouper.group(events, 0, ModuleOrder::ascending);
    grouper.group(events, 1, ModuleOrder::ascending);
    EXPECT_TRUE(grouper.modules().empty());
    grouper.group(events, 2, ModuleOrder::ascending);
    ASSERT_EQ(grouper.modules().size(), 1U);
    EXPECT_EQ(grouper.photons(grouper.modules()[0]).front(), 2);
    EXPECT_THROW(grouper.group(events, 3, ModuleOrder::ascending), base::Defect);
}

}  // namespace
}  // namespace hodo::optical
