#include <algorithm>
#include <map>

#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/detector/optical/detail/event_source.hh"
#include "hodo/detector/optical/detail/truth_columns.hh"
#include "hodo/io/parquet.hh"
#include "hodo/io/sqlite.hh"

namespace hodo::optical::detail {

namespace {

constexpr const char* event_column = "event_no";

/// One table of either storage form.
struct Table {
    base::Path file;
    std::string name;  ///< Table of an SQLite file; empty for Parquet.

    io::TableSchema schema() const {
        return name.empty() ? io::parquet_schema(file) : io::sqlite_schema(file, name);
    }
    std::unique_ptr<io::TableReader> read(std::vector<std::string> columns,
                                          const std::string& order_by, int threads) const {
        std::sort(columns.begin(), columns.end());
        columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
        if (!name.empty()) return io::read_sqlite(file, name, columns, order_by);
        io::ParquetQuery query;
        query.columns = std::move(columns);
        query.order_by = order_by;
        query.threads = threads;
        return io::read_parquet(file, query);
    }
};

bool has_photon_table(const io::TableSchema& schema) {
    return schema.has(event_column) && has_photons(schema, "");
}

Table photon_table(const base::Path& file, const std::string& wanted) {
    if (!is_sqlite(file)) return {file, {}};
    const auto tables = io::sqlite_tables(file);
    const auto known = [&](const std::string& name) {
        return std::find(tables.begin(), tables.end(), name) != tables.end();
    };
    if (!wanted.empty()) {
        HODO_CHECK(known(wanted), "{}: there is no table '{}'{}", file, wanted,
                   base::did_you_mean(wanted, tables));
        return {file, wanted};
    }
    for (const char* usual : {"total", "photons"}) {
        if (known(usual)) return {file, usual};
    }
    std::vector<std::string> found;
    for (const std::string& name : tables) {
        if (has_photon_table(io::sqlite_schema(file, name))) found.push_back(name);
    }
    HODO_CHECK(!found.empty(),
               "{}: no table has the columns event_no, t, sensor_id and string_id of photons; the "
               "file has the tables {}",
               file, base::join(tables, ", "));
    HODO_CHECK(found.size() == 1, "{}: several tables look like photons ({}); name the one to read",
               file, base::join(found, ", "));
    return {file, found.front()};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

/// GraphNeT keeps photons in `<set>/total/total_3.parquet`, truth in
/// `<set>/mc_truth/mc_truth_3.parquet`.
std::optional<Table> truth_beside(const base::Path& file) {
    const std::string folder = file.parent_path().filename().string();
    if (folder.empty()) return std::nullopt;
    for (const std::string sibling : {"mc_truth", "truth"}) {
        const std::string name = replaced(file.filename().string(), folder, sibling);
        const base::Path candidate = file.parent_path().parent_path() / sibling / name;
        if (candidate != file && std::filesystem::exists(candidate)) return Table{candidate, {}};
    }
    return std::nullopt;
}

std::optional<Table> truth_table(const base::Path& file, const std::string& wanted) {
    if (!wanted.empty()) {
        HODO_CHECK(std::filesystem::exists(wanted), "{}: there is no such truth file", wanted);
        return Table{wanted, {}};
    }
    if (!is_sqlite(file)) return truth_beside(file);
    const auto tables = io::sqlite_tables(file);
    for (const std::string name : {"mc_truth", "truth"}) {
        if (std::find(tables.begin(), tables.end(), name) != tables.end()) return Table{file, name};
    }
    return std::nullopt;
}

struct EventRecord {
    Truth truth;
    double trigger = std::numeric_limits<double>::quiet_NaN();
};

/// Truth and trigger per event, from a table with one row per event.
class TruthTable {
  public:
    TruthTable(const Table& table, const ReadOptions& options) : file_(table.file) {
        const io::TableSchema schema = table.schema();
        HODO_CHECK(schema.has(event_column), "{}: the truth table has no column '{}'", table.file,
                   event_column);
        TruthColumns columns;
        if (options.truth == TruthReading::yes) columns = TruthColumns(schema, "");
        has_truth_ = !columns.empty();
        has_trigger_ = !options.trigger.empty() && schema.has(options.trigger);
        auto names = columns.names();
        names.emplace_back(event_column);
        if (has_trigger_) names.push_back(options.trigger);
        auto reader = table.read(names, event_column, options.threads);
        while (auto chunk = reader->next()) take(*chunk, columns, options.trigger);
    }
    bool has_truth() const { return has_truth_; }
    bool has_trigger() const { return has_trigger_; }
    const std::map<std::int64_t, EventRecord>& events() const { return events_; }
    const base::Path& file() const { return file_; }

  private:
    void take(const io::Chunk& chunk, const TruthColumns& columns, const std::string& trigger) {
        const TruthRows truth = columns.read(chunk, file_);
        const auto numbers = chunk.column(event_column).to_integers();
        const auto times =
            has_trigger_ ? chunk.column(trigger).to_doubles() : std::vector<double>{};
        for (std::size_t r = 0; r < numbers.size(); ++r) {
            EventRecord record;
            if (has_truth_) record.truth = truth.at(static_cast<std::int64_t>(r));
            if (has_trigger_) record.trigger = times[r];
            HODO_CHECK(events_.emplace(numbers[r], std::move(record)).second,
                       "{}: event {} has more than one row of truth", file_, numbers[r]);
        }
    }
    base::Path file_;
    bool has_truth_ = false, has_trigger_ = false;
    std::map<std::int64_t, EventRecord> events_;
};

/// Whether rows of one event are next to each other with ascending event numbers.
bool is_ascending(const Table& table) {
    auto reader = table.read({event_column}, {}, 1);
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
    while (auto chunk = reader->next()) {
        for (const std::int64_t number : chunk->column(event_column).to_integers()) {
            if (number < last) return false;
            last = number;
        }
    }
    return true;
}

class FlatSource final : public EventSource {
  public:
    FlatSource(const base::Path& file, std::int64_t file_index, const ReadOptions& options)
        : table_(photon_table(file, options.photons)),
          file_index_(file_index),
          options_(options),
          schema_(table_.schema()),
          loader_(photon_columns(schema_, "", options.weight, file), file) {
        HODO_CHECK(schema_.has(event_column),
                   "{}: column '{}' is missing (photons cannot be assigned to events without it)",
                   file, event_column);
        const bool wants_event_columns =
            options.truth == TruthReading::yes || !options.trigger.empty();
        if (const auto truth = truth_table(file, options.truth_file);
            truth && wants_event_columns) {
            truth_.emplace(*truth, options);
            waiting_ = truth_->events().begin();
        }
        if (options.truth == TruthReading::yes && !(truth_ && truth_->has_truth())) {
            inline_truth_ = TruthColumns(schema_, "");
        }
        find_trigger(file);
        open();
    }

    std::optional<Events> next() override {
        while (!done_) {
            auto chunk = reader_->next();
            if (!chunk) {
                done_ = true;
                add_dark_events(std::nullopt);
                return finished(pending_.size());
            }
            add(*chunk);
            // The last event may go on in the next chunk.
            if (pending_.size() > options_.max_events ||
                pending_.photons() > options_.max_photons) {
                if (auto events = finished(pending_.size() - 1)) return events;
            }
        }
        return std::nullopt;
    }

  private:
    void find_trigger(const base::Path& file) {
        if (options_.trigger.empty() || (truth_ && truth_->has_trigger())) return;
        HODO_CHECK(schema_.has(options_.trigger), "{}: the trigger column '{}' is not there", file,
                   options_.trigger);
        inline_trigger_ = options_.trigger;
    }

    void open() {
        auto columns = loader_.columns().names();
        columns.emplace_back(event_column);
        columns.insert(columns.end(), inline_truth_.names().begin(), inline_truth_.names().end());
        if (!inline_trigger_.empty()) columns.push_back(inline_trigger_);
        std::string order_by = event_column;
        if (table_.name.empty() && is_ascending(table_)) order_by.clear();
        reader_ = table_.read(std::move(columns), order_by, options_.threads);
    }

    bool keeps_truth() const { return (truth_ && truth_->has_truth()) || !inline_truth_.empty(); }

    void begin_event(std::int64_t number, EventRecord record) {
        if (keeps_truth()) pending_.truth.push_back(std::move(record.truth));
        if (!options_.trigger.empty()) pending_.trigger.push_back(record.trigger);
        pending_.file.push_back(file_index_);
        pending_.row.push_back(number);
        pending_.offsets.push_back(pending_.offsets.back());
    }

    /// Events of the truth table before event `until` (or all that are left) have no photons.
    void add_dark_events(std::optional<std::int64_t> until) {
        if (!truth_) return;
        for (; waiting_ != truth_->events().end() && (!until || waiting_->first < *until);
             ++waiting_) {
            begin_event(waiting_->first, waiting_->second);
        }
    }

    EventRecord record_of(std::int64_t number) {
        if (!truth_) return {};
        HODO_CHECK(waiting_ != truth_->events().end() && waiting_->first == number,
                   "{}: event {} has photons but no row in the truth table {}", table_.file, number,
                   truth_->file());
        return (waiting_++)->second;
    }

    void add(io::Chunk& chunk) {
        const auto numbers = chunk.column(event_column).to_integers();
        const TruthRows truth = inline_truth_.read(chunk, table_.file);
        const auto triggers = inline_trigger_.empty() ? std::vector<double>{}
                                                      : chunk.column(inline_trigger_).to_doubles();
        Events photons;
        loader_.load(chunk, photons, [&](std::int64_t photon) {
            return numbers[static_cast<std::size_t>(photon)];
        });
        for (std::size_t r = 0; r < numbers.size(); ++r) {
            if (!started_ || numbers[r] != current_) {
                started_ = true;
                current_ = numbers[r];
                add_dark_events(current_);
                EventRecord record = record_of(current_);
                if (!inline_truth_.empty()) record.truth = truth.at(static_cast<std::int64_t>(r));
                if (!triggers.empty()) record.trigger = triggers[r];
                begin_event(current_, std::move(record));
            }
            ++pending_.offsets.back();
        }
        append_photons(photons);
    }

    void append_photons(const Events& photons) {
        const auto append = [](auto& to, const auto& from) {
            to.insert(to.end(), from.begin(), from.end());
        };
        append(pending_.time, photons.time);
        append(pending_.x, photons.x);
        append(pending_.y, photons.y);
        append(pending_.z, photons.z);
        append(pending_.string, photons.string);
        append(pending_.sensor, photons.sensor);
        append(pending_.source, photons.source);
        append(pending_.weight, photons.weight);
    }

    /// Takes the first `count` pending events out.
    std::optional<Events> finished(std::int64_t count) {
        if (count <= 0) return std::nullopt;
        Events rest;
        for (std::int64_t e = count; e < pending_.size(); ++e) rest.append(pending_, e);
        Events events;
        if (rest.size() == 0) {
            events = std::move(pending_);
        } else {
            for (std::int64_t e = 0; e < count; ++e) events.append(pending_, e);
        }
        pending_ = std::move(rest);
        return events;
    }

    Table table_;
    std::int64_t file_index_;
    ReadOptions options_;
    io::TableSchema schema_;
    PhotonLoader loader_;
    std::optional<TruthTable> truth_;
    std::map<std::int64_t, EventRecord>::const_iterator waiting_;
    TruthColumns inline_truth_;
    std::string inline_trigger_;
    std::unique_ptr<io::TableReader> reader_;
    Events pending_;
    std::int64_t current_ = 0;
    bool started_ = false, done_ = false;
};

}  // namespace

bool is_sqlite(const base::Path& file) {
    const auto extension = file.extension();
    return extension == ".db" || extension == ".sqlite" || extension == ".sqlite3";
}

std::unique_ptr<EventSource> open_flat(const base::Path& file, std::int64_t file_index,
                                       const ReadOptions& options) {
    return std::make_unique<FlatSource>(file, file_index, options);
}

}  // namespace hodo::optical::detail
