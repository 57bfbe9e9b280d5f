#pragma once
/// Reading events of optical telescopes from every layout in use.
///
/// The layout is found by column names (docs/formats/prometheus.md):
///
///   prometheus        Parquet, one row per event, struct `photons` with lists t, sensor_pos_x/y/z,
///                     string_id, sensor_id, id_idx; struct `mc_truth`. The name of the photon
///                     struct is looked up in the metadata `config_prometheus`.
///   prometheus-total  older Prometheus: struct `total` with sensor_string_id; other truth names
///   flat-parquet      GraphNeT: one row per photon with `event_no`; truth in a table of its own
///   flat-sqlite       GraphNeT: the same as tables of one SQLite file
///
/// A Prometheus file without the photon struct (written when no event has light) is read as "all
/// events empty", with one warning. Columns with other names are ignored; they stay reachable
/// through `Events::file` and `Events::row`.

#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hodo/base/fields.hh"
#include "hodo/base/text.hh"
#include "hodo/detector/optical/events.hh"
#include "hodo/io/json.hh"

namespace hodo::optical {

enum class EventLayout { prometheus, prometheus_total, flat_parquet, flat_sqlite };
constexpr auto names(EventLayout) {
    return std::array<std::string_view, 4>{"prometheus", "prometheus-total", "flat-parquet",
                                           "flat-sqlite"};
}

enum class TruthReading { yes, no };
constexpr auto names(TruthReading) {
    return std::array<std::string_view, 2>{"yes", "no"};
}

struct ReadOptions {
    std::string photons;  ///< Photon struct or SQLite table; empty: found by itself.
    std::string weight;   ///< Per-photon weight, a field of the photon struct; empty: 1 each.
    std::string trigger;  ///< Per-event trigger time [ns], dotted path; empty: none.
    TruthReading truth = TruthReading::yes;  ///< Delivered when the file has it.
    std::string truth_file;  ///< Truth table of flat Parquet files; empty: looked for beside them.
    std::int64_t max_events = 2048;        ///< Per block delivered.
    std::int64_t max_photons = 4'000'000;  ///< Per block; a larger event comes alone.
    int threads = 1;                       ///< For decoding Parquet.

    void describe(base::Fields& f);
};

/// Rows [begin, end) of file number `file`; files without rows of events (one row per photon) are
/// taken whole.
struct EventRange {
    std::int64_t file = 0, begin = 0, end = std::numeric_limits<std::int64_t>::max();
};

/// Layout of one file, without reading its data. Fails with a sentence that lists what is missing
/// when the file is of no known layout.
EventLayout event_layout(const base::Path& file, const ReadOptions& options = {});

/// Reads the events of several files in order, in blocks that never span two files.
///
/// Checked, each failure naming file, event, column and value: list lengths equal within an event;
/// times and positions finite; weights finite and not negative; whole numbers for identities.
/// Warns once per file when final-state and initial direction differ by more than 10 degrees.
/// Memory is bounded by one chunk of 2048 rows and one block.
class EventReader {
  public:
    explicit EventReader(std::vector<base::Path> files, ReadOptions options = {});
    /// Only some of the events: `ranges` in the order of files and rows.
    EventReader(std::vector<base::Path> files, ReadOptions options, std::vector<EventRange> ranges);
    ~EventReader();
    EventReader(EventReader&&) noexcept;
    EventReader& operator=(EventReader&&) noexcept;

    /// The next block, or nothing after the last. Files without events give no block.
    std::optional<Events> next();

    const std::vector<base::Path>& files() const;
    /// Layout of the first file that is read.
    EventLayout layout() const;
    /// The metadata `config_prometheus` of the first file that is read; null when absent.
    const io::Json& metadata() const;
    /// Number of events to be read when the files say so (Prometheus layouts).
    std::optional<std::int64_t> event_count() const;

  private:
    class Body;
    std::unique_ptr<Body> body_;
};

/// All events of the files in one block; for small files. Optional columns that some of the files
/// lack are left out.
Events read_all_events(const std::vector<base::Path>& files, ReadOptions options = {});

}  // namespace hodo::optical
