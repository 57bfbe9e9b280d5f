#pragma once
/// Which input voxels each output voxel sees, and through which offset of the kernel.
///
/// Output voxel u sees input voxel u + o_k, where the offset of kernel cell (i_x, i_y, i_z) is, on
/// each axis, (begin + i) dilation t with t the stride of the input level. Kernel cells are
/// numbered with the last axis fastest: k = (i_x s_y + i_y) s_z + i_z. Offsets then ascend like
/// voxels, so the entries of a row ascend in k and in the input row at once.

#include "hodo/sparse/coordinates.hh"
#include "hodo/sparse/detail/memory.hh"
#include "hodo/sparse/kernels/kernels.hh"

namespace hodo::sparse {

/// Where an output voxel stands in its kernel.
///  * `centred`: axes of odd size look both ways, even sizes forward from 0 (MinkowskiEngine's
///    rule, and SparseConvNet's for submanifold convolution);
///  * `forward`: every axis looks forward from 0 (SparseConvNet's strided convolution).
enum class Alignment : std::uint8_t { centred, forward };

/// The shape of a kernel.
struct Kernel {
    Triple size{3, 3, 3};
    Triple dilation{1, 1, 1};
    Alignment alignment = Alignment::centred;

    std::int64_t volume() const { return size[0] * size[1] * size[2]; }
    /// The first cell's offset on an axis, in steps.
    std::int64_t begin(std::size_t axis) const {
        return alignment == Alignment::centred && size[axis] % 2 == 1 ? -(size[axis] / 2) : 0;
    }
    /// Offsets come in pairs of opposite sign: cell k is the mirror image of volume - 1 - k.
    bool is_symmetric() const {
        return alignment == Alignment::centred && size[0] % 2 == 1 && size[1] % 2 == 1 &&
               size[2] % 2 == 1;
    }
    friend auto operator<=>(const Kernel&, const Kernel&) = default;
};

/// For each row of one level the rows of another that it meets.
struct Neighbours {
    std::vector<std::int64_t> starts{0};  ///< [rows + 1]
    RecycledVector<Pair> entries;

    std::int64_t rows() const { return static_cast<std::int64_t>(starts.size()) - 1; }
    std::span<const Pair> of(std::int64_t row) const {
        const auto first = static_cast<std::size_t>(starts[static_cast<std::size_t>(row)]);
        const auto last = static_cast<std::size_t>(starts[static_cast<std::size_t>(row) + 1]);
        return std::span(entries).subspan(first, last - first);
    }
};

/// All pairs of `output` and `input` voxels that `kernel` joins. When both are the same level and
/// the kernel is symmetric, one thread finds half of the pairs and mirrors the others; several
/// threads find the pairs of parts of the output.
Neighbours find_neighbours(const Coordinates& output, const Coordinates& input,
                           const Kernel& kernel);

/// The same pairs by row of the other level, `others` rows; entries ascend in the row they name.
Neighbours reversed(const Neighbours& neighbours, std::int64_t others);

/// The level at `stride` times the stride of `fine` whose cells hold its voxels.
Coordinates coarse_cells(const Coordinates& fine, const Triple& stride);

/// All multiples u of `stride` times the stride of `input` that see a voxel of it through the
/// kernel.
Coordinates seeing_sites(const Coordinates& input, const Kernel& kernel, const Triple& stride);

/// All positions v = u + o_k that kernel cells reach from the voxels u of `coarse`, on the level
/// whose stride is that of `coarse` divided by `stride`; offsets are in that finer stride.
Coordinates reached_sites(const Coordinates& coarse, const Kernel& kernel, const Triple& stride);

}  // namespace hodo::sparse
