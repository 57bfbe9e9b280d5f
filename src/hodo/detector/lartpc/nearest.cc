#include "hodo/detector/lartpc/nearest.hh"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace hodo::lartpc {

namespace {

std::int64_t square_distance(const Voxel& a, const Voxel& b) {
    std::int64_t sum = 0;
    for (std::size_t d = 0; d < 3; ++d) {
        const std::int64_t step = std::int64_t{a[d]} - b[d];
        sum += step * step;
    }
    return sum;
}

/// Voxels ordered by (x, y, z); a search goes outwards from its own x.
class Sorted {
  public:
    explicit Sorted(std::span<const Voxel> voxels) : rows_(voxels.size()) {
        std::iota(rows_.begin(), rows_.end(), std::int64_t{0});
        std::stable_sort(rows_.begin(), rows_.end(), [&](auto a, auto b) {
            return voxels[static_cast<std::size_t>(a)] < voxels[static_cast<std::size_t>(b)];
        });
        for (const auto row : rows_) voxels_.push_back(voxels[static_cast<std::size_t>(row)]);
    }

    std::int64_t nearest(const Voxel& voxel) const {
        const auto middle = std::lower_bound(voxels_.begin(), voxels_.end(), voxel);
        auto best = std::numeric_limits<std::int64_t>::max();
        std::ptrdiff_t place = -1;
        const auto visit = [&](std::ptrdiff_t i) {
            const auto& other = voxels_[static_cast<std::size_t>(i)];
            const std::int64_t along = std::int64_t{other[0]} - voxel[0];
            if (along * along > best) return false;
            const auto distance = square_distance(other, voxel);
            if (distance < best || (distance == best && i < place)) {
                best = distance;
                place = i;
            }
            return true;
        };
        for (auto i = middle - voxels_.begin(); i < std::ssize(voxels_) && visit(i);) ++i;
        for (auto i = middle - voxels_.begin(); i > 0 && visit(i - 1);) --i;
        return place < 0 ? -1 : rows_[static_cast<std::size_t>(place)];
    }

  private:
    std::vector<std::int64_t> rows_;
    std::vector<Voxel> voxels_;
};

}  // namespace

std::vector<std::int64_t> nearest_rows(std::span<const Voxel> among, std::span<const Voxel> of) {
    const Sorted sorted(among);
    std::vector<std::int64_t> rows;
    rows.reserve(of.size());
    for (const auto& voxel : of) rows.push_back(sorted.nearest(voxel));
    return rows;
}

std::vector<double> nearest_distances(std::span<const Voxel> among, std::span<const Voxel> of) {
    const auto rows = nearest_rows(among, of);
    std::vector<double> distances;
    distances.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        distances.push_back(rows[i] < 0 ? std::numeric_limits<double>::infinity()
                                        : std::sqrt(static_cast<double>(square_distance(
                                              among[static_cast<std::size_t>(rows[i])], of[i]))));
    }
    return distances;
}

}  // namespace hodo::lartpc
