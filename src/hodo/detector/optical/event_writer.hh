#pragma once
/// Writing events in the layout of current Prometheus files.
///
/// One row per event; structs `mc_truth` (when the events have truth) and `photons` with exactly
/// the names and types of docs/formats/prometheus.md (numbers of final-state particles are lists
/// of DOUBLE, types and parents included); key-value metadata `config_prometheus`.

#include <memory>
#include <string>
#include <vector>

#include "hodo/base/text.hh"
#include "hodo/detector/optical/events.hh"
#include "hodo/io/json.hh"
#include "hodo/io/table.hh"

namespace hodo::optical {

struct WriteOptions {
    io::Json config = io::Json::object();  ///< Becomes `config_prometheus`; see below.
    std::string photons = "photons";       ///< Name of the photon struct, also put in the config.
    std::string weight = "charge";         ///< Field of the photon weights, when events have them.
    io::KeyValues metadata;                ///< Further key-value metadata.
    std::int64_t max_rows = 2048;          ///< Per file ...
    std::int64_t max_bytes = 256'000'000;  ///< ... and bytes; whichever comes first.
};

/// Writes `<stem>-00000.parquet`, `<stem>-00001.parquet`, ... in a folder. The first events decide
/// whether truth, sources and weights are written; later ones must agree.
class EventWriter {
  public:
    EventWriter(base::Path directory, std::string stem, WriteOptions options = {});
    ~EventWriter();
    void append(const Events& events);
    /// Finishes the last file and returns all in order. Without events: one file without rows.
    std::vector<base::Path> finish();

  private:
    class Body;
    std::unique_ptr<Body> body_;
};

/// Writes one file, whatever its size.
void write_events(const base::Path& file, const Events& events, WriteOptions options = {});

}  // namespace hodo::optical
