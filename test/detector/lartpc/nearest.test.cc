#include "hodo/detector/lartpc/nearest.hh"
#include "hodo/base/random.hh"

#include <gtest/gtest.h>

#include <cmath>

namespace lartpc = hodo::lartpc;

TEST(Nearest, agrees_with_looking_at_all) {
    hodo::base::Random draw(1, "nearest");
    const auto cloud = [&](int n, int range) {
        std::vector<lartpc::Voxel> voxels;
        for (int i = 0; i < n; ++i) {
            lartpc::Voxel voxel{};
            for (auto& place : voxel) {
                place = std::int32_t(draw.below(std::uint64_t(range))) - range / 2;
            }
            voxels.push_back(voxel);
        }
        return voxels;
    };
    for (const int range : {4, 50, 1000}) {
        const auto among = cloud(200, range), of = cloud(300, range);
        const auto rows = lartpc::nearest_rows(among, of);
        const auto distances = lartpc::nearest_distances(among, of);
        for (std::size_t i = 0; i < of.size(); ++i) {
            double best = 1e18;
            const auto distance = [&](const lartpc::Voxel& v) {
                return std::hypot(v[0] - of[i][0], v[1] - of[i][1], v[2] - of[i][2]);
            };
            for (const auto& v : among) best = std::min(best, distance(v));
            EXPECT_NEAR(distances[i], best, 1e-9);
            const auto& chosen = among[std::size_t(rows[i])];
            EXPECT_NEAR(distance(chosen), best, 1e-9);
            for (const auto& v : among) {
                if (v < chosen) {
                    EXPECT_NE(distance(v), best);
                }
            }
        }
    }
}

TEST(Nearest, nothing_is_near_nothing) {
    const std::vector<lartpc::Voxel> one{{1, 2, 3}};
    EXPECT_EQ(lartpc::nearest_rows({}, one), std::vector<std::int64_t>{-1});
    EXPECT_TRUE(std::isinf(lartpc::nearest_distances({}, one).front()));
    EXPECT_TRUE(lartpc::nearest_rows(one, {}).empty());
}
