#include "hodo/draw/event_display.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <regex>

#include "draw/gallery.hh"
#include "hodo/draw/detail/sha256.hh"
#include "hodo/draw/html.hh"
#include "hodo/io/json.hh"
#include "support/reference.hh"

namespace hodo::draw {
namespace {

std::vector<float> unpacked(const std::string& text) {
    static const std::string digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    std::uint32_t group = 0;
    int bits = 0;
    for (const char c : text) {
        if (c == '=') break;
        group = group << 6 | static_cast<std::uint32_t>(digits.find(c));
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(group >> bits & 0xFF);
        }
    }
    std::vector<float> values(bytes.size() / 4);
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), 4 * values.size());
    return values;
}

io::Json embedded(const std::string& html) {
    const std::string opening = "<script type=\"application/json\" id=\"display\">";
    const std::size_t start = html.find(opening) + opening.size();
    return io::Json::parse(html.substr(start, html.find("</script>", start) - start), "page");
}

TEST(EventDisplay, page_holds_every_module_hit_track_and_fact) {
    const EventDisplay display = test::gallery_display();
    const io::Json json = embedded(event_display_html(display));
    EXPECT_EQ(json.at("modules").at("count").integer(), std::ssize(display.modules));
    const auto positions = unpacked(json.at("modules").at("positions").text());
    ASSERT_EQ(positions.size(), 3 * display.modules.size());
    for (std::size_t i = 0; i < display.modules.size(); i += 97) {
        EXPECT_FLOAT_EQ(positions[3 * i], static_cast<float>(display.modules[i].x));
        EXPECT_FLOAT_EQ(positions[3 * i + 2], static_cast<float>(display.modules[i].z));
        EXPECT_EQ(json.at("modules").at("strings").items()[i].integer(), display.modules[i].string);
    }
    ASSERT_EQ(json.at("events").items().size(), display.events.size());
    for (std::size_t e = 0; e < display.events.size(); ++e) {
        const auto& event = display.events[e];
        const io::Json& stored = json.at("events").items()[e];
        EXPECT_EQ(stored.at("title").text(), event.title);
        EXPECT_EQ(stored.at("tracks").items().size(), event.tracks.size());
        EXPECT_EQ(stored.at("facts").items().size(), event.facts.size());
        const auto hits = unpacked(stored.at("hits").text());
        ASSERT_EQ(hits.size(), 3 * event.hits.size());
        for (std::size_t i = 0; i < event.hits.size(); i += 31) {
            EXPECT_EQ(static_cast<std::int64_t>(hits[3 * i]), event.hits[i].module);
            EXPECT_NEAR(hits[3 * i + 1] + stored.at("first").number(), event.hits[i].time, 1e-3);
            EXPECT_FLOAT_EQ(hits[3 * i + 2], static_cast<float>(event.hits[i].charge));
        }
    }
}

TEST(EventDisplay, times_keep_their_resolution_far_from_zero) {
    EventDisplay display;
    display.modules = {{0, 0, 0, 1, 1}};
    display.events = {{.title = "late", .hits = {{0, 4e12, 1}, {0, 4e12 + 3.25, 1}}}};
    const io::Json event = embedded(event_display_html(display)).at("events").items()[0];
    EXPECT_DOUBLE_EQ(event.at("first").number(), 4e12);
    EXPECT_FLOAT_EQ(unpacked(event.at("hits").text())[4], 3.25f);
}

TEST(EventDisplay, page_makes_no_request_and_names_the_hash_of_each_script) {
    const std::string html = event_display_html(test::gallery_display());
    EXPECT_EQ(html.find("://"), std::string::npos);
    EXPECT_EQ(html.find(" src="), std::string::npos);
    EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
    int scripts = 0;
    for (auto at = html.find("<script>"); at != std::string::npos;
         at = html.find("<script>", at + 1)) {
        const std::size_t start = at + 8;
        const std::string script = html.substr(start, html.find("</script>", start) - start);
        EXPECT_NE(html.find("'sha256-" + base64(detail::sha256(script)) + "'"), std::string::npos);
        ++scripts;
    }
    EXPECT_EQ(scripts, 4);
}

TEST(EventDisplay, titles_cannot_end_the_script_element) {
    const std::string html = event_display_html(test::gallery_display());
    EXPECT_EQ(html.find("muon </script>"), std::string::npos);
    EXPECT_EQ(embedded(html).at("events").items()[0].at("title").text(), "muon </script>");
}

TEST(EventDisplay, hits_that_cannot_be_drawn_are_refused_by_the_name_of_their_event) {
    EventDisplay display;
    display.modules = {{0, 0, 0, 1, 1}};
    display.events = {{.title = "event 7", .hits = {{1, 0, 1}}}};
    EXPECT_NE(test::error_of([&] { event_display_html(display); }).find("'event 7'"),
              std::string::npos);
    display.events[0].hits = {{0, NAN, 1}};
    EXPECT_NE(test::error_of([&] { event_display_html(display); }).find("'event 7'"),
              std::string::npos);
    display.events.clear();
    display.modules[0].x = INFINITY;
    EXPECT_NE(test::error_of([&] { event_display_html(display); }).find("module 1/1"),
              std::string::npos);
}

TEST(EventDisplay, nothing_at_all_is_still_a_page) {
    const io::Json json = embedded(event_display_html({}));
    EXPECT_EQ(json.at("events").items().size(), 0u);
    EXPECT_EQ(json.at("modules").at("count").integer(), 0);
}

}  // namespace
}  // namespace hodo::draw
