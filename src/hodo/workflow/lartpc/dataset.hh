#pragma once
/// The xy files of a training as a numbered set, and how they become batches.
///
/// A sample is one file. Samples are numbered in the order of their full paths, compared as text.
/// Only the files of the batches asked for are in memory.

#include "hodo/workflow/lartpc/data_options.hh"
#include "hodo/workflow/lartpc/voxel_batch.hh"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hodo::lartpc {

/// One file of a set and the factor on its truth.
struct VoxelFile {
    base::Path path;
    double scale = 1.0;
    bool operator==(const VoxelFile&) const = default;
};

enum class Subset { training, validation };

/// The files of a subset, by path: of product xy, of a wanted TPC, with an index in the range for
/// their folder. If neither training nor validation is given by ranges, every file belongs to the
/// training but for the last part `held_out` of the list. An empty list is no error; a folder that
/// does not exist is one.
std::vector<VoxelFile> select_files(const DataOptions& options, Subset subset);

/// Whether truth must be there.
enum class Truth { required, optional, ignored };

/// What is done to the content of a file.
struct VoxelTreatment {
    std::optional<double> label_above;  ///< Target is 1 above it, else 0; nothing: the value.
    Truth truth = Truth::optional;
    /// Voxels per coarse cell in x, y and z, to sum truth in; empty: no cells. Cells need Y_truth.
    std::vector<std::int64_t> cells;
    TransformOptions transforms;  ///< `scale` is not looked at; each file has its own.
    std::uint64_t seed = 1;       ///< Of the noise.
};

/// What `options` ask for, but cells. Limits of coordinates hold for training alone. `target` must
/// not be automatic.
VoxelTreatment treatment_of(const DataOptions& options, Subset subset, Target target,
                            std::uint64_t seed);

/// Appends the voxels of a file. Noise is drawn from (seed, epoch, sample): batch mates, threads
/// and order do not change it. Errors name the file whose array, value or truth is not as it must
/// be; charges, truth and coordinates must be finite numbers.
void append_file(VoxelBatch& batch, const VoxelFile& file, std::int64_t sample, std::int64_t epoch,
                 const VoxelTreatment& treatment);

class VoxelDataset {
  public:
    VoxelDataset(std::vector<VoxelFile> files, VoxelTreatment treatment)
        : files_(std::move(files)), treatment_(std::move(treatment)) {}

    std::int64_t size() const { return static_cast<std::int64_t>(files_.size()); }
    const std::vector<VoxelFile>& files() const { return files_; }
    const VoxelTreatment& treatment() const { return treatment_; }
    /// The samples asked for, in that order. Thread safe. Files with and without truth in one batch
    /// make a batch without.
    VoxelBatch load(std::span<const std::int64_t> samples, std::int64_t epoch = 0) const;

  private:
    std::vector<VoxelFile> files_;
    VoxelTreatment treatment_;
};

}  // namespace hodo::lartpc
