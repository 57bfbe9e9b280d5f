#pragma once
/// What a sparse network reads and what it should answer: the voxels of one or several xy files as
/// plain arrays.
///
/// Rows stand as in the files, one file after the other, events ascending in each. A batch may have
/// no voxels at all; an event or a file without voxels keeps its place and its number.

#include "hodo/base/text.hh"

#include <cstdint>
#include <span>
#include <vector>

namespace hodo::lartpc {

/// N voxels of E events of F files.
struct VoxelBatch {
    std::vector<std::int32_t> coordinates{};  ///< [N, 4]: x (drift), y, z [voxels], event in batch.
    std::int64_t width = 3;                   ///< Features of a voxel.
    /// [N, width]: charges of the three planes in the file's units, then one column per z segment.
    std::vector<float> features{};
    /// [N]: 1 for a true voxel and 0 for a ghost, or the (scaled) true charge or energy; empty when
    /// a file of the batch has no truth.
    std::vector<float> targets{};

    /// Coarse cells, when asked for (`VoxelTreatment::cells`); else empty.
    std::vector<std::int32_t> cell{};  ///< [N]: a row of `cell_charge`; -1: no truth in this cell.
    std::vector<float> cell_charge{};  ///< True charge, scaled as targets; cells of all events.

    std::vector<std::int64_t> event_starts{0};  ///< [E + 1]: first row of each event, then N.
    std::vector<std::int64_t> file_starts{0};   ///< [F + 1]: first row of each file, then N.
    std::vector<std::int64_t> file_events{0};   ///< [F + 1]: first event of each file, then E.
    std::vector<base::Path> files{};            ///< [F]
    std::vector<std::int64_t> samples{};        ///< [F]: number of each file in its data set.

    std::int64_t size() const { return static_cast<std::int64_t>(coordinates.size() / 4); }
    std::int64_t events() const { return static_cast<std::int64_t>(event_starts.size()) - 1; }
    bool has_targets() const { return targets.size() * 4 == coordinates.size(); }

    /// The part of a value per voxel that belongs to file `file` of the batch.
    template <class T>
    std::span<const T> of_file(std::span<const T> rows, std::size_t file) const {
        const auto begin = static_cast<std::size_t>(file_starts[file]);
        const auto end = static_cast<std::size_t>(file_starts[file + 1]);
        return rows.subspan(begin, end - begin);
    }
};

}  // namespace hodo::lartpc
