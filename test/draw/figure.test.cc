#include "hodo/draw/figure.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "draw/gallery.hh"
#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

namespace hodo::draw {
namespace {

/// Problems of the element structure of an XML text, or an empty string.
std::string xml_problem(const std::string& text) {
    std::vector<std::string> open;
    for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at + 1)) {
        const std::size_t end = text.find('>', at);
        if (end == std::string::npos) return "unclosed tag";
        const std::string tag = text.substr(at + 1, end - at - 1);
        if (tag[0] == '?' || tag[0] == '!') continue;
        if (tag.find('<') != std::string::npos) return "tag within tag: " + tag;
        if (tag[0] == '/') {
            if (open.empty() || open.back() != tag.substr(1)) return "unexpected end: " + tag;
            open.pop_back();
        } else if (tag.back() != '/') {
            open.push_back(tag.substr(0, tag.find_first_of(" \n")));
        }
    }
    return open.empty() ? "" : "never closed: " + open.back();
}

/// The values of every attribute ` id="..."`, and every id referred to.
std::vector<std::string> between(const std::string& text, const std::string& before, char end) {
    std::vector<std::string> found;
    for (std::size_t at = text.find(before); at != std::string::npos;
         at = text.find(before, at + 1)) {
        const std::size_t start = at + before.size();
        found.push_back(text.substr(start, text.find(end, start) - start));
    }
    return found;
}

TEST(Figure, svg_is_well_formed_and_every_reference_has_one_target) {
    for (const auto& [name, figure] : test::gallery_figures()) {
        SCOPED_TRACE(name);
        const std::string svg = figure.render(Format::svg);
        EXPECT_EQ(xml_problem(svg), "");
        const auto ids = between(svg, " id=\"", '"');
        const std::set<std::string> unique(ids.begin(), ids.end());
        EXPECT_EQ(unique.size(), ids.size());
        for (const char* mark : {"href=\"#", "url(#"}) {
            for (const auto& id : between(svg, mark, mark[0] == 'h' ? '"' : ')')) {
                EXPECT_TRUE(unique.contains(id)) << id;
            }
        }
    }
}

TEST(Figure, same_figure_has_the_same_bytes) {
    const auto first = test::gallery_figures(), second = test::gallery_figures();
    for (std::size_t i = 0; i < first.size(); ++i) {
        SCOPED_TRACE(first[i].first);
        EXPECT_EQ(first[i].second.render(Format::svg), second[i].second.render(Format::svg));
        EXPECT_EQ(first[i].second.render(Format::pdf), second[i].second.render(Format::pdf));
    }
}

TEST(Figure, inline_svg_has_its_own_ids_and_an_escaped_description) {
    const Figure figure = test::gallery_figures()[0].second;
    const std::string a = figure.svg("a-", "x < \"y\" & z");
    EXPECT_EQ(a.find("<?xml"), std::string::npos);
    EXPECT_NE(a.find("aria-label=\"x &lt; &quot;y&quot; &amp; z\""), std::string::npos);
    const auto ids = between(a, " id=\"", '"');
    EXPECT_FALSE(ids.empty());
    for (const auto& id : ids) EXPECT_EQ(id.substr(0, 2), "a-");
    const auto references = between(a, "href=\"#", '"');
    EXPECT_FALSE(references.empty());
    for (const auto& id : references) EXPECT_EQ(id.substr(0, 2), "a-");
}

TEST(Figure, numbers_that_are_not_finite_never_reach_the_drawing) {
    Figure figure;
    figure.panel().y({.scale = Scale::log});
    figure.panel().line({1, NAN, 3, 4}, {1, 2, INFINITY, -4}, {.label = "line"});
    figure.panel().steps({0, 1, 2, 3}, {NAN, 0, 5}, {.fill = Fill::filled, .errors = {NAN, 0, 9}});
    figure.panel().points({NAN, 2}, {1, 0}, {.x_errors = {1, INFINITY}, .y_errors = {NAN, 3}});
    figure.panel().band({0, 1, 2}, {NAN, 1, 1}, {1, 2, INFINITY});
    figure.panel().heat_map({0, 1, 2}, {0, 1}, {NAN, INFINITY}, {.scale = Scale::log});
    figure.panel().vertical(NAN).horizontal(-1).note("far away", 1e300, NAN);
    const std::string svg = figure.render(Format::svg);
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
    EXPECT_EQ(xml_problem(svg), "");
}

TEST(Figure, every_kind_of_series_may_be_empty) {
    for (const Scale scale : {Scale::linear, Scale::log}) {
        Figure figure({.rows = 2, .columns = 3});
        for (int row = 0; row < 2; ++row) {
            for (int column = 0; column < 3; ++column) {
                figure.panel(row, column).x({.scale = scale}).y({.scale = scale});
            }
        }
        figure.panel(0, 0).line({}, {});
        figure.panel(0, 1).steps({}, {});
        figure.panel(0, 2).bars({}, {});
        figure.panel(1, 0).heat_map({1, 2}, {1, 2}, {NAN}, {.label = "z", .scale = scale});
        figure.panel(1, 1).discs({}, {}, {}).band({}, {}, {}).points({}, {});
        figure.panel(1, 2);
        EXPECT_EQ(xml_problem(figure.render(Format::svg)), "");
    }
}

TEST(Figure, single_values_and_extreme_ranges_are_drawn) {
    for (const auto& values : std::vector<std::vector<double>>{
             {5, 5}, {0, 0}, {1e-300, 1e300}, {-1e-12, 1e-12}, {1e15, 1e15 + 1}}) {
        for (const Scale scale : {Scale::linear, Scale::log}) {
            Figure figure;
            figure.panel().x({.scale = scale}).y({.scale = scale}).points(values, values);
            EXPECT_EQ(xml_problem(figure.render(Format::svg)), "") << values[0] << " " << values[1];
        }
    }
}

TEST(Figure, limits_that_contradict_the_data_or_each_other_are_survived) {
    Figure figure;
    figure.panel().x({.low = 5, .high = 5}).y({.scale = Scale::log, .low = -3, .high = 0.0});
    figure.panel().line({1, 2}, {3, 4});
    EXPECT_EQ(xml_problem(figure.render(Format::svg)), "");
}

TEST(Figure, numbers_hold_what_was_drawn) {
    Figure figure;
    figure.panel().x({.label = "time [ns]"}).y({.label = "photons", .scale = Scale::log});
    figure.panel().steps({0, 1, 2}, {3, 4}, {.label = "true", .errors = {1.5, 2}});
    const io::Json panel = io::Json::parse(figure.numbers().dump(), "figure").items().at(0);
    EXPECT_EQ(panel.at("x").at("label").text(), "time [ns]");
    EXPECT_EQ(panel.at("y").at("scale").text(), "log");
    const io::Json& series = panel.at("series").items().at(0);
    EXPECT_EQ(series.at("kind").text(), "histogram");
    EXPECT_EQ(series.at("edges").items().size(), 3u);
    EXPECT_DOUBLE_EQ(series.at("counts").items().at(1).number(), 4.0);
    EXPECT_DOUBLE_EQ(series.at("errors").items().at(0).number(), 1.5);
}

TEST(Figure, unknown_kind_of_picture_is_refused) {
    const test::TemporaryFolder folder;
    const std::string message =
        test::error_of([&] { test::gallery_figures()[0].second.save(folder / "picture.bmp"); });
    EXPECT_NE(message.find("picture.bmp"), std::string::npos);
    EXPECT_NE(message.find(".png, .pdf or .svg"), std::string::npos);
}

TEST(Figure, ratio_has_the_errors_of_counting_and_leaves_out_empty_bins) {
    Figure figure;
    draw_ratio(figure.panel(), {0, 1, 2, 3}, {4, 9, 5}, {16, 9, 0});
    const auto& points = std::get<PointSeries>(figure.panel().series().at(1));
    ASSERT_EQ(points.y.size(), 2u);
    EXPECT_DOUBLE_EQ(points.y[0], 0.25);
    EXPECT_DOUBLE_EQ(points.options.y_errors[0], 0.25 * std::sqrt(1.0 / 4 + 1.0 / 16));
    EXPECT_DOUBLE_EQ(points.x[1], 1.5);
}

}  // namespace
}  // namespace hodo::draw
