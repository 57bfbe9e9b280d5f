#include "hodo/detector/lartpc/volumes.hh"

#include <gtest/gtest.h>

namespace lartpc = hodo::lartpc;

TEST(Volumes, points_outside_the_box_or_the_window_are_refused) {
    const auto& detector = lartpc::protodune_sp();
    EXPECT_FALSE(lartpc::local_point(detector, 1, {10, 3000, 1000}, 0));
    EXPECT_TRUE(lartpc::local_point(detector, 1, {10, 3000, 1000}, 0, lartpc::Limits::none));
    EXPECT_FALSE(lartpc::local_point(detector, 1, {-3000, 3000, 1000}, -1000));
    EXPECT_FALSE(lartpc::local_point(detector, 1, {-10, 3000, 1000}, 3000));
}

TEST(Volumes, later_deposits_and_deposits_farther_from_the_anode_arrive_later) {
    const auto& detector = lartpc::protodune_sp();
    for (int tpc = 0; tpc < 12; ++tpc) {
        const auto& box = detector.tpc(tpc);
        const double y = 3000, z = box.low[2] + 100;
        const double near = box.drift_direction > 0 ? box.high[0] - 5 : box.low[0] + 5;
        const double far = near - 1000 * box.drift_direction;
        const auto at = [&](double x, double time) {
            return lartpc::local_point(detector, tpc, {x, y, z}, time).value();
        };
        EXPECT_NEAR(at(far, 0)[0] - at(near, 0)[0], 1000, 1e-9);
        EXPECT_NEAR(at(near, 100)[0] - at(near, 0)[0], 156.5, 1e-9);
        EXPECT_EQ(lartpc::voxel_at(detector, at(near, 0)), (lartpc::Voxel{506, 1462, 50}));
    }
}

TEST(Volumes, joined_anodes_lie_side_by_side) {
    const auto& detector = lartpc::protodune_sp();
    const lartpc::Point3 sides{6.26, 8, 8};
    const lartpc::Voxel corner{};
    EXPECT_EQ(lartpc::CommonFrame(detector, 5, sides)(corner)[2], 290);
    EXPECT_EQ(lartpc::CommonFrame(detector, 9, sides)(corner)[2], 580);
    EXPECT_EQ(lartpc::CommonFrame(detector, 5, sides)({7, 1, 2}), (lartpc::Voxel{7, 1, 292}));
}
