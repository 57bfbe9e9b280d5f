#include "hodo/detector/lartpc/overlap.hh"
#include "detector/lartpc/detectors.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace lartpc = hodo::lartpc;
using testing::HasSubstr;

TEST(Overlap, the_table_is_what_single_pixels_say) {
    const lartpc::PixelGrid grid(lartpc::protodune_sp(), 1, 90, 70);
    const auto table = lartpc::overlap_table(grid);
    for (int k = 0; k < lartpc::planes_per_face; ++k) {
        for (int z = 0; z < 90; ++z) {
            for (int y = 0; y < 70; ++y) {
                const auto share = table.shares[std::size_t(k)][std::size_t(z * 70 + y)];
                ASSERT_EQ(share.band, grid.plane(k).share(z, y).band);
                ASSERT_EQ(share.lower, grid.plane(k).share(z, y).lower);
            }
        }
    }
}

TEST(Overlap, shares_equal_the_part_of_fine_points_in_each_band) {
    const auto detector = lartpc::small_detector();
    const lartpc::PixelGrid grid(detector, 0);
    const int fine = 60;
    for (int k = 0; k < lartpc::planes_per_face; ++k) {
        const auto& plane = detector.faces[0].planes[std::size_t(k)];
        const double angle = plane.angle * std::numbers::pi / 180;
        for (int z = 3; z < 80; z += 7) {
            for (int y = 2; y < 90; y += 11) {
                const auto share = grid.plane(k).share(z, y);
                int lower = 0, inside = 0;
                for (int i = 0; i < fine * fine; ++i) {
                    const double at_z = z + (i % fine + 0.5) / fine,
                                 at_y = y + (i / fine + 0.5) / fine;
                    const double s = (at_z * std::cos(angle) + at_y * std::sin(angle)) * 1.5;
                    const auto band =
                        static_cast<int>(std::floor((s - plane.offset) / plane.pitch + 0.5));
                    lower += band <= share.band ? 1 : 0;
                    inside += band == share.band || band == share.band + 1 || share.band < 0 ||
                                      share.band >= plane.wires()
                                  ? 1
                                  : 0;
                }
                EXPECT_EQ(inside, fine * fine);
                if (share.band < 0 || share.band >= plane.wires()) continue;
                EXPECT_NEAR(share.lower, 1000.0 * lower / (fine * fine), 25);
            }
        }
    }
}

TEST(Overlap, pixels_larger_than_the_pitch_are_refused) {
    auto detector = lartpc::small_detector();
    detector.pixel = 3;
    EXPECT_THAT(hodo::test::error_of([&] { lartpc::PixelGrid(detector, 0); }),
                HasSubstr("smaller pixels"));
}
