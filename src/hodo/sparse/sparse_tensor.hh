#pragma once
/// A batch of sparse events as layers see it, the way in and the way out.
///
///     auto input = from_rows(coordinates, features);        // rows of a file, duplicates united
///     auto y = conv(input.tensor, weight, bias, spec);      // sparse/conv.hh
///     auto scores = to_rows(y, input);                      // one row per input row again
///
/// Rows of a tensor are in the order of its coordinates (batch, x, y, z), never in that of the
/// input. So the order of input rows, the number of threads and, but for layers that are meant to
/// mix events, the other events of the batch do not change a result by a bit.
///
/// Tensors are float32, or double (readable loops: for checks), on the CPU or, in builds with CUDA,
/// on a device; coordinates and maps are on the CPU always. No voxels at all, an
/// event without voxels and coordinates as far as 32 bits reach are ordinary input.

#include "hodo/sparse/rulebook.hh"
#include "hodo/tensor/torch.hh"

namespace hodo::sparse {

struct SparseTensor {
    SharedCoordinates coordinates;
    at::Tensor features;         ///< [voxels, channels]
    std::shared_ptr<Maps> maps;  ///< Levels and rulebooks of the batch, shared by its tensors.

    /// The same voxels with other features.
    SparseTensor with(at::Tensor other) const { return {coordinates, std::move(other), maps}; }
    std::int64_t voxels() const { return coordinates->size(); }
    std::int64_t channels() const { return features.size(1); }
};

/// How rows of one voxel are united. SparseConvNet's input modes 1, 2, 3, 4 are `first`, `last`,
/// `sum`, `mean`; MinkowskiEngine's default is `first`.
enum class Merge : std::uint8_t { first, last, sum, mean };

/// Which column of the coordinates holds the event: 0 (MinkowskiEngine) or 3 (SparseConvNet).
enum class EventColumn : std::uint8_t { first, last };

struct InputOptions {
    Merge merge = Merge::sum;
    EventColumn event_column = EventColumn::first;
    Triple stride{1, 1, 1};              ///< All coordinates are multiples of it.
    std::optional<std::int64_t> events;  ///< Default: the largest event number + 1.
};

struct RowLists;

struct Input {
    SparseTensor tensor;
    std::shared_ptr<const Grouping> grouping;
    std::shared_ptr<const RowLists> lists;  ///< From voxels to input rows and back.
};

/// `coordinates` [rows, 4] int32 or int64, `features` [rows, channels]. Gradients go to every row
/// that a voxel was made of.
Input from_rows(const at::Tensor& coordinates, const at::Tensor& features,
                const InputOptions& options = {});

/// The features of each input row's voxel, in the order of the input rows: [rows, channels].
/// Gradients of a voxel's rows add up.
at::Tensor to_rows(const SparseTensor& x, const Input& input);

/// Coordinates as a tensor [voxels, 4] int32.
at::Tensor coordinate_tensor(const Coordinates& coordinates,
                             EventColumn event_column = EventColumn::first);

/// Features of two tensors with the same voxels side by side: `a` first.
SparseTensor concatenate(const SparseTensor& a, const SparseTensor& b);
/// The sum of two tensors with the same voxels.
SparseTensor add(const SparseTensor& a, const SparseTensor& b);

/// The value of the cell that contains each point, [points, channels]; 0 where there is no voxel.
/// `points` [n, 4] real: event, x, y, z.
at::Tensor slice(const SparseTensor& x, const at::Tensor& points);

/// Trilinear interpolation between the 8 voxels around each point at the tensor's stride, where
/// voxels that do not exist count as 0.
at::Tensor interpolate(const SparseTensor& x, const at::Tensor& points);

}  // namespace hodo::sparse
