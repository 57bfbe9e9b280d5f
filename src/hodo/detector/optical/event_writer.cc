#include "hodo/detector/optical/event_writer.hh"

#include <algorithm>
#include <limits>
#include <optional>

#include "hodo/base/error.hh"
#include "hodo/io/parquet.hh"

namespace hodo::optical {

namespace {

using io::ColumnType;

/// Which optional columns a file has.
struct Shape {
    bool truth = true, source = true, weight = false;
    bool operator==(const Shape&) const = default;
};

Shape shape_of(const Events& events) {
    const bool photons = events.photons() > 0;
    return {!events.truth.empty(), !photons || !events.source.empty(),
            photons && !events.weight.empty()};
}

/// Consecutive events of a block, turned into columns one after the other.
class ChunkBuilder {
  public:
    ChunkBuilder(const Events& events, std::int64_t begin, std::int64_t end)
        : events_(events), begin_(begin), end_(end) {
        chunk_.rows = end - begin;
    }

    void add_truth() {
        scalar("interaction", [](const Truth& t) { return t.interaction; });
        scalar("initial_state_energy", [](const Truth& t) { return t.initial.energy; });
        scalar("initial_state_type", [](const Truth& t) { return t.initial.type; });
        scalar("initial_state_zenith", [](const Truth& t) { return t.initial.zenith; });
        scalar("initial_state_azimuth", [](const Truth& t) { return t.initial.azimuth; });
        scalar("initial_state_x", [](const Truth& t) { return t.initial.position[0]; });
        scalar("initial_state_y", [](const Truth& t) { return t.initial.position[1]; });
        scalar("initial_state_z", [](const Truth& t) { return t.initial.position[2]; });
        list("final_state_energy", [](const Particle& p) { return p.energy; });
        list("final_state_type", [](const Particle& p) { return static_cast<double>(p.type); });
        list("final_state_zenith", [](const Particle& p) { return p.zenith; });
        list("final_state_azimuth", [](const Particle& p) { return p.azimuth; });
        list("final_state_x", [](const Particle& p) { return p.position[0]; });
        list("final_state_y", [](const Particle& p) { return p.position[1]; });
        list("final_state_z", [](const Particle& p) { return p.position[2]; });
        list("final_state_parent", [](const Particle& p) { return static_cast<double>(p.parent); });
        scalar("bjorken_x", [](const Truth& t) { return t.bjorken_x; });
        scalar("bjorken_y", [](const Truth& t) { return t.bjorken_y; });
        scalar("column_depth", [](const Truth& t) { return t.column_depth; });
    }

    void add_photons(const std::string& prefix, const Shape& shape, const std::string& weight) {
        photon(prefix + "sensor_pos_x", events_.x);
        photon(prefix + "sensor_pos_y", events_.y);
        photon(prefix + "sensor_pos_z", events_.z);
        photon(prefix + "string_id", events_.string);
        photon(prefix + "sensor_id", events_.sensor);
        photon(prefix + "t", events_.time);
        if (shape.source) photon(prefix + "id_idx", events_.source);
        if (shape.weight) photon(prefix + weight, events_.weight);
    }

    io::Chunk take() { return std::move(chunk_); }

  private:
    template <class T>
    static ColumnType type_of() {
        return std::is_same_v<T, double> ? ColumnType::f64 : ColumnType::i64;
    }

    template <class Get>
    void scalar(const char* name, Get&& get) {
        using T = std::decay_t<decltype(get(std::declval<const Truth&>()))>;
        std::vector<T> values;
        for (std::int64_t e = begin_; e < end_; ++e) values.push_back(get(truth(e)));
        chunk_.columns.push_back(
            {{std::string("mc_truth.") + name, type_of<T>(), 0}, {}, std::move(values)});
    }

    template <class Get>
    void list(const char* name, Get&& get) {
        std::vector<std::int64_t> offsets{0};
        std::vector<double> values;
        for (std::int64_t e = begin_; e < end_; ++e) {
            for (const Particle& particle : truth(e).final_state) values.push_back(get(particle));
            offsets.push_back(static_cast<std::int64_t>(values.size()));
        }
        chunk_.columns.push_back({{std::string("mc_truth.") + name, ColumnType::f64, 1},
                                  {std::move(offsets)},
                                  std::move(values)});
    }

    template <class T>
    void photon(const std::string& name, const std::vector<T>& values) {
        const std::int64_t first = events_.offsets[static_cast<std::size_t>(begin_)];
        const std::int64_t last = events_.offsets[static_cast<std::size_t>(end_)];
        std::vector<std::int64_t> offsets;
        for (std::int64_t e = begin_; e <= end_; ++e) {
            offsets.push_back(events_.offsets[static_cast<std::size_t>(e)] - first);
        }
        std::vector<T> part;
        if (first < last) part.assign(values.begin() + first, values.begin() + last);
        chunk_.columns.push_back({{name, type_of<T>(), 1}, {std::move(offsets)}, std::move(part)});
    }

    const Truth& truth(std::int64_t event) const {
        return events_.truth[static_cast<std::size_t>(event)];
    }

    const Events& events_;
    std::int64_t begin_, end_;
    io::Chunk chunk_;
};

io::Chunk chunk_of(const Events& events, std::int64_t begin, std::int64_t end, const Shape& shape,
                   const WriteOptions& options) {
    ChunkBuilder builder(events, begin, end);
    if (shape.truth) builder.add_truth();
    builder.add_photons(options.photons + ".", shape, options.weight);
    return builder.take();
}

std::vector<io::ColumnSpec> specs_of(const Shape& shape, const WriteOptions& options) {
    std::vector<io::ColumnSpec> specs;
    for (const auto& column : chunk_of(Events{}, 0, 0, shape, options).columns) {
        specs.push_back(column.spec);
    }
    return specs;
}

io::ParquetWriteOptions parquet_options(const WriteOptions& options) {
    io::Json config = options.config;
    config["photon propagator"]["photon field name"] = options.photons;
    io::ParquetWriteOptions parquet;
    parquet.metadata = options.metadata;
    parquet.metadata.emplace_back("config_prometheus", config.dump());
    return parquet;
}

}  // namespace

class EventWriter::Body {
  public:
    Body(base::Path directory, std::string stem, WriteOptions options)
        : directory_(std::move(directory)), stem_(std::move(stem)), options_(std::move(options)) {}

    void append(const Events& events) {
        if (events.size() == 0) return;
        const Shape shape = shape_of(events);
        open(shape);
        HODO_DOOR(shape.truth == shape_->truth);
        HODO_DOOR(events.photons() == 0 || (shape.source || !shape_->source));
        HODO_DOOR(events.photons() == 0 || shape.weight == shape_->weight);
        for (std::int64_t begin = 0; begin < events.size();) {
            const std::int64_t end = part_end(events, begin);
            shards_->append(chunk_of(events, begin, end, *shape_, options_));
            begin = end;
        }
    }

    std::vector<base::Path> finish() {
        open(shape_.value_or(Shape{}));
        return shards_->finish();
    }

  private:
    static std::int64_t part_end(const Events& events, std::int64_t begin) {
        constexpr std::int64_t most_events = 256, most_photons = 1'000'000;
        const std::int64_t first = events.offsets[static_cast<std::size_t>(begin)];
        std::int64_t end = begin + 1;
        while (end < events.size() && end - begin < most_events &&
               events.offsets[static_cast<std::size_t>(end) + 1] - first <= most_photons) {
            ++end;
        }
        return end;
    }

    void open(const Shape& shape) {
        if (shards_) return;
        shape_ = shape;
        shards_.emplace(directory_, stem_, specs_of(shape, options_), parquet_options(options_),
                        options_.max_rows, options_.max_bytes);
    }

    base::Path directory_;
    std::string stem_;
    WriteOptions options_;
    std::optional<Shape> shape_;
    std::optional<io::ShardWriter> shards_;
};

EventWriter::EventWriter(base::Path directory, std::string stem, WriteOptions options)
    : body_(std::make_unique<Body>(std::move(directory), std::move(stem), std::move(options))) {}
EventWriter::~EventWriter() = default;
void EventWriter::append(const Events& events) {
    body_->append(events);
}
std::vector<base::Path> EventWriter::finish() {
    return body_->finish();
}

void write_events(const base::Path& file, const Events& events, WriteOptions options) {
    const Shape shape = events.size() > 0 ? shape_of(events) : Shape{};
    io::ParquetWriter writer(file, specs_of(shape, options), parquet_options(options));
    if (events.size() > 0) writer.append(chunk_of(events, 0, events.size(), shape, options));
    writer.finish();
}

}  // namespace hodo::optical
