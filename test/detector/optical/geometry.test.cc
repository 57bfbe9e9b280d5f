#include "hodo/detector/optical/geometry.hh"

#include <cmath>
#include <set>

#include <gmock/gmock.h>

#include "hodo/base/random.hh"
#include "support/reference.hh"

namespace hodo::optical {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* sample =
    "### Metadata ###\n"
    "Medium:\tice\n"
    "DOM Radius [cm]:\t30\n"
    "Author: nobody: really\n"
    "### Modules ###\n"
    "-256.14\t-521.08\t496.03\t1\t1\n"
    "\n"
    "-256.14  -521.08  479.01  1  2\r\n"
    "1e3\t-0.5\t0\t86\t60";

TEST(Geo, reads_metadata_and_modules) {
    const Geometry geometry = parse_geo(sample, "sample.geo");
    EXPECT_EQ(geometry.medium, "ice");
    EXPECT_DOUBLE_EQ(geometry.module_radius, 0.3);
    ASSERT_EQ(geometry.remarks.size(), 1U);
    EXPECT_EQ(geometry.remarks[0].second, "nobody: really");
    ASSERT_EQ(geometry.modules.size(), 3U);
    EXPECT_EQ(geometry.modules[1], (ModulePlace{{1, 2}, {-256.14, -521.08, 479.01}}));
    EXPECT_EQ(geometry.modules[2].id, (ModuleId{86, 60}));
}

TEST(Geo, writing_and_reading_is_the_identity) {
    for (const auto choice : {GeometryChoice::toy, GeometryChoice::ice, GeometryChoice::water}) {
        const Geometry geometry = built_in_geometry(choice);
        const Geometry again = parse_geo(format_geo(geometry), "again");
        EXPECT_EQ(again.modules, geometry.modules);
        EXPECT_EQ(again.medium, geometry.medium);
        EXPECT_NEAR(again.module_radius, geometry.module_radius, 1e-15);
    }
    test::TemporaryFolder folder;
    const Geometry geometry = parse_geo(sample, "sample");
    write_geo(folder / "a.geo", geometry);
    EXPECT_EQ(read_geo(folder / "a.geo"), geometry);
}

TEST(Geo, any_radius_and_coordinate_survives_bit_for_bit) {
    base::Random random(1, "geo");
    for (int k = 0; k < 20'000; ++k) {
        Geometry geometry = hexagonal_grid({.strings = 1, .sensors = 1});
        const double centimetres = std::exp(random.uniform(-20, 20));
        geometry.module_radius =
            parse_geo(base::format("DOM Radius [cm]: {}\n### Modules ###\n0 0 0 0 0", centimetres),
                      "radius")
                .module_radius;
        geometry.modules[0].position[1] = random.normal() * centimetres;
        ASSERT_EQ(parse_geo(format_geo(geometry), "again"), geometry);
    }
}

TEST(Geo, names_the_line_of_what_is_wrong) {
    const auto error = [](const std::string& modules) {
        return test::error_of([&] {
            parse_geo("### Metadata ###\n### Modules ###\n0 0 0 1 1\n" + modules, "x.geo");
        });
    };
    EXPECT_THAT(error("1 2 3 4\n"), AllOf(HasSubstr("x.geo:4"), HasSubstr("5 values")));
    EXPECT_THAT(error("1 2 nan 4 5\n"), AllOf(HasSubstr("x.geo:4"), HasSubstr("'nan'")));
    EXPECT_THAT(error("1 2 3 4.5 5\n"), HasSubstr("'4.5' is not a whole number"));
    EXPECT_THAT(error("\n7 7 7 1 1\n"), AllOf(HasSubstr("x.geo:5"), HasSubstr("twice")));
    EXPECT_THAT(test::error_of([] { parse_geo("hello\n", "x.geo"); }), HasSubstr("x.geo:1"));
    EXPECT_THAT(test::error_of([] { parse_geo("", "x.geo"); }), HasSubstr("### Modules ###"));
    EXPECT_THAT(test::error_of([] { parse_geo("### Modules ###\n", "x.geo"); }),
                HasSubstr("no modules"));
    EXPECT_THAT(test::error_of([] { parse_geo("DOM Radius [cm]: wide\n", "x.geo"); }),
                HasSubstr("'wide'"));
}

TEST(Geo, every_truncation_parses_or_is_an_error) {
    const std::string text = sample;
    int whole = 0;
    for (std::size_t size = 0; size <= text.size(); ++size) {
        try {
            parse_geo(text.substr(0, size), "cut.geo");
            ++whole;
        } catch (const base::Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("cut.geo"));
        }
    }
    EXPECT_GT(whole, 0);
}

TEST(Grid, has_the_asked_strings_with_the_asked_spacing) {
    for (const auto choice : {GeometryChoice::toy, GeometryChoice::ice, GeometryChoice::water}) {
        const Geometry geometry = built_in_geometry(choice);
        std::set<std::int64_t> strings;
        for (const auto& module : geometry.modules) strings.insert(module.id.string);
        double nearest = 1e9;
        for (const auto& a : geometry.modules) {
            for (const auto& b : geometry.modules) {
                if (a.id.string >= b.id.string || a.id.sensor != b.id.sensor) continue;
                nearest = std::min(nearest, std::hypot(a.position[0] - b.position[0],
                                                       a.position[1] - b.position[1]));
            }
            if (a.id.string > 2) break;
        }
        const bool toy = choice == GeometryChoice::toy, ice = choice == GeometryChoice::ice;
        EXPECT_EQ(strings.size(), toy ? 7U : ice ? 86U : 115U);
        EXPECT_EQ(geometry.modules.size(), toy ? 140U : ice ? 5160U : 2070U);
        EXPECT_NEAR(nearest, toy ? 60.0 : ice ? 125.0 : 90.0, 1e-9);
        EXPECT_EQ(geometry.medium, choice == GeometryChoice::water ? "water" : "ice");
    }
}

TEST(Grid, is_a_filled_hexagon_for_whole_rings) {
    GridOptions options;
    options.strings = 19;
    options.sensors = 1;
    const Geometry geometry = hexagonal_grid(options);
    for (const auto& module : geometry.modules) {
        EXPECT_LE(std::hypot(module.position[0], module.position[1]),
                  2 * options.string_spacing + 1e-9);
    }
    EXPECT_EQ(geometry.modules.front().position, (Point{0, 0, options.depth}));
}

}  // namespace
}  // namespace hodo::optical
