#include "hodo/detector/optical/prepared.hh"

#include <algorithm>
#include <optional>

#include "hodo/base/error.hh"
#include "hodo/detector/optical/files.hh"
#include "hodo/io/parquet.hh"

namespace hodo::optical {

namespace {

using io::ColumnType;

std::vector<io::ColumnSpec> prepared_columns() {
    return {{"file", ColumnType::i64, 0},   {"event", ColumnType::i64, 0},
            {"string", ColumnType::i64, 0}, {"sensor", ColumnType::i64, 0},
            {"x", ColumnType::f64, 0},      {"y", ColumnType::f64, 0},
            {"z", ColumnType::f64, 0},      {"time_offset", ColumnType::f64, 0},
            {"hits", ColumnType::f64, 0},   {"bin", ColumnType::i32, 1},
            {"count", ColumnType::f32, 1}};
}

template <class E>
E choice_of(const io::Json& json, const char* key, std::string_view origin) {
    const std::string& word = json.at(key).text();
    const auto known = names(E{});
    const auto found = std::find(known.begin(), known.end(), word);
    HODO_CHECK(found != known.end(), "{}: '{}' is '{}', which is not known here", origin, key,
               word);
    return static_cast<E>(found - known.begin());
}

template <class E>
std::string_view name_of(E value) {
    return names(E{})[static_cast<std::size_t>(value)];
}

io::ParquetWriteOptions parquet_options(const PreparedHeader& header) {
    io::Json binning = binning_json(header.binning);
    binning["module_order"] = io::Json(name_of(header.order));
    io::Json sources = io::Json::list();
    for (const std::string& source : header.sources) sources.push(source);
    io::ParquetWriteOptions options;
    options.metadata = header.metadata;
    options.metadata.emplace_back("hodo_binning", binning.dump());
    options.metadata.emplace_back("hodo_sources", sources.dump());
    return options;
}

PreparedHeader header_of(const io::TableSchema& schema, const base::Path& file) {
    PreparedHeader header;
    bool found = false;
    for (const auto& [key, value] : schema.metadata) {
        const std::string origin = file.string() + ": metadata '" + key + "'";
        if (key == "hodo_binning") {
            const auto json = io::Json::parse(value, origin);
            header.binning = binning_of_json(json, origin);
            header.order = choice_of<ModuleOrder>(json, "module_order", origin);
            found = true;
        } else if (key == "hodo_sources") {
            const auto json = io::Json::parse(value, origin);
            for (const auto& source : json.items()) header.sources.push_back(source.text());
        } else if (key != "ARROW:schema") {
            header.metadata.emplace_back(key, value);
        }
    }
    HODO_CHECK(found,
               "{}: the metadata 'hodo_binning' is missing; this is not a file of prepared modules",
               file);
    return header;
}

io::Chunk chunk_of(const PreparedModules& modules) {
    const ModuleCounts& counts = modules.counts;
    std::vector<std::int64_t> string, sensor;
    std::vector<double> x, y, z;
    for (std::size_t m = 0; m < counts.id.size(); ++m) {
        string.push_back(counts.id[m].string);
        sensor.push_back(counts.id[m].sensor);
        x.push_back(counts.position[m][0]);
        y.push_back(counts.position[m][1]);
        z.push_back(counts.position[m][2]);
    }
    const auto specs = prepared_columns();
    io::Chunk chunk;
    chunk.rows = modules.size();
    const auto add = [&](auto values) {
        chunk.columns.push_back({specs[chunk.columns.size()], {}, std::move(values)});
    };
    add(modules.file);
    add(modules.event);
    add(std::move(string));
    add(std::move(sensor));
    add(std::move(x));
    add(std::move(y));
    add(std::move(z));
    add(counts.time_offset);
    add(counts.hits);
    chunk.columns.push_back({specs[9], {counts.offsets}, counts.bin});
    chunk.columns.push_back({specs[10], {counts.offsets}, counts.count});
    return chunk;
}

template <class T>
void append_to(std::vector<T>& to, const std::vector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
}

/// Adds the rows of a chunk to `modules`.
void append_chunk(PreparedModules& modules, const io::Chunk& chunk, const base::Path& file) {
    ModuleCounts& counts = modules.counts;
    const auto string = chunk.column("string").to_integers();
    const auto sensor = chunk.column("sensor").to_integers();
    const auto x = chunk.column("x").to_doubles();
    const auto y = chunk.column("y").to_doubles();
    const auto z = chunk.column("z").to_doubles();
    for (std::size_t m = 0; m < string.size(); ++m) {
        counts.id.push_back({string[m], sensor[m]});
        counts.position.push_back({x[m], y[m], z[m]});
    }
    append_to(modules.file, chunk.column("file").to_integers());
    append_to(modules.event, chunk.column("event").to_integers());
    append_to(counts.time_offset, chunk.column("time_offset").to_doubles());
    append_to(counts.hits, chunk.column("hits").to_doubles());
    const io::Column& bins = chunk.column("bin");
    const io::Column& values = chunk.column("count");
    HODO_CHECK(bins.spec.list_levels == 1 && values.spec.list_levels == 1 &&
                   bins.offsets[0] == values.offsets[0],
               "{}: the lists 'bin' and 'count' of a module must be equally long", file);
    const std::int64_t base = counts.offsets.back();
    for (std::size_t r = 1; r < bins.offsets[0].size(); ++r) {
        counts.offsets.push_back(base + bins.offsets[0][r]);
    }
    for (const std::int64_t bin : bins.to_integers()) {
        counts.bin.push_back(static_cast<std::int32_t>(bin));
    }
    for (const double value : values.to_doubles()) {
        counts.count.push_back(static_cast<float>(value));
    }
}

/// Numbers the events from 0: a new one wherever (file, event) changes.
void number_events(PreparedModules& modules) {
    std::int64_t number = -1;
    for (std::size_t m = 0; m < modules.file.size(); ++m) {
        const bool same = m > 0 && modules.file[m] == modules.file[m - 1] &&
                          modules.event[m] == modules.event[m - 1];
        modules.counts.event.push_back(same ? number : ++number);
    }
}

void check_bins(const PreparedModules& modules, const Binning& binning, const base::Path& file) {
    for (std::int64_t m = 0; m < modules.size(); ++m) {
        std::int32_t last = -1;
        for (const std::int32_t bin : modules.counts.bins_of(m)) {
            HODO_CHECK(bin > last && bin < binning.width(),
                       "{}: module {} has the bin {}; bins must ascend and lie below {}", file, m,
                       bin, binning.width());
            last = bin;
        }
    }
}

}  // namespace

io::Json binning_json(const Binning& binning) {
    io::Json json = io::Json::object();
    json["rule"] = io::Json(name_of(binning.rule));
    json["bins"] = binning.bins;
    json["window"] = binning.window;
    json["overflow"] = io::Json(name_of(binning.overflow));
    json["time_zero"] = binning.time_zero;
    return json;
}

Binning binning_of_json(const io::Json& json, std::string_view origin) {
    Binning binning;
    binning.rule = choice_of<BinningRule>(json, "rule", origin);
    binning.bins = json.at("bins").integer();
    binning.window = json.at("window").number();
    binning.overflow = choice_of<Overflow>(json, "overflow", origin);
    binning.time_zero = json.at("time_zero").text();
    binning.check();
    return binning;
}

void require_same_binning(const Binning& wanted, const Binning& found, std::string_view origin) {
    HODO_CHECK(found == wanted,
               "{}: the histograms are binned as {} but {} is needed (a network only understands "
               "the binning it was trained with); prepare the events again",
               origin, binning_json(found).dump(), binning_json(wanted).dump());
}

PreparedModules prepared_modules(ModuleCounts counts, const Events& events) {
    PreparedModules modules;
    for (const std::int64_t event : counts.event) {
        modules.file.push_back(events.file[static_cast<std::size_t>(event)]);
        modules.event.push_back(events.row[static_cast<std::size_t>(event)]);
    }
    modules.counts = std::move(counts);
    return modules;
}

class PreparedWriter::Body {
  public:
    Body(base::Path directory, const PreparedHeader& header, ShardLimits limits)
        : shards_(directory, "modules", prepared_columns(), parquet_options(header),
                  limits.max_modules, limits.max_bytes) {}
    io::ShardWriter shards_;
};

PreparedWriter::PreparedWriter(base::Path directory, const PreparedHeader& header,
                               ShardLimits limits)
    : body_(std::make_unique<Body>(std::move(directory), header, limits)) {}
PreparedWriter::~PreparedWriter() = default;

void PreparedWriter::append(const PreparedModules& modules) {
    HODO_DOOR(modules.file.size() == modules.counts.id.size());
    if (modules.size() > 0) body_->shards_.append(chunk_of(modules));
}

std::vector<base::Path> PreparedWriter::finish() {
    return body_->shards_.finish();
}

PreparedSet::PreparedSet(const base::Path& directory)
    : PreparedSet(event_files((directory / "modules-*.parquet").string())) {}

PreparedSet::PreparedSet(std::vector<base::Path> shards) : files_(std::move(shards)) {
    HODO_CHECK(!files_.empty(), "no files of prepared modules are named");
    for (const base::Path& file : files_) {
        const auto schema = io::parquet_schema(file);
        PreparedHeader header = header_of(schema, file);
        if (rows_.empty())
            header_ = std::move(header);
        else
            require_same_binning(header_.binning, header.binning, file.string());
        rows_.push_back(schema.rows);
    }
}

std::int64_t PreparedSet::modules() const {
    std::int64_t sum = 0;
    for (const std::int64_t rows : rows_) sum += rows;
    return sum;
}

PreparedModules PreparedSet::read(std::int64_t shard) const {
    HODO_DOOR(shard >= 0 && shard < shards());
    io::ParquetQuery query;
    for (const auto& spec : prepared_columns()) query.columns.push_back(spec.name);
    auto reader = io::read_parquet(file(shard), query);
    PreparedModules modules;
    while (auto chunk = reader->next()) append_chunk(modules, *chunk, file(shard));
    number_events(modules);
    check_bins(modules, header_.binning, file(shard));
    return modules;
}

}  // namespace hodo::optical
