#pragma once
/// One file of events, read in chunks: what `EventReader` strings together.

#include <memory>
#include <optional>

#include "hodo/detector/optical/schema.hh"
#include "hodo/io/table.hh"

namespace hodo::optical::detail {

class EventSource {
  public:
    virtual ~EventSource() = default;
    /// Consecutive events, of any number; nothing at the end.
    virtual std::optional<Events> next() = 0;
};

/// The photon columns of one table.
struct PhotonColumns {
    std::string time, x, y, z, string, sensor;
    std::string source, weight;  ///< Empty when the table has none.

    /// All names that are not empty.
    std::vector<std::string> names() const;
};

/// The photon columns under `prefix` ("photons." or ""); an error that names file and column when
/// one is missing. `weight` is a field name, or a full column name.
PhotonColumns photon_columns(const io::TableSchema& schema, const std::string& prefix,
                             const std::string& weight, const base::Path& file);
/// Whether `prefix` has the columns that make a photon table: t, sensor_id and a string number.
bool has_photons(const io::TableSchema& schema, const std::string& prefix);

/// Moves (or converts) the photon columns of a chunk into the flat columns of `events`, and checks
/// that numbers are finite and weights not negative; `event_of(photon)` is the event for messages.
class PhotonLoader {
  public:
    PhotonLoader(PhotonColumns columns, base::Path file)
        : columns_(std::move(columns)), file_(std::move(file)) {}
    const PhotonColumns& columns() const { return columns_; }

    template <class EventOf>
    void load(io::Chunk& chunk, Events& events, EventOf&& event_of) const {
        take(chunk, events);
        const auto bad = first_bad(events);
        if (bad) report(*bad, event_of(bad->photon));
    }

  private:
    struct Bad {
        std::int64_t photon = 0;
        std::string column;
        double value = 0;
    };
    void take(io::Chunk& chunk, Events& events) const;
    std::optional<Bad> first_bad(const Events& events) const;
    [[noreturn]] void report(const Bad& bad, std::int64_t event) const;

    PhotonColumns columns_;
    base::Path file_;
};

/// Which struct of a Prometheus file holds the photons: nothing when the file has none.
std::optional<std::string> photon_struct(const io::TableSchema& schema, const base::Path& file,
                                         const std::string& wanted);
/// The metadata `config_prometheus`, or null.
io::Json prometheus_config(const io::TableSchema& schema, const base::Path& file);

bool is_sqlite(const base::Path& file);

/// `range.file` is the file's number in the events delivered.
std::unique_ptr<EventSource> open_prometheus(const base::Path& file, const EventRange& range,
                                             const ReadOptions& options);
std::unique_ptr<EventSource> open_flat(const base::Path& file, std::int64_t file_index,
                                       const ReadOptions& options);

}  // namespace hodo::optical::detail
