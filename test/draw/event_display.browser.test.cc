#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "draw/browser.hh"
#include "draw/gallery.hh"
#include "hodo/draw/event_display.hh"
#include "support/reference.hh"

namespace hodo::draw {
namespace {

/// How many different colours a picture has, and how many of its pixels are strongly coloured.
struct Colours {
    std::size_t different = 0, vivid = 0;
    explicit Colours(const test::Picture& picture) {
        std::set<std::uint32_t> seen;
        for (std::size_t i = 0; i + 2 < picture.rgb.size(); i += 3) {
            const int r = picture.rgb[i], g = picture.rgb[i + 1], b = picture.rgb[i + 2];
            seen.insert(static_cast<std::uint32_t>(r << 16 | g << 8 | b));
            vivid += std::max({r, g, b}) - std::min({r, g, b}) > 70;
        }
        different = seen.size();
    }
};

class EventDisplayInBrowser : public testing::Test {
  protected:
    void SetUp() override {
        if (!test::browser())
            GTEST_SKIP() << "no chromium on the path; install it to run this test";
    }
    test::TemporaryFolder folder_;
};

TEST_F(EventDisplayInBrowser, draws_the_light_of_an_event) {
    auto display = test::gallery_display();
    save_event_display(folder_ / "events.html", display);
    const Colours lit(test::screenshot(folder_ / "events.html", 1100, 750));
    for (auto& event : display.events) {
        event.hits.clear();
        event.tracks.clear();
    }
    save_event_display(folder_ / "dark.html", display);
    const Colours dark(test::screenshot(folder_ / "dark.html", 1100, 750));
    EXPECT_GT(lit.different, 1000u);
    EXPECT_GT(lit.vivid, dark.vivid + 5000u);
    EXPECT_GT(dark.different, 50u);  // Modules, frame and legend remain.
}

TEST_F(EventDisplayInBrowser, runs_its_scripts_under_its_policy_and_shows_every_module_hit) {
    const auto display = test::gallery_display();
    save_event_display(folder_ / "events.html", display);
    std::set<std::int64_t> hit;
    for (const auto& one : display.events[0].hits) hit.insert(one.module);
    const std::string page = test::page_after_scripts(folder_ / "events.html");
    EXPECT_NE(page.find(base::format("data-spheres=\"{}\"", hit.size())), std::string::npos);
    EXPECT_NE(page.find(base::format("{} modules hit", hit.size())), std::string::npos);
}

TEST_F(EventDisplayInBrowser, report_makes_its_curves_interactive) {
    test::gallery_report().save(folder_ / "report.html");
    const std::string page = test::page_after_scripts(folder_ / "report.html");
    EXPECT_NE(page.find("class=\"curves ready\""), std::string::npos);
    EXPECT_NE(page.find("log scale</button>"), std::string::npos);
}

}  // namespace
}  // namespace hodo::draw
