#pragma once
/// Where the voxels of a batch are: sorted, distinct, with any extent and sign.
///
/// A level is a sorted list of distinct voxels (batch, x, y, z) with the last axis fastest. Since
/// the order depends on the coordinates only, nothing that is computed row by row can depend on the
/// order of the input. Coordinates of coarse levels keep the units of the finest: at stride t they
/// are multiples of t.

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace hodo::sparse {

/// One number per axis: x, y, z.
using Triple = std::array<std::int64_t, 3>;

struct Voxel {
    std::int32_t batch = 0, x = 0, y = 0, z = 0;
    friend auto operator<=>(const Voxel&, const Voxel&) = default;
};

/// The voxels of a level.
class Coordinates {
  public:
    /// Consecutive rows that share all but z.
    struct Line {
        std::int32_t batch, x, y;
        std::int32_t start;  ///< First row.
    };

    Coordinates() = default;
    /// `sorted` is ascending without duplicates; `events` is larger than every batch index.
    Coordinates(std::vector<Voxel> sorted, Triple stride, std::int64_t events);

    std::int64_t size() const { return static_cast<std::int64_t>(voxels_.size()); }
    std::span<const Voxel> voxels() const { return voxels_; }
    const Triple& stride() const { return stride_; }
    std::int64_t events() const { return events_; }
    /// First row of each event, and the number of rows at the end: [events + 1].
    std::span<const std::int64_t> event_starts() const { return event_starts_; }
    /// All lines, and one past the end that holds the number of rows.
    std::span<const Line> lines() const { return lines_; }
    /// The z of each row.
    std::span<const std::int32_t> depths() const {
        return std::span(depths_).first(voxels_.size());
    }
    /// The same, with a few numbers behind the last that may be read but mean nothing.
    const std::int32_t* padded_depths() const { return depths_.data(); }
    /// The row of a voxel, or -1.
    std::int64_t find(const Voxel& voxel) const;

  private:
    std::vector<Voxel> voxels_;
    std::vector<Line> lines_;
    std::vector<std::int32_t> depths_;
    std::vector<std::int64_t> event_starts_;
    Triple stride_{1, 1, 1};
    std::int64_t events_ = 0;
};

using SharedCoordinates = std::shared_ptr<const Coordinates>;

/// Which input rows make up which voxel.
struct Grouping {
    SharedCoordinates voxels;
    std::vector<std::int32_t> voxel_of_row;  ///< [input rows]
    std::vector<std::int64_t> starts;        ///< [voxels + 1]: ranges in `rows`.
    std::vector<std::int32_t> rows;          ///< Input rows by voxel, ascending in each.
};

/// Sorts rows and unites those of one voxel. `events` is by default the largest batch index + 1.
/// Batch indices must not be negative; at most 2^31 - 1 rows.
Grouping group_rows(std::span<const Voxel> rows, Triple stride = {1, 1, 1},
                    std::optional<std::int64_t> events = {});

/// The distinct voxels of `rows`, sorted.
std::vector<Voxel> sorted_distinct(std::vector<Voxel> rows);

/// floor(c / stride) stride on each axis, for negative coordinates too.
Voxel floor_to(const Voxel& voxel, const Triple& stride);

}  // namespace hodo::sparse
