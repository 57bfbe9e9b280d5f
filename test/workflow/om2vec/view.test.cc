#include <gmock/gmock.h>

#include "hodo/detector/optical/event_writer.hh"
#include "hodo/detector/optical/schema.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/json.hh"
#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/om2vec/verbs.hh"
#include "support/reference.hh"

namespace hodo::om2vec {

namespace {

workflow::Job job_of(const base::Path& input, const base::Path& output) {
    workflow::Job job;
    job.workflow = "om2vec";
    job.verb = "view";
    job.config = base::Config("test");
    job.config.set("input", input.string());
    job.config.set("output", output.string());
    return job;
}

/// The events that a page carries.
io::Json shown(const base::Path& page) {
    const auto html = io::read_text(page);
    constexpr std::string_view mark = "<script type=\"application/json\" id=\"display\">";
    const auto begin = html.find(mark) + mark.size();
    const auto end = html.find("</script>", begin);
    return io::Json::parse(std::string_view(html).substr(begin, end - begin), page.string());
}

/// `count` events of `photons` photons each on two modules.
optical::Events simple_events(std::int64_t count, std::int64_t photons) {
    optical::Events events;
    for (std::int64_t event = 0; event < count; ++event) {
        for (std::int64_t i = 0; i < photons; ++i) {
            events.time.push_back(static_cast<double>(i));
            events.x.push_back(i % 2 == 0 ? 0.0 : 30.0);
            events.y.push_back(0.0);
            events.z.push_back(-50.0);
            events.string.push_back(1 + i % 2);
            events.sensor.push_back(4);
        }
        events.offsets.push_back(events.offsets.back() + photons);
        events.file.push_back(0);
        events.row.push_back(event);
    }
    return events;
}

}  // namespace

TEST(View, shows_the_events_asked_for) {
    const test::TemporaryFolder folder;
    optical::write_events(folder / "events.parquet", simple_events(9, 12));
    auto job = job_of(folder / "events.parquet", folder / "page.html");
    job.config.set("first", "2");
    job.config.set("events", "3");
    run_view(job);
    const auto display = shown(folder / "page.html");
    ASSERT_EQ(display.at("events").items().size(), 3U);
    EXPECT_EQ(display.at("events").items().front().at("title").text(), "event 2");
    EXPECT_EQ(display.at("events").items().front().at("count").integer(), 12);
    EXPECT_EQ(display.at("modules").at("count").integer(), 2);
}

TEST(View, shows_the_whole_detector_that_the_file_names) {
    const test::TemporaryFolder folder;
    auto config = io::Json::object();
    config["detector"]["geo file"] = "toy";
    optical::write_events(folder / "events.parquet", simple_events(1, 4), {.config = config});
    run_view(job_of(folder / "events.parquet", folder / "page.html"));
    const auto toy = optical::built_in_geometry(optical::GeometryChoice::toy);
    // The photons' own two modules are no part of it.
    EXPECT_EQ(shown(folder / "page.html").at("modules").at("count").integer(),
              std::ssize(toy.modules) + 2);
}

TEST(View, finds_the_geometry_beside_the_events) {
    const test::TemporaryFolder folder;
    auto config = io::Json::object();
    config["detector"]["geo file"] = "/far/away/mine.geo";
    optical::write_events(folder / "events.parquet", simple_events(1, 4), {.config = config});
    optical::write_geo(
        folder / "mine.geo",
        {.modules = {{{1, 4}, {0, 0, -50}}, {{2, 4}, {30, 0, -50}}, {{3, 4}, {60, 0, -50}}}});
    run_view(job_of(folder / "events.parquet", folder / "page.html"));
    EXPECT_EQ(shown(folder / "page.html").at("modules").at("count").integer(), 3);
}

TEST(View, says_when_there_is_no_such_event) {
    const test::TemporaryFolder folder;
    optical::write_events(folder / "events.parquet", simple_events(2, 4));
    auto job = job_of(folder / "events.parquet", folder / "page.html");
    job.config.set("first", "2");
    EXPECT_THAT(test::error_of([&] { run_view(job); }), testing::HasSubstr("has 2 events"));
    EXPECT_FALSE(std::filesystem::exists(folder / "page.html"));
}

TEST(View, does_not_replace_a_page_unless_asked) {
    const test::TemporaryFolder folder;
    optical::write_events(folder / "events.parquet", simple_events(2, 4));
    auto job = job_of(folder / "events.parquet", folder / "page.html");
    run_view(job);
    EXPECT_THAT(test::error_of([&] { run_view(job); }), testing::HasSubstr("--overwrite"));
    job.existing = workflow::Existing::overwrite;
    run_view(job);
}

TEST(View, recognises_event_files_only) {
    const test::TemporaryFolder folder;
    optical::write_events(folder / "events.parquet", simple_events(2, 4));
    io::write_text(folder / "notes.txt", "no events");
    io::write_text(folder / "broken.parquet", "PAR1");
    EXPECT_TRUE(recognises_events(folder / "events.parquet"));
    EXPECT_FALSE(recognises_events(folder / "notes.txt"));
    EXPECT_NE(test::error_of([&] { recognises_events(folder / "broken.parquet"); }), "");
    EXPECT_FALSE(recognises_events(folder.path()));
    EXPECT_FALSE(recognises_events(folder / "absent.parquet"));
}

}  // namespace hodo::om2vec
