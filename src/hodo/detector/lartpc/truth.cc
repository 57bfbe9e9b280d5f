#include "hodo/detector/lartpc/truth.hh"

#include "hodo/base/error.hh"

#include <algorithm>
#include <map>

namespace hodo::lartpc {

namespace {

std::int32_t floor_divide(std::int32_t value, std::int32_t factor) {
    return value >= 0 ? value / factor : -((-value + factor - 1) / factor);
}

/// The most frequent of some values; the lowest among equals.
double most_frequent(std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    double best = values.front();
    std::ptrdiff_t most = 0;
    for (auto run = values.begin(); run != values.end();) {
        const auto end = std::upper_bound(run, values.end(), *run);
        if (end - run > most) {
            most = end - run;
            best = *run;
        }
        run = end;
    }
    return best;
}

}  // namespace

Voxel merged_voxel(const Voxel& voxel, Downsampling factors) {
    return {floor_divide(voxel[0], factors.x), floor_divide(voxel[1], factors.y),
            floor_divide(voxel[2], factors.z)};
}

VoxelImage merge_truth(const VoxelImage& truth, Downsampling factors) {
    HODO_DOOR(factors.x > 0 && factors.y > 0 && factors.z > 0);
    std::vector<std::pair<Voxel, std::int64_t>> order;
    order.reserve(truth.voxels.size());
    for (std::int64_t i = 0; i < truth.size(); ++i) {
        order.push_back({merged_voxel(truth.voxels[static_cast<std::size_t>(i)], factors), i});
    }
    std::sort(order.begin(), order.end());
    VoxelImage merged{.voxels = {}, .width = truth.width, .values = {}};
    std::vector<double> group;
    for (auto first = order.begin(); first != order.end();) {
        const auto end = std::find_if(first, order.end(),
                                      [&](const auto& next) { return next.first != first->first; });
        merged.voxels.push_back(first->first);
        for (int column = 0; column < truth.width; ++column) {
            group.clear();
            double sum = 0;
            for (auto row = first; row != end; ++row) {
                group.push_back(truth.value(row->second, column));
                sum += group.back();
            }
            merged.values.push_back(column == 0 ? sum : most_frequent(group));
        }
        first = end;
    }
    return merged;
}

std::vector<float> truth_at(const VoxelImage& truth, std::span<const Voxel> voxels) {
    std::vector<float> values;
    values.reserve(voxels.size());
    for (const auto& voxel : voxels) {
        const auto found = std::lower_bound(truth.voxels.begin(), truth.voxels.end(), voxel);
        const bool is_there = found != truth.voxels.end() && *found == voxel;
        values.push_back(is_there ? static_cast<float>(truth.value(found - truth.voxels.begin()))
                                  : 0.0F);
    }
    return values;
}

}  // namespace hodo::lartpc
