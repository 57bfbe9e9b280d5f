#include "hodo/draw/report.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "draw/gallery.hh"
#include "hodo/draw/detail/sha256.hh"
#include "hodo/draw/html.hh"
#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

namespace hodo::draw {
namespace {

std::string hex_of(const std::array<unsigned char, 32>& digest) {
    std::string text;
    for (const unsigned char byte : digest) text += base::format("{:02x}", int{byte});
    return text;
}

/// The content of the first element that begins with `opening`.
std::string content_of(const std::string& html, const std::string& opening) {
    const std::size_t at = html.find(opening);
    if (at == std::string::npos) return {};
    const std::size_t start = html.find('>', at) + 1;
    return html.substr(start,
                       html.find("</" + opening.substr(1, opening.find(' ') - 1), start) - start);
}

TEST(Sha256, published_examples) {
    EXPECT_EQ(hex_of(detail::sha256("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex_of(detail::sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex_of(detail::sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Html, base64_of_the_published_examples) {
    const auto of = [](std::string_view text) {
        return base64({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
    };
    EXPECT_EQ(of(""), "");
    EXPECT_EQ(of("f"), "Zg==");
    EXPECT_EQ(of("fo"), "Zm8=");
    EXPECT_EQ(of("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64_floats(std::vector<float>{1.0f}), "AACAPw==");
}

TEST(Html, json_for_scripts_cannot_end_its_element_and_still_parses) {
    const std::string hostile = "</script><!-- & \u2028 \"quoted\" \\";
    const std::string text = script_json(io::Json(hostile));
    EXPECT_EQ(text.find('<'), std::string::npos);
    EXPECT_EQ(text.find("\u2028"), std::string::npos);
    EXPECT_EQ(io::Json::parse(text, "script").text(), hostile);
}

TEST(Html, page_without_scripts_allows_none) {
    const std::string page = html_page({.title = "a<b", .style = "", .body = "", .scripts = {}});
    EXPECT_NE(page.find("script-src 'none'"), std::string::npos);
    EXPECT_NE(page.find("<title>a&lt;b</title>"), std::string::npos);
}

TEST(Report, clouds_carry_their_points_beside_a_still_view) {
    Figure still;
    still.panel().points({1, 2}, {3, 4});
    Report report("points");
    report.clouds("an event", still,
                  {.axes = {"z", "x", "y"},
                   .clouds = {{.label = "true <1>", .points = {1.0f, 2.0f, 3.0f}},
                              {.label = "ghosts", .shown = Clouds::Shown::on_demand}}});
    const std::string html = report.html();
    EXPECT_NE(html.find("<figure class=\"clouds\" data-clouds=\"0\"><div class=\"still\"><svg"),
              std::string::npos);
    const auto data = io::Json::parse(
        content_of(html, "<script type=\"application/json\" id=\"clouds\""), "page");
    const auto& event = data.items().at(0);
    EXPECT_EQ(event.at("axes").items()[2].text(), "y");
    const auto& clouds = event.at("clouds").items();
    ASSERT_EQ(clouds.size(), 2u);
    EXPECT_EQ(clouds[0].at("label").text(), "true <1>");
    EXPECT_EQ(clouds[0].at("points").text(), base64_floats(std::vector<float>{1.0f, 2.0f, 3.0f}));
    EXPECT_EQ(clouds[1].at("shown").dump(), "false");
    // The numbers tell of the still view alone, and a page without clouds has nothing of them.
    const io::Json numbers = report.numbers();
    EXPECT_EQ(numbers.dump().find("points\":\""), std::string::npos);
    const auto& figure = numbers.at("sections").items()[0].at("figures").items()[0];
    EXPECT_EQ(figure.at("caption").text(), "an event");
    EXPECT_EQ(Report("none").html().find("id=\"clouds\""), std::string::npos);
}

TEST(Report, page_makes_no_request_and_allows_only_its_own_scripts) {
    const std::string html = test::gallery_report().html();
    EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
    const std::regex address("(?:src|href|action|data)\\s*=\\s*[\"'](?!#|data:)([^\"']*)");
    for (std::sregex_iterator it(html.begin(), html.end(), address), end; it != end; ++it) {
        ADD_FAILURE() << "refers to " << (*it)[1];
    }
    std::size_t pages = 0;  // Names of formats are the only addresses.
    for (std::size_t at = html.find("://"); at != std::string::npos;
         at = html.find("://", at + 1)) {
        EXPECT_EQ(html.substr(at - 4, 17), "http://www.w3.org") << html.substr(at - 20, 60);
        ++pages;
    }
    EXPECT_GT(pages, 0u);
    const std::string script = content_of(html, "<script>");
    EXPECT_FALSE(script.empty());
    EXPECT_NE(html.find("'sha256-" + base64(detail::sha256(script)) + "'"), std::string::npos);
}

TEST(Report, every_text_is_escaped) {
    const std::string bad = "</script><script>alert(1)</script>";
    Report report(bad);
    report.section(bad, bad).text(bad).number(bad, 1.0, 0.1, bad);
    report.table({bad}, {{io::Json(bad)}}, bad);
    Figure figure;
    figure.panel().title(bad).x({.label = bad}).line({1, 2}, {3, 4}, {.label = bad});
    report.figure(bad, figure);
    report.curves(bad, {.x_label = bad, .y_label = bad, .lines = {{bad, {1, 2}, {3, 4}}}});
    EXPECT_EQ(report.html().find("<script>alert"), std::string::npos);
}

TEST(Report, embedded_numbers_parse_and_equal_the_file_beside_the_page) {
    const test::TemporaryFolder folder;
    const Report report = test::gallery_report();
    report.save(folder / "report.html");
    const std::string html = io::read_text(folder / "report.html");
    const std::string embedded = content_of(html, "<script type=\"application/json\"");
    const io::Json numbers = io::Json::parse(embedded, "report.html");
    const io::Json beside = io::Json::parse(io::read_text(folder / "report.json"), "report.json");
    EXPECT_EQ(numbers.dump(), beside.dump());
    EXPECT_DOUBLE_EQ(numbers.at("numbers").at("median distance").at("value").number(), 3.4216);
    EXPECT_EQ(numbers.at("numbers").at("median distance").at("unit").text(), "ns");
    const auto& sections = numbers.at("sections").items();
    ASSERT_EQ(sections.size(), 3u);
    EXPECT_EQ(sections[0].at("numbers").items().size(), 3u);
    EXPECT_EQ(sections[0].at("tables").items().at(0).at("rows").items().size(), 2u);
    EXPECT_EQ(sections[1].at("figures").items().size(), 2u);
    EXPECT_EQ(sections[2].at("curves").items().at(0).at("lines").items().size(), 3u);
}

TEST(Report, has_a_heading_for_each_section_and_a_description_for_each_figure) {
    const std::string html = test::gallery_report().html();
    const auto count = [&](const std::string& part) {
        std::size_t found = 0;
        for (auto at = html.find(part); at != std::string::npos; at = html.find(part, at + 1))
            ++found;
        return found;
    };
    EXPECT_EQ(count("<h1>"), 1u);
    EXPECT_EQ(count("<h2>"), 3u);
    EXPECT_EQ(count("<svg "), 3u);
    EXPECT_EQ(count("<svg role=\"img\" aria-label=\""), 3u);
    EXPECT_EQ(count("<table"), count("</table>"));
}

TEST(Report, same_report_has_the_same_bytes) {
    EXPECT_EQ(test::gallery_report().html(), test::gallery_report().html());
}

TEST(Report, numbers_have_the_digits_their_errors_justify) {
    EXPECT_EQ(number_html(3.4216, 0.0523), "3.422 \u00B1 0.052");
    EXPECT_EQ(number_html(-120.4, 12.0), "\u2212120 \u00B1 12");
    EXPECT_EQ(number_html(12345, NAN), "12,345");
    EXPECT_EQ(number_html(1.5e-7, NAN), "1.5\u00D710<sup>\u22127</sup>");
    EXPECT_EQ(number_html(NAN, NAN), "\u2013");
}

}  // namespace
}  // namespace hodo::draw
