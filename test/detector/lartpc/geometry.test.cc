#include "hodo/detector/lartpc/geometry.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace lartpc = hodo::lartpc;
using testing::HasSubstr;

TEST(WireGeometry, every_channel_of_an_anode_is_read_and_stereo_channels_are_wrapped) {
    const auto& detector = lartpc::protodune_sp();
    std::map<int, int> segments;
    for (const auto& face : detector.faces) {
        for (const auto& plane : face.planes) {
            for (int wire = 0; wire < plane.wires(); ++wire) ++segments[plane.channel(wire)];
        }
    }
    EXPECT_EQ(segments.size(), 2560u);
    EXPECT_EQ(segments.begin()->first, 0);
    EXPECT_EQ(segments.rbegin()->first, 2559);
    EXPECT_EQ(segments[1600], 1);
    for (const auto& face : detector.faces) {
        for (const auto& plane : face.planes) {
            std::map<int, int> wires;
            for (int wire = 0; wire < plane.wires(); ++wire) ++wires[plane.channel(wire)];
            int twice = 0;
            for (const auto& [channel, count] : wires) twice += count == 2 ? 1 : 0;
            EXPECT_EQ(twice, plane.name == "X" ? 0 : 348) << plane.name;
        }
    }
}

TEST(WireGeometry, wires_beyond_a_plane_have_no_channel) {
    const auto& plane = lartpc::protodune_sp().faces[0].planes[0];
    EXPECT_EQ(plane.channel(-1), lartpc::no_channel);
    EXPECT_EQ(plane.channel(plane.wires()), lartpc::no_channel);
    EXPECT_NE(plane.channel(plane.wires() - 1), lartpc::no_channel);
}

TEST(WireGeometry, planes_are_sorted_by_angle_so_features_depend_on_the_face) {
    const auto& faces = lartpc::protodune_sp().faces;
    EXPECT_EQ(faces[0].planes[0].name, "V");
    EXPECT_EQ(faces[1].planes[0].name, "U");
    for (const auto& face : faces) {
        EXPECT_LT(face.planes[0].angle, face.planes[1].angle);
        EXPECT_LT(face.planes[1].angle, face.planes[2].angle);
    }
}

TEST(WireGeometry, an_unknown_tpc_is_named) {
    EXPECT_THAT(hodo::test::error_of([] { lartpc::protodune_sp().tpc(12); }), HasSubstr("TPC 12"));
}
