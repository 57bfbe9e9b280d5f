#include "hodo/draw/report_page.hh"

#include <gmock/gmock.h>

#include "support/reference.hh"

namespace hodo::draw {
namespace {

TEST(ReportPage, shows_a_figure_and_saves_it_in_three_formats) {
    const test::TemporaryFolder folder;
    Figure figure;
    figure.panel().line({0, 1}, {0, 1}, {});
    ReportPage page("a run", folder / "figures");
    page.report.section("Training");
    page.figure("loss", "The loss.", figure);
    for (const char* ending : {"png", "pdf", "svg"}) {
        EXPECT_TRUE(std::filesystem::exists(folder / "figures" / (std::string("loss.") + ending)));
    }
    EXPECT_THAT(page.report.html(), testing::HasSubstr("The loss."));
}

}  // namespace
}  // namespace hodo::draw
