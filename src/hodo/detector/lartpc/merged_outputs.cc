#include "hodo/detector/lartpc/merged_outputs.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/nearest.hh"
#include "hodo/detector/lartpc/volumes.hh"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace hodo::lartpc {

namespace {

using Layer = std::map<Voxel, double>;

/// The voxels of one layer, moved to 0 along the axis so that distances count across it.
Layer layer_of(const VoxelImage& image, std::size_t axis, std::int32_t at) {
    Layer layer;
    for (std::int64_t i = 0; i < image.size(); ++i) {
        auto voxel = image.voxels[static_cast<std::size_t>(i)];
        if (voxel[axis] != at) continue;
        voxel[axis] = 0;
        layer[voxel] = image.value(i);
    }
    return layer;
}

std::vector<Voxel> places_of(const Layer& layer) {
    std::vector<Voxel> places;
    for (const auto& [voxel, value] : layer) places.push_back(voxel);
    return places;
}

class Gap {
  public:
    Gap(std::size_t axis, std::int32_t last, std::int32_t first)
        : axis_(axis), last_(last), first_(first) {}

    /// Joins every voxel of `from` to its nearest of `to`; `from` is the layer at `last` or not.
    void join(const Layer& from, const Layer& to, bool from_is_low) {
        const auto starts = places_of(from), ends = places_of(to);
        const auto nearest = nearest_rows(ends, starts);
        for (std::size_t i = 0; i < starts.size(); ++i) {
            if (nearest[i] < 0) continue;
            const auto& start = starts[i];
            const auto& end = ends[static_cast<std::size_t>(nearest[i])];
            if (nearest_distances(std::span(&end, 1), std::span(&start, 1)).front() >
                farthest_partner) {
                continue;
            }
            if (from_is_low) {
                line(start, from.at(start), end, to.at(end));
            } else {
                line(end, to.at(end), start, from.at(start));
            }
        }
    }

    VoxelImage image() const {
        VoxelImage image{.voxels = {}, .width = 1, .values = {}};
        for (const auto& [voxel, value] : filled_) {
            if (!(value > least_filled)) continue;
            image.voxels.push_back(voxel);
            image.values.push_back(value);
        }
        return image;
    }

  private:
    void line(const Voxel& low, double low_value, const Voxel& high, double high_value) {
        for (auto at = last_ + 1; at < first_; ++at) {
            const double part = static_cast<double>(at - last_) / (first_ - last_);
            Voxel voxel{};
            for (std::size_t d = 0; d < 3; ++d) {
                voxel[d] = static_cast<std::int32_t>(std::lround(
                    std::lerp(static_cast<double>(low[d]), static_cast<double>(high[d]), part)));
            }
            voxel[axis_] = at;
            auto& value = filled_[voxel];
            value = std::max(value, std::lerp(low_value, high_value, part));
        }
    }

    std::size_t axis_;
    std::int32_t last_, first_;
    std::map<Voxel, double> filled_;
};

/// The axis along which the box of one TPC begins behind the end of the other's.
std::optional<std::size_t> axis_between(const Tpc& low, const Tpc& high) {
    for (std::size_t d = 0; d < 3; ++d) {
        if (high.low[d] > low.high[d]) return d;
    }
    return std::nullopt;
}

}  // namespace

VoxelImage fill_gap(const VoxelImage& low, const VoxelImage& high, std::size_t axis,
                    std::int32_t last, std::int32_t first) {
    HODO_DOOR(axis < 3 && last < first);
    const auto below = layer_of(low, axis, last), above = layer_of(high, axis, first);
    Gap gap(axis, last, first);
    gap.join(below, above, true);
    gap.join(above, below, false);
    return gap.image();
}

VoxelImage merge_outputs(std::span<const VoxelImage> images, const Detector& detector,
                         std::span<const int> tpcs, Downsampling factors) {
    HODO_DOOR(!images.empty() && images.size() == tpcs.size());
    const auto voxel = detector.voxel();
    const Point3 sides{voxel[0] * factors.x, voxel[1] * factors.y, voxel[2] * factors.z};
    std::vector<VoxelImage> moved;
    for (std::size_t i = 0; i < images.size(); ++i) {
        const CommonFrame frame(detector, tpcs[i], sides, 0, tpcs.front());
        moved.push_back(images[i]);
        for (auto& place : moved.back().voxels) place = frame(place);
    }
    std::map<Voxel, double> all;
    const auto add = [&](const VoxelImage& image) {
        for (std::int64_t i = 0; i < image.size(); ++i) {
            all.emplace(image.voxels[static_cast<std::size_t>(i)], image.value(i));
        }
    };
    for (const auto& image : moved) add(image);
    for (std::size_t i = 0; i + 1 < moved.size(); ++i) {
        const auto& low = detector.tpc(tpcs[i]);
        const auto& high = detector.tpc(tpcs[i + 1]);
        const auto axis = axis_between(low, high);
        if (!axis || *axis == 0) continue;  // along the drift there is no gap of wires
        const auto frame_of = [&](std::size_t part) {
            return CommonFrame(detector, tpcs[part], sides, 0, tpcs.front());
        };
        Voxel inner{};
        inner[*axis] = static_cast<std::int32_t>((low.high[*axis] - low.low[*axis]) / sides[*axis]);
        const auto last = frame_of(i)(inner)[*axis], first = frame_of(i + 1)(Voxel{})[*axis];
        if (last < first) add(fill_gap(moved[i], moved[i + 1], *axis, last, first));
    }
    VoxelImage merged{.voxels = {}, .width = 1, .values = {}};
    for (const auto& [place, value] : all) {
        merged.voxels.push_back(place);
        merged.values.push_back(value);
    }
    return merged;
}

}  // namespace hodo::lartpc
