#include "hodo/detector/lartpc/tiling.hh"
#include "detector/lartpc/detectors.hh"
#include "hodo/base/random.hh"
#include "hodo/base/threads.hh"
#include "hodo/detector/lartpc/wire_signals.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace base = hodo::base;
namespace lartpc = hodo::lartpc;
using testing::HasSubstr;

namespace {

/// Deposits on pixels of a face, and the samples of ideal wires that see them.
struct Scene {
    lartpc::WireSignals signals;
    std::vector<lartpc::Voxel> deposits;  ///< (tick, y, z), pixel resolution.
};

Scene random_scene(const lartpc::PixelGrid& grid, int ticks, int deposits, std::uint64_t seed) {
    base::Random random(seed, "scene");
    std::vector<double> matrix(std::size_t(ticks * grid.channels()));
    Scene scene;
    for (int i = 0; i < deposits; ++i) {
        const lartpc::Voxel at{static_cast<int>(random.below(std::uint64_t(ticks))),
                               static_cast<int>(random.below(std::uint64_t(grid.pixels_y()))),
                               static_cast<int>(random.below(std::uint64_t(grid.pixels_z())))};
        scene.deposits.push_back(at);
        const double charge = random.uniform(1, 5);
        for (int k = 0; k < lartpc::planes_per_face; ++k) {
            const auto share = grid.plane(k).share(at[2], at[1]);
            for (const int upper : {0, 1}) {
                const int part = upper ? lartpc::whole_share - share.lower : share.lower;
                const int channel = grid.plane(k).channel(share.band + upper);
                if (part == 0 || channel < 0) continue;
                matrix[std::size_t(at[0] * grid.channels() + channel)] += charge * part / 1000;
            }
        }
    }
    // Noise below the threshold and negative samples are spread as well.
    for (int i = 0; i < 200; ++i) {
        matrix[random.below(matrix.size())] += random.uniform(-0.001, 0.0009);
    }
    scene.signals = lartpc::sparse_signals(matrix, ticks, grid.channels());
    return scene;
}

void expect_deposits_are_active(const Scene& scene, const lartpc::TiledEvent& event) {
    const std::set<lartpc::Voxel> active(event.voxels.begin(), event.voxels.end());
    for (const auto& at : scene.deposits) EXPECT_TRUE(active.contains(at));
}

/// For every channel that overlaps an active pixel, the pixels' shares add up to its sample: so
/// the sum over the voxels of plane k is the sum of those samples.
void expect_charge_is_conserved(const lartpc::PixelGrid& grid, const lartpc::WireSignals& signals,
                                const lartpc::TiledEvent& event) {
    std::array<double, 3> expected{}, found{};
    std::set<std::array<int, 3>> counted;  // tick, plane, channel
    const auto matrix = lartpc::dense_signals(signals);
    for (std::size_t i = 0; i < event.voxels.size(); ++i) {
        const auto& v = event.voxels[i];
        for (int k = 0; k < lartpc::planes_per_face; ++k) {
            found[std::size_t(k)] += event.charge[i][std::size_t(k)];
            const auto share = grid.plane(k).share(v[2], v[1]);
            for (const int upper : {0, 1}) {
                const int part = upper ? lartpc::whole_share - share.lower : share.lower;
                const int channel = grid.plane(k).channel(share.band + upper);
                if (part == 0 || channel < 0) continue;
                if (!counted.insert({v[0], k, channel}).second) continue;
                expected[std::size_t(k)] += matrix[std::size_t(v[0] * grid.channels() + channel)];
            }
        }
    }
    for (std::size_t k = 0; k < 3; ++k) {
        EXPECT_GT(expected[k], 0);
        EXPECT_NEAR(found[k], expected[k], 1e-9 * expected[k]);
    }
}

class AnyFace : public testing::TestWithParam<int> {
  protected:
    /// 0, 1: a corner of ProtoDUNE-SP's faces; 2: another detector.
    lartpc::PixelGrid grid() const {
        if (GetParam() == 2) return lartpc::PixelGrid(lartpc::small_detector(), 0);
        return lartpc::PixelGrid(lartpc::protodune_sp(), GetParam(), 100, 140);
    }
};

}  // namespace

TEST_P(AnyFace, tiling_contains_every_deposit_and_conserves_charge) {
    const auto box = grid();
    const auto scene = random_scene(box, 16, 60, 7);
    const auto event = lartpc::Tiler(box).tile(scene.signals, {1, 1, 1});
    expect_deposits_are_active(scene, event);
    expect_charge_is_conserved(box, scene.signals, event);
}

TEST_P(AnyFace, active_pixels_are_those_that_a_plain_search_finds) {
    const auto box = grid();
    const auto scene = random_scene(box, 4, 25, 11);
    const auto matrix = lartpc::dense_signals(scene.signals);
    for (const auto border : {lartpc::Border::active, lartpc::Border::inactive}) {
        std::vector<lartpc::Voxel> expected;
        for (int tick = 0; tick < scene.signals.ticks(); ++tick) {
            for (int y = 0; y < box.pixels_y(); ++y) {
                for (int z = 0; z < box.pixels_z(); ++z) {
                    bool active = true;
                    for (int k = 0; k < lartpc::planes_per_face && active; ++k) {
                        const auto share = box.plane(k).share(z, y);
                        bool covered = false;
                        for (const int upper : {0, 1}) {
                            if (upper ? share.lower == lartpc::whole_share : share.lower == 0) {
                                continue;
                            }
                            const int channel = box.plane(k).channel(share.band + upper);
                            covered |=
                                channel < 0
                                    ? border == lartpc::Border::active
                                    : matrix[std::size_t(tick * box.channels() + channel)] > 0.001;
                        }
                        active = covered;
                    }
                    if (active) expected.push_back({tick, y, z});
                }
            }
        }
        const auto found = lartpc::Tiler(box, {.threshold = 0.001, .border = border})
                               .tile(scene.signals, {1, 1, 1});
        EXPECT_EQ(found.voxels, expected);
    }
}

TEST_P(AnyFace, merging_while_tiling_equals_merging_afterwards) {
    const auto box = grid();
    const auto scene = random_scene(box, 16, 60, 13);
    const lartpc::Tiler tiler(box);
    const auto at_once = tiler.tile(scene.signals, {8, 4, 4});
    const auto later = lartpc::downsample(tiler.tile(scene.signals, {1, 1, 1}), {8, 4, 4});
    ASSERT_EQ(at_once.voxels, later.voxels);
    for (std::size_t i = 0; i < at_once.voxels.size(); ++i) {
        for (std::size_t k = 0; k < 3; ++k) {
            EXPECT_NEAR(at_once.charge[i][k], later.charge[i][k],
                        1e-12 * (1 + std::abs(later.charge[i][k])));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Faces, AnyFace, testing::Values(0, 1, 2));

TEST(Tiling, threads_change_nothing) {
    const lartpc::PixelGrid grid(lartpc::protodune_sp(), 0, 100, 140);
    const auto scene = random_scene(grid, 512, 600, 17);
    const int before = base::threads();
    base::set_threads(1);
    const auto one = lartpc::Tiler(grid).tile(scene.signals, {8, 4, 4});
    base::set_threads(3);
    const auto three = lartpc::Tiler(grid).tile(scene.signals, {8, 4, 4});
    base::set_threads(before);
    EXPECT_EQ(one.voxels, three.voxels);
    EXPECT_EQ(one.charge, three.charge);
}

TEST(Tiling, a_sample_equal_to_the_threshold_does_not_fire) {
    const auto detector = lartpc::small_detector();
    const lartpc::PixelGrid grid(detector, 0);
    const auto scene = random_scene(grid, 1, 1, 19);
    double least = 1e9;
    for (const double value : scene.signals.value) {
        if (value > 0.5) least = std::min(least, value);
    }
    EXPECT_GT(lartpc::Tiler(grid, {.threshold = 0.4}).tile(scene.signals, {1, 1, 1}).size(), 0);
    EXPECT_EQ(lartpc::Tiler(grid, {.threshold = 100}).tile(scene.signals, {1, 1, 1}).size(), 0);
    auto all_equal = scene.signals;
    for (double& value : all_equal.value) value = value > 0.5 ? 1.0 : 0.0;
    const lartpc::TilingOptions strict{.threshold = 1.0, .border = lartpc::Border::inactive};
    EXPECT_EQ(lartpc::Tiler(grid, strict).tile(all_equal, {1, 1, 1}).size(), 0);
}

TEST(Tiling, an_event_without_signal_has_no_voxels) {
    const auto detector = lartpc::small_detector();
    const lartpc::PixelGrid grid(detector, 0);
    lartpc::WireSignals nothing{.channels = grid.channels(),
                                .starts = std::vector<std::int64_t>(9)};
    EXPECT_EQ(lartpc::Tiler(grid).tile(nothing).size(), 0);
}

TEST(Tiling, wrong_sizes_are_told) {
    const auto detector = lartpc::small_detector();
    const lartpc::Tiler tiler{lartpc::PixelGrid(detector, 0)};
    lartpc::WireSignals signals{.channels = 300, .starts = std::vector<std::int64_t>(11)};
    EXPECT_THAT(hodo::test::error_of([&] { tiler.tile(signals); }), HasSubstr("10 ticks"));
    signals.channels = 2560;
    EXPECT_THAT(hodo::test::error_of([&] {
                    tiler.tile(signals, {1, 1, 1});
                }),
                HasSubstr("2560 channels"));
}

TEST(WireSignals, sparse_and_dense_forms_agree) {
    const std::vector<double> matrix{0, 1, 0, -2, 0, 0, 0, 0, 0.5};
    const auto signals = lartpc::sparse_signals(matrix, 3, 3);
    EXPECT_EQ(signals.size(), 3);
    EXPECT_DOUBLE_EQ(signals.total(), -0.5);
    EXPECT_EQ(lartpc::dense_signals(signals), matrix);
}
