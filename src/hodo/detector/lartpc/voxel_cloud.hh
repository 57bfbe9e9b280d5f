#pragma once
/// Voxels of several events with numbers on them: the common form of everything that a sparse
/// network reads.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hodo::lartpc {

using Voxel = std::array<std::int32_t, 3>;  ///< x (drift), y, z.

/// Rows are voxels; the rows of event e are [starts[e], starts[e + 1]).
struct VoxelCloud {
    std::vector<Voxel> voxels{};
    int width = 0;                  ///< Numbers per voxel.
    std::vector<float> features{};  ///< [voxels, width]
    std::vector<std::int64_t> starts{0};

    /// What is known of every voxel besides: charge or energy, class, particle. Each is empty or
    /// has one value per voxel.
    std::vector<float> truth{};
    std::vector<std::int32_t> semantic{}, particle{}, group{}, interaction{};

    std::int64_t size() const { return static_cast<std::int64_t>(voxels.size()); }
    std::int64_t events() const { return static_cast<std::int64_t>(starts.size()) - 1; }
    std::int64_t begin(std::int64_t event) const { return starts[static_cast<std::size_t>(event)]; }
    std::int64_t end(std::int64_t event) const {
        return starts[static_cast<std::size_t>(event) + 1];
    }
    std::span<const float> row(std::int64_t voxel) const {
        const auto w = static_cast<std::size_t>(width);
        return std::span(features).subspan(static_cast<std::size_t>(voxel) * w, w);
    }
};

/// Voxels with values, of one event: truth or the result of a measurement.
struct VoxelImage {
    std::vector<Voxel> voxels;
    int width = 0;               ///< Values per voxel; the first is charge or energy.
    std::vector<double> values;  ///< [voxels, width]

    std::int64_t size() const { return static_cast<std::int64_t>(voxels.size()); }
    double value(std::int64_t voxel, int column = 0) const {
        return values[static_cast<std::size_t>(voxel * width + column)];
    }
};

}  // namespace hodo::lartpc
