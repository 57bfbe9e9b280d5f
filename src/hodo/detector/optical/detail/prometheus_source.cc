#include <algorithm>
#include <set>

#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/detector/optical/detail/event_source.hh"
#include "hodo/detector/optical/detail/truth_columns.hh"
#include "hodo/io/parquet.hh"

namespace hodo::optical::detail {

namespace {

/// The structs of a file that look like photons.
std::vector<std::string> photon_candidates(const io::TableSchema& schema) {
    std::set<std::string> structs;
    for (const auto& column : schema.columns) {
        const auto dot = column.name.rfind('.');
        if (dot != std::string::npos) structs.insert(column.name.substr(0, dot));
    }
    std::vector<std::string> found;
    for (const std::string& name : structs) {
        if (has_photons(schema, name + ".")) found.push_back(name);
    }
    return found;
}

/// The name that the simulation gave to the photon struct, or nothing.
std::optional<std::string> configured_name(const io::Json& config) {
    if (!config.is_object() || !config.has("photon propagator")) return std::nullopt;
    const io::Json& propagator = config.at("photon propagator");
    if (!propagator.is_object() || !propagator.has("photon field name")) return std::nullopt;
    const io::Json& name = propagator.at("photon field name");
    if (!name.is_text()) return std::nullopt;
    return name.text();
}

class PrometheusSource final : public EventSource {
  public:
    PrometheusSource(const base::Path& file, const EventRange& range, const ReadOptions& options)
        : file_(file), file_index_(range.file), begin_(range.begin), trigger_(options.trigger) {
        const io::TableSchema schema = io::parquet_schema(file);
        const auto end = std::min(range.end, schema.rows);
        rows_ = std::max<std::int64_t>(0, end - begin_);
        if (const auto photons = photon_struct(schema, file, options.photons)) {
            loader_.emplace(photon_columns(schema, *photons + ".", options.weight, file), file);
        } else {
            base::warn(
                "{}: the file has no photon column (Prometheus leaves it out when no event has "
                "light); all its {} events are read as empty",
                file, schema.rows);
        }
        if (options.truth == TruthReading::yes) truth_ = TruthColumns(schema, "mc_truth.");
        io::ParquetQuery query;
        query.threads = options.threads;
        if (loader_) query.columns = loader_->columns().names();
        query.columns.insert(query.columns.end(), truth_.names().begin(), truth_.names().end());
        if (!trigger_.empty()) {
            HODO_CHECK(schema.has(trigger_), "{}: the trigger column '{}' is not there", file,
                       trigger_);
            query.columns.push_back(trigger_);
        }
        std::sort(query.columns.begin(), query.columns.end());
        query.columns.erase(std::unique(query.columns.begin(), query.columns.end()),
                            query.columns.end());
        if (rows_ < schema.rows) {
            query.where =
                base::format("file_row_number >= {} AND file_row_number < {}", begin_, end);
        }
        if (!query.columns.empty()) reader_ = io::read_parquet(file, query);
    }

    std::optional<Events> next() override {
        if (!reader_) return next_of_nothing();
        auto chunk = reader_->next();
        if (!chunk) return std::nullopt;
        Events events;
        fill_event_columns(*chunk, events);
        if (loader_) {
            events.offsets = checked_offsets(*chunk);
            loader_->load(*chunk, events, [&](std::int64_t photon) {
                const auto after =
                    std::upper_bound(events.offsets.begin(), events.offsets.end(), photon);
                return chunk->first_row + (after - events.offsets.begin()) - 1;
            });
        }
        return events;
    }

  private:
    /// A file without photons, truth and trigger columns still has its number of events.
    std::optional<Events> next_of_nothing() {
        if (rows_ == 0) return std::nullopt;
        io::Chunk empty;
        empty.first_row = begin_;
        empty.rows = rows_;
        rows_ = 0;
        Events events;
        fill_event_columns(empty, events);
        return events;
    }

    void fill_event_columns(const io::Chunk& chunk, Events& events) const {
        const auto rows = static_cast<std::size_t>(chunk.rows);
        events.offsets.assign(rows + 1, 0);
        events.file.assign(rows, file_index_);
        events.row.resize(rows);
        for (std::size_t r = 0; r < rows; ++r) {
            events.row[r] = chunk.first_row + static_cast<std::int64_t>(r);
        }
        if (!truth_.empty()) {
            const TruthRows truth = truth_.read(chunk, file_);
            for (std::int64_t r = 0; r < chunk.rows; ++r) events.truth.push_back(truth.at(r));
        }
        if (!trigger_.empty()) {
            const io::Column& column = chunk.column(trigger_);
            HODO_CHECK(column.spec.list_levels == 0,
                       "{}: the trigger column '{}' holds lists; one time per event is expected",
                       file_, trigger_);
            events.trigger = column.to_doubles();
        }
    }

    /// The event offsets, after making sure that all photon lists agree on them.
    std::vector<std::int64_t> checked_offsets(const io::Chunk& chunk) const {
        const std::string& time = loader_->columns().time;
        const auto& expected = offsets_of(chunk, time);
        for (const std::string& name : loader_->columns().names()) {
            const auto& found = offsets_of(chunk, name);
            if (found == expected) continue;
            std::size_t event = 0;
            while (found[event + 1] == expected[event + 1]) ++event;
            base::fail(
                "{}: event {}: column '{}' has {} values but '{}' has {}; all photon lists of an "
                "event must be equally long",
                file_, chunk.first_row + static_cast<std::int64_t>(event), name,
                found[event + 1] - found[event], time, expected[event + 1] - expected[event]);
        }
        return expected;
    }

    const std::vector<std::int64_t>& offsets_of(const io::Chunk& chunk,
                                                const std::string& name) const {
        const io::Column& column = chunk.column(name);
        HODO_CHECK(column.spec.list_levels == 1,
                   "{}: column '{}' must hold one list of numbers per event", file_, name);
        return column.offsets[0];
    }

    base::Path file_;
    std::int64_t file_index_, begin_;
    std::string trigger_;
    std::int64_t rows_ = 0;
    std::optional<PhotonLoader> loader_;
    TruthColumns truth_;
    std::unique_ptr<io::TableReader> reader_;
};

}  // namespace

io::Json prometheus_config(const io::TableSchema& schema, const base::Path& file) {
    for (const auto& [key, value] : schema.metadata) {
        if (key == "config_prometheus") {
            return io::Json::parse(value, file.string() + ": metadata 'config_prometheus'");
        }
    }
    return {};
}

std::optional<std::string> photon_struct(const io::TableSchema& schema, const base::Path& file,
                                         const std::string& wanted) {
    const auto candidates = photon_candidates(schema);
    if (!wanted.empty()) {
        if (schema.has_struct(wanted)) return wanted;
        HODO_CHECK(candidates.empty(), "{}: the photon column '{}' is not there; photons are in {}",
                   file, wanted, base::join(candidates, ", "));
        return std::nullopt;
    }
    const auto configured = configured_name(prometheus_config(schema, file));
    if (configured && schema.has_struct(*configured)) return configured;
    for (const char* usual : {"photons", "total"}) {
        if (schema.has_struct(usual)) return usual;
    }
    HODO_CHECK(candidates.size() <= 1,
               "{}: several columns look like photons ({}); name the one to read", file,
               base::join(candidates, ", "));
    if (candidates.empty()) return std::nullopt;
    return candidates.front();
}

std::unique_ptr<EventSource> open_prometheus(const base::Path& file, const EventRange& range,
                                             const ReadOptions& options) {
    return std::make_unique<PrometheusSource>(file, range, options);
}

}  // namespace hodo::optical::detail
