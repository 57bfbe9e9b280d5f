#include "hodo/detector/lartpc/purity.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/truth.hh"

#include <algorithm>
#include <cmath>
#include <map>

namespace hodo::lartpc {

namespace {

constexpr int threshold_count = 50;

/// Voxels with what is true of them.
struct Scored {
    double score = 0, truth = 0;
    bool is_true = false;
};

PurityCurve curve_of(std::vector<Scored> voxels, double all, const PurityOptions& options) {
    std::sort(voxels.begin(), voxels.end(),
              [](const Scored& a, const Scored& b) { return a.score < b.score; });
    // Sums over the voxels from each rank upwards.
    std::vector<double> kept(voxels.size() + 1), right(voxels.size() + 1);
    std::vector<double> found(voxels.size() + 1);
    for (std::size_t i = voxels.size(); i-- > 0;) {
        kept[i] = kept[i + 1] + 1;
        right[i] = right[i + 1] + (voxels[i].is_true ? 1 : 0);
        const double weight = options.weighting == Weighting::charge ? voxels[i].truth : 1;
        found[i] = found[i + 1] + (voxels[i].is_true ? weight : 0);
    }
    PurityCurve curve;
    for (int step = 0; step < threshold_count; ++step) {
        const double threshold = step / double{threshold_count};
        const auto first =
            std::partition_point(voxels.begin(), voxels.end(), [&](const Scored& voxel) {
                return options.comparison == Comparison::above ? voxel.score <= threshold
                                                               : voxel.score < threshold;
            });
        const auto rank = static_cast<std::size_t>(first - voxels.begin());
        curve.thresholds.push_back(threshold);
        curve.purity.push_back(kept[rank] > 0 ? right[rank] / kept[rank] : 1.0);
        curve.sensitivity.push_back(all > 0 ? found[rank] / all : 0.0);
    }
    return curve;
}

}  // namespace

double PurityCurve::area() const {
    double area = 0;
    for (std::size_t i = 0; i < purity.size(); ++i) {
        const double next = i + 1 < sensitivity.size() ? sensitivity[i + 1] : 0;
        area += (sensitivity[i] - next) * purity[i];
    }
    return area;
}

std::size_t PurityCurve::best() const {
    std::size_t best = 0;
    for (std::size_t i = 1; i < purity.size(); ++i) {
        if (purity[i] + sensitivity[i] > purity[best] + sensitivity[best]) best = i;
    }
    return best;
}

PurityCurve purity_curve(const VoxelImage& truth, std::span<const Voxel> voxels,
                         std::span<const float> scores, const PurityOptions& options) {
    HODO_DOOR(voxels.size() == scores.size());
    std::map<Voxel, double> values;
    for (std::int64_t i = 0; i < truth.size(); ++i) {
        values[truth.voxels[static_cast<std::size_t>(i)]] += truth.value(i);
    }
    const bool by_charge = options.weighting == Weighting::charge;
    double all = 0;
    std::vector<Scored> scored;
    scored.reserve(voxels.size());
    for (std::size_t i = 0; i < voxels.size(); ++i) {
        const auto found = values.find(voxels[i]);
        const bool is_true = found != values.end();
        const double value = is_true ? found->second : 0;
        scored.push_back({scores[i], value, is_true});
        if (is_true && options.set == TruthSet::active) all += by_charge ? value : 1;
    }
    if (options.set == TruthSet::all) {
        for (const auto& [voxel, value] : values) all += by_charge ? value : 1;
    }
    return curve_of(std::move(scored), all, options);
}

PurityCurve merged_purity_curve(const VoxelImage& truth, std::span<const Voxel> voxels,
                                std::span<const float> scores, Downsampling factors,
                                const PurityOptions& options) {
    HODO_DOOR(voxels.size() == scores.size());
    std::map<Voxel, float> best;
    for (std::size_t i = 0; i < voxels.size(); ++i) {
        const auto [place, is_new] = best.emplace(merged_voxel(voxels[i], factors), scores[i]);
        if (!is_new) place->second = std::max(place->second, scores[i]);
    }
    std::vector<Voxel> coarse;
    std::vector<float> highest;
    for (const auto& [voxel, score] : best) {
        coarse.push_back(voxel);
        highest.push_back(score);
    }
    return purity_curve(merge_truth(truth, factors), coarse, highest, options);
}

PurityCurve mean_curve(std::span<const PurityCurve> curves) {
    PurityCurve mean;
    if (curves.empty()) return mean;
    mean.thresholds = curves.front().thresholds;
    mean.purity.resize(mean.thresholds.size());
    mean.sensitivity.resize(mean.thresholds.size());
    for (const auto& curve : curves) {
        HODO_DOOR(curve.thresholds == mean.thresholds);
        for (std::size_t i = 0; i < mean.purity.size(); ++i) {
            mean.purity[i] += curve.purity[i] / static_cast<double>(curves.size());
            mean.sensitivity[i] += curve.sensitivity[i] / static_cast<double>(curves.size());
        }
    }
    return mean;
}

VoxelImage voxelize(std::span<const double> points, const Point3& sides,
                    std::span<const Merge> columns) {
    const auto width = columns.size() + 3;
    HODO_DOOR(points.size() % width == 0);
    std::map<Voxel, std::vector<std::size_t>> rows;
    for (std::size_t i = 0; i < points.size(); i += width) {
        Voxel voxel{};
        for (std::size_t d = 0; d < 3; ++d) {
            voxel[d] = static_cast<std::int32_t>(std::floor(points[i + d] / sides[d]));
        }
        rows[voxel].push_back(i);
    }
    VoxelImage image{.voxels = {}, .width = static_cast<int>(columns.size()), .values = {}};
    for (const auto& [voxel, members] : rows) {
        image.voxels.push_back(voxel);
        for (std::size_t c = 0; c < columns.size(); ++c) {
            double sum = 0;
            std::map<double, int> votes;
            for (const auto row : members) {
                sum += points[row + 3 + c];
                ++votes[points[row + 3 + c]];
            }
            const auto most =
                std::max_element(votes.begin(), votes.end(),
                                 [](const auto& a, const auto& b) { return a.second < b.second; });
            image.values.push_back(columns[c] == Merge::sum ? sum
                                   : columns[c] == Merge::mean
                                       ? sum / static_cast<double>(members.size())
                                       : most->first);
        }
    }
    return image;
}

}  // namespace hodo::lartpc
