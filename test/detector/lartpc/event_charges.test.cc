#include "hodo/detector/lartpc/event_charges.hh"
#include "detector/lartpc/detectors.hh"
#include "hodo/base/random.hh"
#include "hodo/base/threads.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

namespace base = hodo::base;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;
using testing::HasSubstr;

namespace {

constexpr int slices = 4;
constexpr lartpc::Downsampling factors{4, 3, 3};

/// Charges on voxels of a face, without noise.
struct Scene {
    std::vector<lartpc::Voxel> voxels;
    std::vector<double> charges;
};

Scene random_scene(const lartpc::PixelGrid& grid, std::uint64_t per_slice, std::uint64_t seed) {
    base::Random random(seed, "scene");
    std::set<lartpc::Voxel> places;
    for (int x = 0; x < slices; ++x) {
        for (std::uint64_t i = 0; i < per_slice; ++i) {
            // Inside, where every plane has a wire.
            const auto y = 5 + random.below(std::uint64_t(grid.pixels_y() / factors.y) - 10);
            const auto z = 5 + random.below(std::uint64_t(grid.pixels_z() / factors.z) - 10);
            places.insert({x, int(y), int(z)});
        }
    }
    Scene scene;
    for (auto place = places.rbegin(); place != places.rend(); ++place) {
        scene.voxels.push_back(*place);
        scene.charges.push_back(random.uniform(10, 100));
    }
    return scene;
}

/// What ideal wires see when a voxel's charge lies evenly on its pixels of the face and its ticks.
lartpc::WireSignals wires_of(const lartpc::PixelGrid& grid, const Scene& scene) {
    std::vector<double> matrix(std::size_t(slices * factors.x * grid.channels()));
    for (std::size_t i = 0; i < scene.voxels.size(); ++i) {
        const auto& voxel = scene.voxels[i];
        std::vector<std::array<int, 2>> pixels;
        for (int z = voxel[2] * factors.z; z < (voxel[2] + 1) * factors.z; ++z) {
            for (int y = voxel[1] * factors.y; y < (voxel[1] + 1) * factors.y; ++y) {
                if (z < grid.pixels_z() && y < grid.pixels_y()) pixels.push_back({z, y});
            }
        }
        const double part = scene.charges[i] / double(pixels.size()) / factors.x;
        for (const auto& pixel : pixels) {
            for (int k = 0; k < lartpc::planes_per_face; ++k) {
                const auto share = grid.plane(k).share(pixel[0], pixel[1]);
                for (const int upper : {0, 1}) {
                    const int area = upper ? lartpc::whole_share - share.lower : share.lower;
                    const int channel = grid.plane(k).channel(share.band + upper * (area > 0));
                    if (channel < 0) continue;
                    for (int t = voxel[0] * factors.x; t < (voxel[0] + 1) * factors.x; ++t) {
                        matrix[std::size_t(t * grid.channels() + channel)] +=
                            part * area / lartpc::whole_share;
                    }
                }
            }
        }
    }
    return lartpc::sparse_signals(matrix, slices * factors.x, grid.channels());
}

std::vector<double> solve(const lartpc::PixelGrid& grid, const Scene& scene,
                          lartpc::ChargeMethod method) {
    return lartpc::solve_charges(grid, wires_of(grid, scene), scene.voxels,
                                 {.method = method, .factors = factors}, "event 0");
}

double sum(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

std::vector<lartpc::PixelGrid> grids() {
    return {lartpc::PixelGrid(lartpc::small_detector(), 0),
            lartpc::PixelGrid(lartpc::protodune_sp(), 0),
            lartpc::PixelGrid(lartpc::protodune_sp(), 1)};
}

}  // namespace

TEST(EventCharges, solved_charges_give_the_wires_what_they_saw) {
    for (const auto& grid : grids()) {
        const auto scene = random_scene(grid, 25, 3);
        const auto before = lartpc::dense_signals(wires_of(grid, scene));
        for (const auto method : {lartpc::ChargeMethod::ols, lartpc::ChargeMethod::lasso}) {
            const bool is_ols = method == lartpc::ChargeMethod::ols;
            const auto charges = solve(grid, scene, method);
            const auto after = lartpc::dense_signals(wires_of(grid, {scene.voxels, charges}));
            double difference = 0, square = 0;
            for (std::size_t i = 0; i < before.size(); ++i) {
                difference += (before[i] - after[i]) * (before[i] - after[i]);
                square += before[i] * before[i];
            }
            EXPECT_LT(std::sqrt(difference / square), is_ols ? 1e-6 : 0.03);
            EXPECT_NEAR(sum(charges) / sum(scene.charges), 1, is_ols ? 1e-6 : 0.03);
        }
    }
}

TEST(EventCharges, few_voxels_get_their_own_charges) {
    for (const auto& grid : grids()) {
        const auto scene = random_scene(grid, 3, 5);
        const auto charges = solve(grid, scene, lartpc::ChargeMethod::ols);
        for (std::size_t i = 0; i < charges.size(); ++i) {
            EXPECT_NEAR(charges[i], scene.charges[i], 1e-6);
        }
    }
}

TEST(EventCharges, voxels_that_the_face_cuts_keep_their_charge) {
    const lartpc::PixelGrid grid(lartpc::small_detector(), 0);
    ASSERT_NE(grid.pixels_z() % factors.z, 0);
    const Scene scene{{{1, 15, grid.pixels_z() / factors.z}}, {40}};
    EXPECT_NEAR(solve(grid, scene, lartpc::ChargeMethod::ols).front(), 40, 1e-6);
}

TEST(EventCharges, threads_and_the_order_of_slices_change_no_bit) {
    const lartpc::PixelGrid grid(lartpc::small_detector(), 0);
    const auto scene = random_scene(grid, 30, 7);
    const int before = base::threads();
    base::set_threads(1);
    const auto alone = solve(grid, scene, lartpc::ChargeMethod::lasso);
    base::set_threads(4);
    EXPECT_EQ(solve(grid, scene, lartpc::ChargeMethod::lasso), alone);
    base::set_threads(before);
    auto turned = scene;
    std::stable_sort(turned.voxels.begin(), turned.voxels.end(),
                     [](const auto& a, const auto& b) { return a[0] < b[0]; });
    const auto charges =
        lartpc::solve_charges(grid, wires_of(grid, scene), turned.voxels,
                              {.method = lartpc::ChargeMethod::lasso, .factors = factors}, "");
    for (std::size_t i = 0; i < charges.size(); ++i) {
        const auto at = std::find(scene.voxels.begin(), scene.voxels.end(), turned.voxels[i]);
        EXPECT_EQ(charges[i], alone[std::size_t(at - scene.voxels.begin())]);
    }
}

TEST(EventCharges, voxels_of_other_wires_are_refused) {
    const lartpc::PixelGrid grid(lartpc::small_detector(), 0);
    const Scene scene{{{1, 15, 15}}, {40}};
    const auto signals = wires_of(grid, scene);
    const auto error = [&](std::vector<lartpc::Voxel> voxels, lartpc::Downsampling merged) {
        return test::error_of([&] {
            lartpc::solve_charges(grid, signals, voxels, {.factors = merged}, "xy: event 3");
        });
    };
    EXPECT_THAT(error({{0, 15, 15}}, factors), HasSubstr("xy: event 3: no wire with a signal"));
    EXPECT_THAT(error({{1, 15, 27}}, factors), HasSubstr("(1, 15, 27) lies outside the 4 x 30 x"));
    EXPECT_THAT(error({{-1, 15, 15}}, factors), HasSubstr("outside"));
    EXPECT_THAT(error({{1, 15, 15}}, {5, 3, 3}), HasSubstr("16 ticks cannot be cut"));
    const lartpc::PixelGrid other(lartpc::protodune_sp(), 0);
    EXPECT_THAT(test::error_of([&] {
                    lartpc::solve_charges(other, signals, scene.voxels, {.factors = factors}, "");
                }),
                HasSubstr("300 channels where an anode has 2560"));
    auto broken = signals;
    broken.value.back() = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THAT(test::error_of([&] {
                    lartpc::solve_charges(grid, broken, scene.voxels, {.factors = factors}, "");
                }),
                HasSubstr("not a finite number"));
    EXPECT_TRUE(lartpc::solve_charges(grid, signals, {}, {.factors = factors}, "").empty());
}
