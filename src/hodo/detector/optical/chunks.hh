#pragma once
/// The training files of the published om2vec preparation: dense histograms in Parquet.
///
/// `chunk_<k>.parquet`, k = 0, 1, ...; one row per module; columns
///   binned_time_counts  LIST of BIGINT, [bins]
///   pos                 LIST of DOUBLE, [x, y, z, string, sensor]
/// Every file has `chunk_size` rows except the last, which has the remainder and is written even
/// when that is nothing. Events cannot be put together again from these files.

#include <memory>
#include <optional>
#include <vector>

#include "hodo/base/text.hh"
#include "hodo/detector/optical/binning.hh"
#include "hodo/io/table.hh"

namespace hodo::optical {

class ChunkWriter {
  public:
    /// `bins` is the length of every histogram. `metadata` goes into every file.
    ChunkWriter(base::Path directory, std::int64_t bins, std::int64_t chunk_size = 250'000,
                io::KeyValues metadata = {});
    ~ChunkWriter();
    /// Counts must be whole numbers (photons, not weights).
    void append(const ModuleCounts& modules);
    std::vector<base::Path> finish();

  private:
    class Body;
    std::unique_ptr<Body> body_;
};

/// Reads one such file in blocks of at most 2048 modules; `time_offset` is 0, `event` is 0
/// throughout (files keep no events), `hits` the sum of counts.
class ChunkReader {
  public:
    explicit ChunkReader(base::Path file);
    ~ChunkReader();
    /// Rows of the file, as it says itself.
    std::int64_t rows() const;
    /// The next modules, or nothing at the end. Fails for lists of other lengths than the first,
    /// naming file, row and length.
    std::optional<ModuleCounts> next();

  private:
    class Body;
    std::unique_ptr<Body> body_;
};

}  // namespace hodo::optical
