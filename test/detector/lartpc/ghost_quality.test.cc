#include "hodo/detector/lartpc/ghost_quality.hh"
#include "hodo/base/random.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace lartpc = hodo::lartpc;
namespace base = hodo::base;

namespace {

/// Voxels at random places; every fifth is true, and some true ones are not active.
struct Example {
    lartpc::VoxelImage truth{.voxels = {}, .width = 3, .values = {}};
    std::vector<lartpc::Voxel> voxels;
    std::vector<float> perfect, random;

    explicit Example(std::uint64_t seed) {
        base::Random draw(seed, "ghost quality");
        std::set<lartpc::Voxel> places;
        while (places.size() < 3000) {
            places.insert({std::int32_t(draw.below(100)), std::int32_t(draw.below(748)),
                           std::int32_t(draw.below(288))});
        }
        int i = 0;
        for (const auto& place : places) {
            const bool is_true = ++i % 5 == 0, is_active = i % 35 != 0;
            if (is_true) {
                truth.voxels.push_back(place);
                truth.values.insert(truth.values.end(),
                                    {0.1 + draw.uniform(), double(i % 7), i % 2 ? 13.0 : 11.0});
            }
            if (!is_active) continue;
            voxels.push_back(place);
            perfect.push_back(is_true ? 1.0F : 0.0F);
            random.push_back(static_cast<float>(draw.uniform()));
        }
    }
    lartpc::ScoredEvent scored(const std::vector<float>& scores) const {
        return {truth, voxels, scores};
    }
    double active_true() const { return std::accumulate(perfect.begin(), perfect.end(), 0.0); }
};

constexpr lartpc::PurityOptions active{.set = lartpc::TruthSet::active};

}  // namespace

TEST(GhostQuality, a_perfect_network_has_area_one_and_a_random_one_the_part_of_true_voxels) {
    const Example example(1);
    for (const auto weighting : {lartpc::Weighting::number, lartpc::Weighting::charge}) {
        const lartpc::PurityOptions options{lartpc::TruthSet::active, weighting,
                                            lartpc::Comparison::above};
        const auto best =
            lartpc::purity_curve(example.truth, example.voxels, example.perfect, options);
        EXPECT_NEAR(best.area(), 1, 1e-12);
        const auto random =
            lartpc::purity_curve(example.truth, example.voxels, example.random, options);
        EXPECT_NEAR(random.area(), example.active_true() / double(example.voxels.size()), 0.05);
    }
    const auto all = lartpc::purity_curve(example.truth, example.voxels, example.perfect);
    EXPECT_NEAR(all.area(), example.active_true() / double(example.truth.size()), 1e-12);
}

TEST(GhostQuality, the_order_of_voxels_does_not_matter) {
    const Example example(2);
    std::vector<std::size_t> order(example.voxels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    base::Random draw(3, "order");
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[draw.below(i)]);
    std::vector<lartpc::Voxel> voxels;
    std::vector<float> scores;
    for (const auto i : order) {
        voxels.push_back(example.voxels[i]);
        scores.push_back(example.random[i]);
    }
    EXPECT_EQ(lartpc::purity_curve(example.truth, voxels, scores).sensitivity,
              lartpc::purity_curve(example.truth, example.voxels, example.random).sensitivity);
    const lartpc::ScoredEvent shuffled{example.truth, voxels, scores};
    const auto a = lartpc::confusion(shuffled, 0.4),
               b = lartpc::confusion(example.scored(example.random), 0.4);
    EXPECT_EQ(a.true_kept, b.true_kept);
    EXPECT_EQ(a.ghosts_kept, b.ghosts_kept);
    lartpc::ErrorDistances first, second;
    lartpc::add_distances(first, shuffled, 0.4);
    lartpc::add_distances(second, example.scored(example.random), 0.4);
    EXPECT_EQ(first.of_ghosts, second.of_ghosts);
    EXPECT_EQ(first.of_true, second.of_true);
}

TEST(GhostQuality, every_voxel_is_counted_once_everywhere) {
    const Example example(4);
    const auto event = example.scored(example.random);
    const auto counts = lartpc::confusion(event, 0.35);
    EXPECT_EQ(counts.true_kept + counts.true_lost + counts.not_active, example.truth.size());
    EXPECT_EQ(counts.true_kept + counts.true_lost + counts.ghosts_kept + counts.ghosts_removed,
              std::ssize(example.voxels));
    EXPECT_GT(counts.not_active, 0);
    lartpc::Confusion sum;
    for (const auto& [pdg, of_particle] : lartpc::confusion_by_particle(event, 0.35)) {
        EXPECT_TRUE(pdg == 11 || pdg == 13);
        sum += of_particle;
    }
    EXPECT_EQ(sum.true_kept, counts.true_kept);
    EXPECT_EQ(sum.true_lost, counts.true_lost);
    EXPECT_EQ(sum.not_active, counts.not_active);
    EXPECT_EQ(sum.ghosts_kept + sum.ghosts_removed, 0);

    lartpc::ScoreHistogram histogram;
    lartpc::add_scores(histogram, event);
    const auto total = [](const auto& bins) {
        return std::accumulate(bins.begin(), bins.end(), std::int64_t{0});
    };
    EXPECT_EQ(total(histogram.of_true), counts.true_kept + counts.true_lost);
    EXPECT_EQ(total(histogram.of_ghosts), counts.ghosts_kept + counts.ghosts_removed);
    lartpc::ErrorDistances distances;
    lartpc::add_distances(distances, event, 0.35);
    EXPECT_EQ(total(distances.of_ghosts), counts.ghosts_kept);
    EXPECT_EQ(total(distances.of_true), counts.true_lost);
    EXPECT_EQ(distances.of_ghosts[0], 0);  // a ghost is not where a true voxel is

    lartpc::VoxelCounts voxels;
    std::size_t segments = 0;
    for (const auto& [segment, quality] : lartpc::segment_quality(event, active)) {
        EXPECT_LT(segment.first, 2);
        EXPECT_LT(segment.second, 4);
        voxels.all_true += quality.counts.all_true;
        voxels.active_true += quality.counts.active_true;
        voxels.ghosts += quality.counts.ghosts;
        ++segments;
    }
    EXPECT_EQ(segments, 8u);
    const auto whole = lartpc::count_voxels(event);
    EXPECT_EQ(voxels.all_true, whole.all_true);
    EXPECT_EQ(voxels.active_true, whole.active_true);
    EXPECT_EQ(voxels.ghosts, whole.ghosts);
}

TEST(GhostQuality, curve_and_confusion_tell_the_same) {
    const Example example(5);
    const auto curve = lartpc::purity_curve(example.truth, example.voxels, example.random, active);
    for (std::size_t i = 0; i < curve.thresholds.size(); i += 7) {
        const auto counts = lartpc::confusion(example.scored(example.random), curve.thresholds[i]);
        EXPECT_NEAR(counts.purity(), curve.purity[i], 1e-12);
        EXPECT_NEAR(counts.efficiency(), curve.sensitivity[i], 1e-12);
    }
    EXPECT_EQ(lartpc::confusion(example.scored(example.perfect), 0.5).accuracy(), 1);
}

// Joined TPCs whose anodes lie at their upper ends have negative places along the drift.
TEST(GhostQuality, merged_curves_move_with_the_voxels) {
    auto example = Example(6);
    const lartpc::Downsampling factors{2, 3, 4};
    const auto curve = [&] {
        return lartpc::merged_purity_curve(example.truth, example.voxels, example.random, factors);
    };
    const auto here = curve();
    for (auto* voxels : {&example.voxels, &example.truth.voxels}) {
        for (auto& voxel : *voxels) voxel[0] -= 50;
    }
    EXPECT_EQ(curve().purity, here.purity);
    EXPECT_EQ(curve().sensitivity, here.sensitivity);
}

TEST(GhostQuality, truth_below_the_least_value_counts_as_ghost) {
    const lartpc::VoxelImage truth{{{5, 0, 0}, {1, 0, 0}, {3, 0, 0}}, 1, {0.5, 0.17, 0}};
    EXPECT_EQ(lartpc::truth_above(truth, 0).voxels,
              (std::vector<lartpc::Voxel>{{1, 0, 0}, {5, 0, 0}}));
    const auto above = lartpc::truth_above(truth, 0.17);
    EXPECT_EQ(above.size(), 2);
    EXPECT_EQ(lartpc::truth_above(truth, 0.18).size(), 1);
    const std::vector<lartpc::Voxel> voxels{{1, 0, 0}, {9, 0, 0}};
    const std::vector<float> scores{1, 1};
    const auto none = lartpc::truth_above(truth, 9);
    EXPECT_EQ(lartpc::confusion({none, voxels, scores}, 0.5).ghosts_kept, 2);
}
