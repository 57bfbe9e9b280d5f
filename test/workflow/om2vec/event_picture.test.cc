#include "hodo/workflow/om2vec/event_picture.hh"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>

#include "support/reference.hh"

namespace hodo::om2vec {

namespace {

/// Photon i is on module i mod `modules` at time i `spacing`.
optical::Events events_of(std::int64_t photons, std::int64_t modules, double spacing) {
    optical::Events events;
    for (std::int64_t i = 0; i < photons; ++i) {
        events.time.push_back(static_cast<double>(i) * spacing);
        events.x.push_back(10.0 * static_cast<double>(i % modules));
        events.y.push_back(0.0);
        events.z.push_back(-1000.0);
        events.string.push_back(i % modules + 1);
        events.sensor.push_back(1);
    }
    events.offsets.push_back(photons);
    events.row.push_back(0);
    events.file.push_back(0);
    return events;
}

double charge_of(const draw::EventDisplay::Event& event) {
    double sum = 0;
    for (const auto& hit : event.hits) sum += hit.charge;
    return sum;
}

std::string fact(const draw::EventDisplay::Event& event, std::string_view name) {
    for (const auto& [key, value] : event.facts) {
        if (key == name) return value;
    }
    return {};
}

double length_of(const draw::EventDisplay::Track& track) {
    return std::hypot(track.to[0] - track.from[0], track.to[1] - track.from[1],
                      track.to[2] - track.from[2]);
}

optical::Truth muon_truth(double energy) {
    optical::Truth truth;
    truth.interaction = 1;
    truth.initial = {.type = 14, .energy = 2 * energy, .zenith = 0.0, .azimuth = 0.0};
    truth.final_state = {{.type = 13, .energy = energy, .zenith = std::numbers::pi / 2},
                         {.type = -2000001006, .energy = energy, .zenith = std::numbers::pi / 2}};
    return truth;
}

}  // namespace

TEST(EventPicture, keeps_every_photon_whatever_the_step) {
    const auto events = events_of(5000, 7, 0.3);
    for (const std::int64_t most : {100'000, 500, 20}) {
        EventPicture picture("test", most);
        picture.add_event(events, 0, 12);
        ASSERT_EQ(picture.display().events.size(), 1U);
        const auto& event = picture.display().events.front();
        EXPECT_EQ(event.title, "event 12");
        EXPECT_EQ(charge_of(event), 5000);
        EXPECT_LE(std::ssize(event.hits), most);
        EXPECT_EQ(picture.display().modules.size(), 7U);
        EXPECT_EQ(event.hits.front().time, 0.0);
    }
}

TEST(EventPicture, sums_photons_of_a_module_within_a_step) {
    auto events = events_of(4, 1, 0.25);
    events.time[3] = 1.5;
    events.weight = {1, 2, 3, 4};
    EventPicture picture("test");
    picture.add_event(events, 0, 0);
    const auto& hits = picture.display().events.front().hits;
    ASSERT_EQ(hits.size(), 2U);
    EXPECT_EQ(hits[0].charge, 6.0);
    EXPECT_EQ(hits[1].time, 1.5);
    EXPECT_EQ(hits[1].charge, 4.0);
}

TEST(EventPicture, shows_the_brightest_modules_when_there_are_too_many) {
    auto events = events_of(50, 50, 0.0);
    events.weight.assign(50, 1.0);
    events.weight[31] = 9.0;
    EventPicture picture("test", 3);
    picture.add_event(events, 0, 0);
    const auto& event = picture.display().events.front();
    ASSERT_EQ(event.hits.size(), 3U);
    EXPECT_EQ(event.hits.front().charge, 9.0);
    EXPECT_THAT(fact(event, "shown"), testing::HasSubstr("the 3 brightest"));
}

TEST(EventPicture, matches_photons_to_the_detector_by_position) {
    const auto geometry = optical::built_in_geometry(optical::GeometryChoice::toy);
    auto events = events_of(1, 1, 1.0);
    const auto& place = geometry.modules[5];
    events.x[0] = place.position[0] + 0.001;  // Files round their positions.
    events.y[0] = place.position[1];
    events.z[0] = place.position[2];
    events.string[0] = 999;  // Numbered from elsewhere.
    EventPicture picture("test");
    picture.add_geometry(geometry);
    picture.add_event(events, 0, 0);
    EXPECT_EQ(picture.display().modules.size(), geometry.modules.size());
    EXPECT_EQ(picture.display().events.front().hits.front().module, 5);
}

TEST(EventPicture, draws_a_muon_as_long_as_it_lives_and_no_longer_than_the_detector) {
    auto events = events_of(100, 100, 1.0);  // 990 m long.
    for (const double energy : {10.0, 1e6}) {
        events.truth = {muon_truth(energy)};
        EventPicture picture("test");
        picture.add_modules(events, 0);
        picture.add_event(events, 0, 0);
        const auto& tracks = picture.display().events.front().tracks;
        ASSERT_EQ(tracks.size(), 3U);
        const auto muon = std::find_if(tracks.begin(), tracks.end(),
                                       [](const auto& t) { return t.label == "μ-"; });
        ASSERT_NE(muon, tracks.end());
        if (energy < 100) {
            EXPECT_NEAR(length_of(*muon), muon_range(energy), 1e-9);
        } else {
            EXPECT_LT(length_of(*muon), 2000.0);
        }
        EXPECT_NEAR(muon->end - muon->start, length_of(*muon) / 0.299792458, 1e-6);
        EXPECT_NEAR(muon->to[2], 0.0, 1e-9);  // Zenith of 90 degrees: horizontal.
    }
}

TEST(EventPicture, draws_what_showers_at_one_place_as_one_cascade) {
    auto events = events_of(10, 10, 1.0);
    auto truth = muon_truth(100.0);
    truth.final_state = {{.type = 11, .energy = 30.0, .zenith = 0.0},
                         {.type = -2000001006, .energy = 70.0, .zenith = 0.0},
                         {.type = 14, .energy = 50.0, .zenith = 0.0}};
    events.truth = {truth};
    EventPicture picture("test");
    picture.add_event(events, 0, 0);
    const auto& tracks = picture.display().events.front().tracks;
    ASSERT_EQ(tracks.size(), 2U);  // The neutrino that came, and the cascade.
    EXPECT_EQ(tracks.back().label, "hadrons + e-");
    EXPECT_EQ(tracks.back().energy, 100.0);
    EXPECT_GT(tracks.back().to[2], tracks.back().from[2]);
}

TEST(EventPicture, takes_the_neutrino_direction_from_the_final_state) {
    auto events = events_of(3, 3, 1.0);
    events.truth = {muon_truth(100.0)};  // Final state horizontal, stored initial vertical.
    EventPicture picture("test");
    picture.add_event(events, 0, 0);
    EXPECT_THAT(fact(picture.display().events.front(), "travels to"),
                testing::HasSubstr("zenith 90.0"));
    EXPECT_EQ(fact(picture.display().events.front(), "neutrino"), "νμ, charged current");
    EXPECT_EQ(fact(picture.display().events.front(), "energy"), "200 GeV");
}

TEST(EventPicture, shows_an_event_without_light_and_without_truth) {
    EventPicture picture("test");
    picture.add_event(events_of(0, 1, 1.0), 0, 3);
    const auto& event = picture.display().events.front();
    EXPECT_TRUE(event.hits.empty());
    EXPECT_TRUE(event.tracks.empty());
    EXPECT_TRUE(event.facts.empty());
    EXPECT_FALSE(draw::event_display_html(picture.display()).empty());
}

TEST(EventPicture, survives_truth_that_is_not_known) {
    auto events = events_of(3, 3, 1.0);
    optical::Truth truth;
    const double nan = std::nan("");
    truth.initial = {.type = 99, .energy = nan, .zenith = nan, .position = {nan, nan, nan}};
    truth.final_state = {{.type = 13, .energy = nan, .zenith = nan, .position = {nan, 0, 0}}};
    events.truth = {truth};
    EventPicture picture("test");
    picture.add_event(events, 0, 0);
    EXPECT_TRUE(picture.display().events.front().tracks.empty());
    EXPECT_FALSE(draw::event_display_html(picture.display()).empty());
}

TEST(MuonRange, is_that_of_minimum_ionisation_at_low_energy_and_logarithmic_at_high) {
    EXPECT_NEAR(muon_range(1.0), 1.0 / 0.24, 0.01);
    EXPECT_NEAR(muon_range(1e6) - muon_range(1e5), std::log(10.0) / 3.3e-4, 30.0);
    EXPECT_EQ(muon_range(0.0), 0.0);
}

}  // namespace hodo::om2vec
