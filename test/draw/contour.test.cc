#include "hodo/draw/contour.hh"

#include <gtest/gtest.h>

#include <cmath>

#include "draw/gallery.hh"

namespace hodo::draw {
namespace {

/// Whether a point lies within closed lines (even-odd rule).
bool encloses(const std::vector<std::vector<Position>>& lines, double x, double y) {
    bool inside = false;
    for (const auto& line : lines) {
        for (std::size_t i = 0; i + 1 < line.size(); ++i) {
            const Position a = line[i], b = line[i + 1];
            if ((a.y > y) == (b.y > y)) continue;
            if (x < a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x)) inside = !inside;
        }
    }
    return inside;
}

struct Cloud {
    std::vector<double> x, y;
    explicit Cloud(double correlation) : x(test::normal_numbers(20000, 7)) {
        const auto other = test::normal_numbers(20000, 8);
        for (std::size_t i = 0; i < x.size(); ++i) {
            y.push_back(correlation * x[i] + std::sqrt(1 - correlation * correlation) * other[i]);
        }
    }
};

TEST(Contour, encloses_the_fraction_asked_for) {
    for (const double correlation : {0.0, 0.8}) {
        const Cloud cloud(correlation);
        const auto density = density_of(cloud.x, cloud.y, {-4.5, 4.5}, {-4.5, 4.5}, 45);
        for (const double fraction : {0.5, 0.68, 0.95}) {
            const auto lines =
                contour_lines(density, enclosing_level(density, cloud.x, cloud.y, fraction));
            double inside = 0;
            for (std::size_t i = 0; i < cloud.x.size(); ++i) {
                inside += encloses(lines, cloud.x[i], cloud.y[i]);
            }
            // 0.01: three times the binomial error, and cells cut linearly.
            EXPECT_NEAR(inside / double(cloud.x.size()), fraction, 0.01) << correlation;
        }
    }
}

TEST(Contour, of_a_gaussian_is_a_circle_of_the_known_radius) {
    const Cloud cloud(0.0);
    const auto density = density_of(cloud.x, cloud.y, {-4.5, 4.5}, {-4.5, 4.5}, 45);
    const auto lines = contour_lines(density, enclosing_level(density, cloud.x, cloud.y, 0.68));
    ASSERT_FALSE(lines.empty());
    const double radius = std::sqrt(-2 * std::log(1 - 0.68));
    for (const Position& p : lines[0]) EXPECT_NEAR(std::hypot(p.x, p.y), radius, 0.15 * radius);
}

TEST(Contour, lines_close_even_at_the_border) {
    const std::vector<double> x(500, 0.05), y(500, 0.95);
    const auto density = density_of(x, y, {0, 1}, {0, 1}, 10);
    const auto lines = contour_lines(density, 5.0);
    ASSERT_FALSE(lines.empty());
    for (const auto& line : lines) {
        EXPECT_DOUBLE_EQ(line.front().x, line.back().x);
        EXPECT_DOUBLE_EQ(line.front().y, line.back().y);
    }
}

TEST(Contour, smoothing_keeps_the_number_of_points_and_nothing_has_no_contour) {
    const Cloud cloud(0.3);
    const auto density = density_of(cloud.x, cloud.y, {-9, 9}, {-9, 9}, 30);
    double sum = 0;
    for (const double value : density.values) sum += value;
    EXPECT_NEAR(sum, double(cloud.x.size()), 1e-6);
    const auto nothing = density_of({}, {}, {0, 1}, {0, 1}, 10);
    EXPECT_TRUE(contour_lines(nothing, enclosing_level(nothing, {}, {}, 0.68)).empty());
}

}  // namespace
}  // namespace hodo::draw
