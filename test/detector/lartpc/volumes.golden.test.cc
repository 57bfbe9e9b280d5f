// Boxes and transforms of the published code.

#include "hodo/detector/lartpc/volumes.hh"
#include "hodo/base/text.hh"
#include "hodo/io/npz.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

namespace base = hodo::base;
namespace io = hodo::io;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

TEST(VolumesGolden, boxes_and_transforms_agree_with_the_published_code) {
    const auto files = test::reference_files("lartpc", "analysis.npz");
    HODO_REQUIRE_REFERENCE(files, "lartpc/analysis.npz");
    const auto& detector = lartpc::protodune_sp();
    const double time = 12.5;  // of the stored deposits [us]
    const std::vector<lartpc::Voxel> local{{0, 0, 0}, {10, 20, 30}, {500, 700, 200}};
    int tpcs = 0;
    for (const auto& file : files) {
        for (const auto& name : io::npz_names(file)) {
            if (!name.starts_with("box/")) continue;
            const auto number = base::parse_int(name.substr(4));
            ASSERT_TRUE(number);
            const int tpc = static_cast<int>(*number);
            SCOPED_TRACE("TPC " + std::to_string(tpc));
            const auto of = [&](const char* key) {
                return io::read_npz(file, base::format(key, tpc)).doubles();
            };
            const auto box = of("box/{}"), in = of("transform/{}_in"), out = of("transform/{}_out"),
                       inverse = of("inverse/{}_out"), residual = of("inverse/{}_resid");
            const auto found = lartpc::local_point(detector, tpc, {in[0], in[1], in[2]}, time);
            ASSERT_TRUE(found);
            const auto sides = detector.voxel();
            const lartpc::CommonFrame frame(detector, tpc,
                                            {8 * sides[0], 4 * sides[1], 4 * sides[2]});
            for (std::size_t d = 0; d < 3; ++d) {
                EXPECT_EQ(detector.tpc(tpc).low[d], box[d]);
                EXPECT_EQ(detector.tpc(tpc).high[d], box[3 + d]);
                EXPECT_NEAR((*found)[d], out[d], 1e-9);
                EXPECT_NEAR(frame.residual()[d], residual[d], 1e-9);
                for (std::size_t row = 0; row < local.size(); ++row) {
                    EXPECT_EQ(frame(local[row])[d], inverse[3 * row + d]);
                }
            }
            ++tpcs;
        }
    }
    std::cout << tpcs << " TPCs\n";
    EXPECT_GT(tpcs, 0);
}
