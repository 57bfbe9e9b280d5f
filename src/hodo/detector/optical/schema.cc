#include "hodo/detector/optical/schema.hh"

#include <utility>

#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/base/units.hh"
#include "hodo/detector/optical/detail/event_source.hh"
#include "hodo/io/parquet.hh"

namespace hodo::optical {

namespace {

EventLayout layout_of(const io::TableSchema& schema, const base::Path& file,
                      const std::string& photons) {
    if (schema.has("event_no") && detail::has_photons(schema, "")) return EventLayout::flat_parquet;
    const auto structure = detail::photon_struct(schema, file, photons);
    if (structure) {
        return schema.has(*structure + ".sensor_string_id") ? EventLayout::prometheus_total
                                                            : EventLayout::prometheus;
    }
    std::vector<std::string> found;
    for (const auto& column : schema.columns) found.push_back(column.name);
    HODO_CHECK(schema.has_struct("mc_truth"),
               "{}: neither photons (a struct with lists t, sensor_id and string_id, or a table "
               "with event_no) nor 'mc_truth' is there; the file has {}",
               file, found.empty() ? "no columns" : base::join(found, ", "));
    return EventLayout::prometheus;
}

/// Warns once per file about directions that do not agree.
class DirectionWatch {
  public:
    void look(const Events& events, const base::Path& file) {
        if (warned_) return;
        for (std::size_t e = 0; e < events.truth.size(); ++e) {
            const auto angle = direction_disagreement(events.truth[e]);
            if (!angle || *angle <= 10.0 * units::degree) continue;
            base::warn(
                "{}: event {}: the final state and the initial state differ by {:.0f} degrees in "
                "direction (older Prometheus files store the initial azimuth off by pi); the final "
                "state is used unless the initial one is asked for",
                file, events.row[e], *angle / units::degree);
            warned_ = true;
            return;
        }
    }

  private:
    bool warned_ = false;
};

/// Leaves out optional columns that only one of two blocks has; `all` may have got none yet because
/// its events are dark.
void keep_shared_columns(Events& all, Events& block) {
    const auto share = [](auto& a, auto& b, std::int64_t in_a, std::int64_t in_b) {
        if (in_a == 0 || in_b == 0 || a.empty() == b.empty()) return;
        a.clear();
        b.clear();
    };
    share(all.source, block.source, all.photons(), block.photons());
    share(all.weight, block.weight, all.photons(), block.photons());
    share(all.truth, block.truth, all.size(), block.size());
    share(all.trigger, block.trigger, all.size(), block.size());
}

std::vector<EventRange> whole(const std::vector<base::Path>& files) {
    std::vector<EventRange> ranges(files.size());
    for (std::size_t i = 0; i < files.size(); ++i) ranges[i].file = static_cast<std::int64_t>(i);
    return ranges;
}

/// How many of `events` from `begin` on fit in a block; at least one.
std::int64_t fitting(const Events& events, std::int64_t begin, const ReadOptions& options) {
    const std::int64_t base = events.offsets[static_cast<std::size_t>(begin)];
    std::int64_t end = begin + 1;
    while (end < events.size() && end - begin < options.max_events &&
           events.offsets[static_cast<std::size_t>(end) + 1] - base <= options.max_photons) {
        ++end;
    }
    return end;
}

}  // namespace

void ReadOptions::describe(base::Fields& f) {
    f("photons", photons, "photon column (struct) or SQLite table; empty: found by itself");
    f("weight", weight, "photon weight, a field of the photon column; empty: 1 each");
    f("trigger", trigger, "column of trigger times [ns], one per event; empty: none");
    f("truth", truth, "whether the simulated truth is read");
    f("truth_file", truth_file, "truth table of flat Parquet files; empty: looked for beside them");
    f("max_events", max_events, "events per block").at_least(1);
    f("max_photons", max_photons, "photons per block").at_least(1);
    f("threads", threads, "threads that decode Parquet").at_least(1);
}

EventLayout event_layout(const base::Path& file, const ReadOptions& options) {
    if (detail::is_sqlite(file)) return EventLayout::flat_sqlite;
    return layout_of(io::parquet_schema(file), file, options.photons);
}

class EventReader::Body {
  public:
    Body(std::vector<base::Path> files, ReadOptions options, std::vector<EventRange> ranges)
        : files_(std::move(files)), options_(std::move(options)), ranges_(std::move(ranges)) {
        HODO_CHECK(!files_.empty(), "no event files are named");
        const auto& first = ranges_.empty() ? files_.front() : file_of(ranges_.front());
        layout_ = event_layout(first, options_);
        if (layout_ == EventLayout::flat_sqlite) return;
        metadata_ = detail::prometheus_config(io::parquet_schema(first), first);
    }

    std::optional<Events> next() {
        while (begin_ == block_.size()) {
            if (!load()) return std::nullopt;
        }
        const std::int64_t end = fitting(block_, begin_, options_);
        if (begin_ == 0 && end == block_.size()) {
            begin_ = 0;
            return std::exchange(block_, Events{});
        }
        Events part;
        for (; begin_ < end; ++begin_) part.append(block_, begin_);
        return part;
    }

    std::int64_t rows() const {
        std::int64_t sum = 0;
        for (const EventRange& range : ranges_) {
            const bool to_end = range.end == EventRange{}.end;
            const auto end = to_end ? io::parquet_schema(file_of(range)).rows : range.end;
            sum += end - range.begin;
        }
        return sum;
    }

    std::vector<base::Path> files_;
    EventLayout layout_ = EventLayout::prometheus;
    io::Json metadata_;

  private:
    /// Loads the next run of events; false at the very end.
    bool load() {
        begin_ = 0;
        block_ = {};
        while (true) {
            if (!source_) {
                if (range_ == ranges_.size()) return false;
                source_ = open(ranges_[range_]);
                directions_ = {};
            }
            if (auto events = source_->next()) {
                block_ = std::move(*events);
                directions_.look(block_, file_of(ranges_[range_]));
                return true;
            }
            source_.reset();
            ++range_;
        }
    }

    const base::Path& file_of(const EventRange& range) const {
        return files_[static_cast<std::size_t>(range.file)];
    }

    std::unique_ptr<detail::EventSource> open(const EventRange& range) const {
        const base::Path& file = file_of(range);
        const EventLayout layout = event_layout(file, options_);
        if (layout == EventLayout::prometheus || layout == EventLayout::prometheus_total) {
            return detail::open_prometheus(file, range, options_);
        }
        return detail::open_flat(file, range.file, options_);
    }

    ReadOptions options_;
    std::vector<EventRange> ranges_;
    std::size_t range_ = 0;
    std::unique_ptr<detail::EventSource> source_;
    Events block_;
    std::int64_t begin_ = 0;
    DirectionWatch directions_;
};

EventReader::EventReader(std::vector<base::Path> files, ReadOptions options) {
    auto all = whole(files);
    body_ = std::make_unique<Body>(std::move(files), std::move(options), std::move(all));
}
EventReader::EventReader(std::vector<base::Path> files, ReadOptions options,
                         std::vector<EventRange> ranges)
    : body_(std::make_unique<Body>(std::move(files), std::move(options), std::move(ranges))) {}
EventReader::~EventReader() = default;
EventReader::EventReader(EventReader&&) noexcept = default;
EventReader& EventReader::operator=(EventReader&&) noexcept = default;

std::optional<Events> EventReader::next() {
    return body_->next();
}
const std::vector<base::Path>& EventReader::files() const {
    return body_->files_;
}
EventLayout EventReader::layout() const {
    return body_->layout_;
}
const io::Json& EventReader::metadata() const {
    return body_->metadata_;
}

std::optional<std::int64_t> EventReader::event_count() const {
    if (layout() == EventLayout::flat_sqlite || layout() == EventLayout::flat_parquet) {
        return std::nullopt;
    }
    return body_->rows();
}

Events read_all_events(const std::vector<base::Path>& files, ReadOptions options) {
    options.max_events = std::numeric_limits<std::int64_t>::max();
    options.max_photons = std::numeric_limits<std::int64_t>::max();
    EventReader reader(files, options);
    Events all;
    while (auto block = reader.next()) {
        if (all.size() == 0) {
            all = std::move(*block);
            continue;
        }
        keep_shared_columns(all, *block);
        for (std::int64_t e = 0; e < block->size(); ++e) all.append(*block, e);
    }
    return all;
}

}  // namespace hodo::optical
