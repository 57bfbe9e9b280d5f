#pragma once
/// The published code's npz files: parsed signals and truth, pixels, and tiled events ("xy").
///
///   parsed wire, hit      arr_0, arr_1, ...: one per event, float64 [ticks, channels]
///   parsed truth          arr_i: float64 [n, 4 or more]: x, y, z voxel, value, (track, particle)
///   pixel                 pix float32 [n, 7]: tick, z, y, event, 3 charges; starts int64 [events]
///   xy                    X float32 [n, 7]: x, y, z, event, 3 charges; starts int64 [events];
///                         with truth Y float32 [n, 1] and Y_truth, a pickled list of
///                         float64 [m, 4 or more] with all true voxels of each event; if asked
///                         for Y_downsample, a pickled pair: float64 [cells, 1 or more] and int64
///                         [n], the cell of each row or -1

#include "hodo/base/text.hh"
#include "hodo/detector/lartpc/tiling.hh"
#include "hodo/detector/lartpc/truth.hh"
#include "hodo/detector/lartpc/voxel_cloud.hh"
#include "hodo/detector/lartpc/wire_signals.hh"
#include "hodo/io/mapped_file.hh"
#include "hodo/io/npz_archive.hh"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace hodo::lartpc {

/// A parsed file, event by event.
class ParsedFile {
  public:
    explicit ParsedFile(const base::Path& file) : archive_(io::NpzArchive::open(file)) {}
    explicit ParsedFile(io::NpzArchive archive) : archive_(std::move(archive)) {}
    std::int64_t events() const;
    /// The array of an event as it is.
    io::Array array(std::int64_t event) const;
    /// The signals of an event; its array must have two dimensions. Samples that are no numbers, or
    /// 1e12 or more, are an error that names them.
    WireSignals signals(std::int64_t event) const;
    /// The truth of an event.
    VoxelImage image(std::int64_t event) const;
    /// Of an mcparticle file: where the event's tracks end [mm in the hall], by their number.
    /// Tracks whose end repeats their start are left out, since the published code writes every end
    /// so.
    std::map<std::int64_t, Point3> track_ends(std::int64_t event) const;

  private:
    io::NpzArchive archive_;
};

/// Writes parsed files, event by event.
class ParsedWriter {
  public:
    explicit ParsedWriter(const base::Path& file) : writer_(file) {}
    void add(const WireSignals& signals);
    void add(const VoxelImage& image);
    /// Rows of numbers, as particles are kept.
    void add(std::span<const double> rows, std::int64_t columns);
    void add_objects(const std::vector<io::Array>& arrays);
    void commit() { writer_.commit(); }

  private:
    std::string next_name();
    io::NpzWriter writer_;
    int events_ = 0;
};

/// Truth in coarse cells (array Y_downsample): the cells that hold truth and an active voxel, and
/// the cell of every active voxel.
struct CoarseTruth {
    int width = 0;                     ///< Values per cell: a sum, then labels by vote.
    std::vector<double> values{};      ///< [cells, width], event after event.
    std::vector<std::int64_t> cell{};  ///< Per row of X; -1 where the cell has no truth.
};

/// Tiled events: `cloud.features` are the charges of the three planes, `cloud.truth` the true value
/// per voxel (empty without truth), `truth` all true voxels per event (likewise).
struct TiledBatch {
    VoxelCloud cloud{.width = planes_per_face};
    std::vector<VoxelImage> truth;
    bool has_truth = false;
    std::optional<CoarseTruth> coarse{};

    /// Adds an event; `image` is the merged truth or null.
    void append(const TiledEvent& event, const VoxelImage* image);
};

/// Whether all true voxels are read; training needs those of X alone.
enum class TruthImages { read, skip };

/// Cells of `factors` voxels. The batch must have its true voxels.
CoarseTruth coarse_truth(const TiledBatch& batch, Downsampling factors);

TiledBatch read_xy(const base::Path& file);
TiledBatch read_xy(const io::NpzArchive& archive, TruthImages images = TruthImages::read);
void write_xy(const base::Path& file, const TiledBatch& batch);

/// Pixels of full resolution; (x, y, z) of the voxels are (tick, y, z).
std::vector<TiledEvent> read_pixels(const base::Path& file);
void write_pixels(const base::Path& file, const std::vector<TiledEvent>& events);

/// Batches of several TPCs, event by event, in the frame of the first.
TiledBatch join_tpcs(const std::vector<TiledBatch>& batches, const Detector& detector,
                     const std::vector<int>& tpcs, Downsampling factors);

}  // namespace hodo::lartpc
