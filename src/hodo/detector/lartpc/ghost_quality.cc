#include "hodo/detector/lartpc/ghost_quality.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/nearest.hh"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hodo::lartpc {

namespace {

bool is_true(const VoxelImage& truth, const Voxel& voxel) {
    return std::binary_search(truth.voxels.begin(), truth.voxels.end(), voxel);
}

double part(std::int64_t of, std::int64_t all, double otherwise) {
    return all > 0 ? static_cast<double>(of) / static_cast<double>(all) : otherwise;
}

template <std::size_t n>
void count_distances(std::array<std::int64_t, n>& histogram, const std::vector<double>& distances) {
    for (const double distance : distances) {
        if (!std::isfinite(distance)) continue;
        ++histogram[std::min(n - 1, static_cast<std::size_t>(distance))];
    }
}

Segment segment_of(const Voxel& voxel) {
    return {voxel[1] / segment_y, voxel[2] / segment_z};
}

}  // namespace

VoxelImage truth_above(const VoxelImage& truth, double least) {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < truth.size(); ++i) {
        if (truth.value(i) > 0 && truth.value(i) >= least) rows.push_back(i);
    }
    const auto voxel = [&](std::int64_t i) { return truth.voxels[static_cast<std::size_t>(i)]; };
    std::sort(rows.begin(), rows.end(), [&](auto a, auto b) { return voxel(a) < voxel(b); });
    VoxelImage image{.voxels = {}, .width = truth.width, .values = {}};
    for (const auto row : rows) {
        image.voxels.push_back(voxel(row));
        for (int k = 0; k < truth.width; ++k) image.values.push_back(truth.value(row, k));
    }
    return image;
}

Confusion& Confusion::operator+=(const Confusion& other) {
    true_kept += other.true_kept;
    true_lost += other.true_lost;
    ghosts_kept += other.ghosts_kept;
    ghosts_removed += other.ghosts_removed;
    not_active += other.not_active;
    return *this;
}

double Confusion::efficiency() const {
    return part(true_kept, true_kept + true_lost, 0);
}

double Confusion::purity() const {
    return part(true_kept, true_kept + ghosts_kept, 1);
}

double Confusion::accuracy() const {
    return part(true_kept + ghosts_removed, true_kept + true_lost + ghosts_kept + ghosts_removed,
                0);
}

Confusion confusion(const ScoredEvent& event, double threshold) {
    HODO_DOOR(event.voxels.size() == event.scores.size());
    Confusion counts;
    for (std::size_t i = 0; i < event.voxels.size(); ++i) {
        const bool kept = static_cast<double>(event.scores[i]) > threshold;
        if (is_true(event.truth, event.voxels[i])) {
            ++(kept ? counts.true_kept : counts.true_lost);
        } else {
            ++(kept ? counts.ghosts_kept : counts.ghosts_removed);
        }
    }
    counts.not_active = event.truth.size() - counts.true_kept - counts.true_lost;
    return counts;
}

std::map<std::int64_t, Confusion> confusion_by_particle(const ScoredEvent& event,
                                                        double threshold) {
    std::map<std::int64_t, Confusion> counts;
    const auto& truth = event.truth;
    if (truth.width < 3) return counts;
    const auto pdg = [&](std::int64_t row) {
        return static_cast<std::int64_t>(truth.value(row, 2));
    };
    for (std::int64_t row = 0; row < truth.size(); ++row) ++counts[pdg(row)].not_active;
    for (std::size_t i = 0; i < event.voxels.size(); ++i) {
        const auto place =
            std::lower_bound(truth.voxels.begin(), truth.voxels.end(), event.voxels[i]);
        if (place == truth.voxels.end() || *place != event.voxels[i]) continue;
        auto& of_particle = counts[pdg(place - truth.voxels.begin())];
        --of_particle.not_active;
        const bool kept = static_cast<double>(event.scores[i]) > threshold;
        ++(kept ? of_particle.true_kept : of_particle.true_lost);
    }
    return counts;
}

void add_scores(ScoreHistogram& histogram, const ScoredEvent& event) {
    constexpr auto bins = ScoreHistogram::bins;
    for (std::size_t i = 0; i < event.voxels.size(); ++i) {
        const double place = std::clamp(static_cast<double>(event.scores[i]), 0.0, 1.0) * bins;
        const auto bin = std::min(bins - 1, static_cast<std::size_t>(place));
        auto& counts =
            is_true(event.truth, event.voxels[i]) ? histogram.of_true : histogram.of_ghosts;
        ++counts[bin];
    }
}

void add_distances(ErrorDistances& distances, const ScoredEvent& event, double threshold) {
    std::vector<Voxel> found, lost, ghosts;
    for (std::size_t i = 0; i < event.voxels.size(); ++i) {
        const bool kept = static_cast<double>(event.scores[i]) > threshold;
        const auto& voxel = event.voxels[i];
        if (is_true(event.truth, voxel)) {
            (kept ? found : lost).push_back(voxel);
        } else if (kept) {
            ghosts.push_back(voxel);
        }
    }
    count_distances(distances.of_ghosts, nearest_distances(event.truth.voxels, ghosts));
    count_distances(distances.of_true, nearest_distances(found, lost));
}

VoxelCounts count_voxels(const ScoredEvent& event) {
    const auto active = std::count_if(event.voxels.begin(), event.voxels.end(),
                                      [&](const auto& v) { return is_true(event.truth, v); });
    return {static_cast<double>(event.truth.size()), static_cast<double>(active),
            static_cast<double>(std::ssize(event.voxels) - active)};
}

std::map<Segment, SegmentQuality> segment_quality(const ScoredEvent& event,
                                                  const PurityOptions& options) {
    struct Part {
        VoxelImage truth;
        std::vector<Voxel> voxels;
        std::vector<float> scores;
    };
    std::map<Segment, Part> parts;
    for (std::int64_t i = 0; i < event.truth.size(); ++i) {
        const auto& voxel = event.truth.voxels[static_cast<std::size_t>(i)];
        auto& truth = parts[segment_of(voxel)].truth;
        truth.width = 1;
        truth.voxels.push_back(voxel);
        truth.values.push_back(event.truth.value(i));
    }
    for (std::size_t i = 0; i < event.voxels.size(); ++i) {
        const auto place = parts.find(segment_of(event.voxels[i]));
        if (place == parts.end()) continue;
        place->second.voxels.push_back(event.voxels[i]);
        place->second.scores.push_back(event.scores[i]);
    }
    std::map<Segment, SegmentQuality> result;
    for (const auto& [segment, inside] : parts) {
        const ScoredEvent scored{inside.truth, inside.voxels, inside.scores};
        result[segment] = {purity_curve(inside.truth, inside.voxels, inside.scores, options),
                           count_voxels(scored)};
    }
    return result;
}

}  // namespace hodo::lartpc
