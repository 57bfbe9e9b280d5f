#include "hodo/draw/canvas.hh"

#include <gtest/gtest.h>

#include <vector>

namespace hodo::draw {
namespace {

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    }
    return value;
}

std::string drawing(Format format) {
    Canvas canvas(120, 80, format);
    const std::vector<Position> points{{10, 10}, {60, 70}, {110, 20}};
    canvas.polyline(points, {palette(0), 2.0, Dash::dashed});
    canvas.polygon(points, palette(1).with_alpha(0.3));
    canvas.clip({20, 20, 40, 40});
    canvas.image({20, 20, 40, 40}, 2, 1, std::vector<Colour>{viridis(0.1), viridis(0.9)});
    canvas.unclip();
    canvas.text("E_{\u03BD} = 10^{3} GeV", {5, 75}, {.size = 9});
    return canvas.finish();
}

TEST(Canvas, png_has_its_signature_and_two_pixels_per_point) {
    const std::string bytes = drawing(Format::png);
    EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n");
    EXPECT_EQ(big_endian(bytes, 16), 240u);
    EXPECT_EQ(big_endian(bytes, 20), 160u);
}

TEST(Canvas, same_drawing_has_the_same_bytes_in_every_format) {
    for (const Format format : {Format::png, Format::pdf, Format::svg}) {
        const std::string first = drawing(format);
        drawing(Format::svg);  // Whatever a library counts in between must not show.
        EXPECT_EQ(first, drawing(format));
    }
    EXPECT_EQ(drawing(Format::pdf).substr(0, 5), "%PDF-");
}

TEST(Canvas, font_is_available_and_text_has_an_extent_that_grows_with_it) {
    EXPECT_TRUE(font_available());
    Canvas canvas(100, 100, Format::svg);
    const auto one = canvas.measure("photon", {.size = 9});
    const auto two = canvas.measure("photons of a muon", {.size = 9});
    EXPECT_GT(one.width, 9.0);
    EXPECT_GT(two.width, 1.5 * one.width);
    EXPECT_NEAR(canvas.measure("photon", {.size = 18}).width, 2 * one.width, 0.1 * one.width);
}

TEST(Canvas, raised_text_is_smaller_and_its_marks_are_not_drawn) {
    Canvas canvas(100, 100, Format::svg);
    const auto width = [&](const char* text) { return canvas.measure(text, {.size = 10}).width; };
    EXPECT_LT(width("10^{3}"), width("103"));
    EXPECT_GT(width("10^{3}"), width("10"));
    EXPECT_GT(canvas.measure("10^{3}", {.size = 10}).ascent,
              canvas.measure("10", {.size = 10}).ascent);
    EXPECT_DOUBLE_EQ(width("file_name^"), canvas.measure("file_name^", {.size = 10}).width);
    EXPECT_GT(width("file_name"), width("filename"));
    EXPECT_GT(width("a^{b"), width("a"));
}

TEST(Canvas, raised_and_lowered_parts_in_a_row_stand_over_each_other) {
    Canvas canvas(100, 100, Format::svg);
    EXPECT_NEAR(canvas.measure("1^{+22}_{-33}", {}).width, canvas.measure("1^{+22}", {}).width,
                1.0);
}

}  // namespace
}  // namespace hodo::draw
