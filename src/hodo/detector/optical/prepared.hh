#pragma once
/// Prepared modules: sparse histograms in Parquet shards, ready for training.
///
/// One row per module; columns file, event, string, sensor (BIGINT), x, y, z, time_offset, hits
/// (DOUBLE), bin (list of INTEGER, ascending), count (list of FLOAT). Key-value metadata:
///   hodo_binning  JSON {rule, bins, window, overflow, time_zero, module_order}
///   hodo_sources  JSON list of the event files; `file` is an index into it
///   and whatever else the writer was given (for example `config_prometheus`).
/// Shards are `modules-00000.parquet`, `modules-00001.parquet`, ...

#include <memory>
#include <string>
#include <vector>

#include "hodo/base/text.hh"
#include "hodo/detector/optical/binning.hh"
#include "hodo/io/json.hh"
#include "hodo/io/table.hh"

namespace hodo::optical {

/// What all shards of a prepared set share.
struct PreparedHeader {
    Binning binning;
    ModuleOrder order = ModuleOrder::first_appearance;
    std::vector<std::string> sources;  ///< Event files.
    io::KeyValues metadata;            ///< Further key-value metadata.
};

/// The binning rule as JSON, and back; an error that names what is missing or unknown.
io::Json binning_json(const Binning& binning);
Binning binning_of_json(const io::Json& json, std::string_view origin);
/// Fails when `found` (of `origin`) differs from `wanted`: one sentence naming both rules.
void require_same_binning(const Binning& wanted, const Binning& found, std::string_view origin);

/// Modules with the identity of their events.
struct PreparedModules {
    ModuleCounts counts;              ///< `counts.event` numbers the events of this block from 0.
    std::vector<std::int64_t> file;   ///< Per module: index into the header's sources ...
    std::vector<std::int64_t> event;  ///< ... and row or event number there.
    std::int64_t size() const { return counts.size(); }
};

/// Joins histograms with the files and rows of the events they were made of.
PreparedModules prepared_modules(ModuleCounts counts, const Events& events);

struct ShardLimits {
    std::int64_t max_modules = 65'536;
    std::int64_t max_bytes = 256'000'000;
};

class PreparedWriter {
  public:
    PreparedWriter(base::Path directory, const PreparedHeader& header, ShardLimits limits = {});
    ~PreparedWriter();
    void append(const PreparedModules& modules);
    /// Finishes the last shard and returns all; without modules one shard without rows.
    std::vector<base::Path> finish();

  private:
    class Body;
    std::unique_ptr<Body> body_;
};

/// A prepared set on disk: random access by shard. Thread safe (const) for different shards.
class PreparedSet {
  public:
    /// Opens `modules-*.parquet` of a folder, or the given files. Fails when there is none, or
    /// when shards differ in binning.
    explicit PreparedSet(const base::Path& directory);
    explicit PreparedSet(std::vector<base::Path> shards);

    const PreparedHeader& header() const { return header_; }
    std::int64_t shards() const { return static_cast<std::int64_t>(files_.size()); }
    const base::Path& file(std::int64_t shard) const {
        return files_[static_cast<std::size_t>(shard)];
    }
    /// Modules of one shard, without reading it.
    std::int64_t modules(std::int64_t shard) const {
        return rows_[static_cast<std::size_t>(shard)];
    }
    std::int64_t modules() const;
    /// Reads a shard. Bins are checked to lie in [0, binning.width()) and to ascend.
    PreparedModules read(std::int64_t shard) const;

  private:
    std::vector<base::Path> files_;
    std::vector<std::int64_t> rows_;
    PreparedHeader header_;
};

}  // namespace hodo::optical
