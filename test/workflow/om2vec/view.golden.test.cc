#include <cmath>
#include <iostream>

#include "hodo/detector/optical/schema.hh"
#include "hodo/workflow/om2vec/event_picture.hh"
#include "hodo/workflow/om2vec/verbs.hh"
#include "support/reference.hh"

namespace hodo::om2vec {

TEST(ViewOfRealEvents, holds_every_photon_and_module) {
    const auto files = test::reference_files("om2vec", "*photons*.parquet");
    HODO_REQUIRE_REFERENCE(files, "om2vec/*photons*.parquet");
    for (const auto& file : files) {
        std::cout << file << "\n";
        EXPECT_TRUE(recognises_events(file));
        const auto events = optical::read_all_events({file});
        EventPicture picture("test", 10'000);
        for (std::int64_t event = 0; event < events.size(); ++event) {
            picture.add_modules(events, event);
        }
        const auto known = picture.display().modules.size();
        std::int64_t photons = 0;
        for (std::int64_t event = 0; event < events.size(); ++event) {
            picture.add_event(events, event, event);
            const auto& scene = picture.display().events.back();
            EXPECT_LE(scene.hits.size(), 10'000U);
            for (const auto& hit : scene.hits) photons += std::llround(hit.charge);
        }
        EXPECT_EQ(photons, events.photons());
        EXPECT_EQ(picture.display().modules.size(), known);
        EXPECT_GT(known, 0U);
    }
}

}  // namespace hodo::om2vec
