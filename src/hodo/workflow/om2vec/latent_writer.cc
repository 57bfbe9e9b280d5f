#include "hodo/workflow/om2vec/latent_writer.hh"

#include "hodo/base/error.hh"
#include "hodo/io/npz.hh"
#include "hodo/workflow/output.hh"

#include <bit>
#include <cmath>

namespace hodo::om2vec {

namespace {

template <class T>
io::Column make_column(std::string name, io::ColumnType type, std::vector<T> values) {
    io::Column column;
    column.spec = {std::move(name), type, 0};
    column.values = std::move(values);
    return column;
}

template <class T>
std::vector<T> convert(const std::vector<float>& values) {
    return {values.begin(), values.end()};
}

/// Events and latents of the file being filled.
struct Pending {
    std::vector<io::RowReference> rows;
    std::vector<std::int64_t> modules;     ///< Modules hit, per row.
    std::vector<std::int64_t> offsets{0};  ///< [rows + 1] into ids and latents.
    std::vector<optical::ModuleId> ids;
    std::vector<float> latents;  ///< [ids, width]

    /// File, event, string and sensor of every module.
    struct Identities {
        std::vector<std::int64_t> file, event, string, sensor;
    };
    Identities identities() const {
        Identities all;
        for (std::size_t row = 0; row < rows.size(); ++row) {
            for (auto i = offsets[row]; i < offsets[row + 1]; ++i) {
                const auto& id = ids[static_cast<std::size_t>(i)];
                all.file.push_back(rows[row].file);
                all.event.push_back(rows[row].row);
                all.string.push_back(id.string);
                all.sensor.push_back(id.sensor);
            }
        }
        return all;
    }
};

/// [string, sensor, latent_0, ...] of every module. Ids are exact in float32 below 2^24.
template <class T>
std::vector<T> rows_with_ids(const Pending& pending, std::int64_t width) {
    std::vector<T> values;
    values.reserve(pending.ids.size() * static_cast<std::size_t>(width + 2));
    auto latent = pending.latents.begin();
    for (const auto& id : pending.ids) {
        values.push_back(static_cast<T>(id.string));
        values.push_back(static_cast<T>(id.sensor));
        values.insert(values.end(), latent, latent + width);
        latent += width;
    }
    return values;
}

std::vector<std::int64_t> even_offsets(std::size_t lists, std::int64_t length) {
    std::vector<std::int64_t> offsets(lists + 1);
    for (std::size_t i = 0; i <= lists; ++i) offsets[i] = static_cast<std::int64_t>(i) * length;
    return offsets;
}

}  // namespace

struct LatentWriter::Body {
    std::vector<base::Path> inputs;
    LatentOutput options;
    std::int64_t width = 0;
    io::KeyValues metadata;
    bool one_file = false, npz = false;

    std::int64_t admitted = 0;  ///< Events that were not dropped.
    std::int64_t present = 0;   ///< Of those, how many lie in files that exist.
    std::int64_t added = 0;
    Pending pending;
    std::vector<base::Path> written;

    base::Path next_file() const {
        if (one_file) return options.output;
        return base::Path(options.output) / base::format("chunk_{}.parquet", written.size());
    }
    bool is_wide() const { return options.dtype == LatentType::float64; }
    io::ColumnType latent_type() const {
        return is_wide() ? io::ColumnType::f64 : io::ColumnType::f32;
    }
    void flush();
    void write_beside_events(const base::Path& file) const;
    void write_modules(const base::Path& file) const;
    void write_arrays(const base::Path& file) const;
};

void LatentWriter::Body::flush() {
    if (options.dtype == LatentType::float16) {
        for (auto& value : pending.latents) value = round_to_half(value);
    }
    const auto file = next_file();
    if (npz) {
        write_arrays(file);
    } else if (options.latents_only) {
        write_modules(file);
    } else {
        write_beside_events(file);
    }
    written.push_back(file);
    pending = {};
}

void LatentWriter::Body::write_beside_events(const base::Path& file) const {
    std::vector<io::Column> columns;
    if (options.compat == Compat::none) {
        columns.push_back(make_column("modules", io::ColumnType::i64, pending.modules));
    }
    auto latents =
        is_wide() ? make_column("latents", latent_type(), rows_with_ids<double>(pending, width))
                  : make_column("latents", latent_type(), rows_with_ids<float>(pending, width));
    latents.spec.list_levels = 2;
    latents.offsets = {pending.offsets, even_offsets(pending.ids.size(), width + 2)};
    columns.push_back(std::move(latents));
    io::copy_parquet_rows(inputs, pending.rows, columns, file, {.metadata = metadata});
}

void LatentWriter::Body::write_modules(const base::Path& file) const {
    auto identities = pending.identities();
    io::Chunk table;
    table.rows = static_cast<std::int64_t>(pending.ids.size());
    constexpr auto integer = io::ColumnType::i64;
    table.columns.push_back(make_column("file", integer, std::move(identities.file)));
    table.columns.push_back(make_column("event", integer, std::move(identities.event)));
    table.columns.push_back(make_column("string_id", integer, std::move(identities.string)));
    table.columns.push_back(make_column("sensor_id", integer, std::move(identities.sensor)));
    auto latent = is_wide() ? make_column("latent", latent_type(), convert<double>(pending.latents))
                            : make_column("latent", latent_type(), pending.latents);
    latent.spec.list_levels = 1;
    latent.offsets = {even_offsets(pending.ids.size(), width)};
    table.columns.push_back(std::move(latent));
    std::vector<io::ColumnSpec> specs;
    for (const auto& column : table.columns) specs.push_back(column.spec);
    io::ParquetWriter writer(file, specs, {.metadata = metadata});
    writer.append(table);
    writer.finish();
}

void LatentWriter::Body::write_arrays(const base::Path& file) const {
    const auto identities = pending.identities();
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(pending.ids.size()), width};
    io::Array latents;
    if (is_wide()) {
        const auto values = convert<double>(pending.latents);
        latents = io::make_array(std::span<const double>(values), shape);
    } else if (options.dtype == LatentType::float16) {
        std::vector<std::uint16_t> bits;
        for (const float value : pending.latents) bits.push_back(half_bits(value));
        latents = io::make_array(std::span<const std::uint16_t>(bits), shape);
        latents.dtype = io::DType::f16;
    } else {
        latents = io::make_array(std::span<const float>(pending.latents), shape);
    }
    io::write_npz(file, {{"file", io::make_array(identities.file)},
                         {"event", io::make_array(identities.event)},
                         {"string_id", io::make_array(identities.string)},
                         {"sensor_id", io::make_array(identities.sensor)},
                         {"latents", latents}});
}

namespace {

/// A file that is there must come from the same network and binning; only where the weights lie
/// may differ.
void require_same_origin(const base::Path& file, const io::KeyValues& metadata) {
    const auto stored = io::parquet_schema(file).metadata;
    for (const auto& entry : metadata) {
        if (entry.first == "hodo_weights") continue;
        HODO_CHECK(std::find(stored.begin(), stored.end(), entry) != stored.end(),
                   "{}: is there already, but its {} is another than this run's, and the folder "
                   "would mix both; resume with the same weights and options, or use --overwrite",
                   file, entry.first);
    }
}

}  // namespace

LatentWriter::LatentWriter(std::vector<base::Path> inputs, const LatentOutput& options,
                           workflow::Existing existing, std::int64_t width, io::KeyValues metadata)
    : body_(std::make_unique<Body>()) {
    auto& body = *body_;
    HODO_CHECK(!options.output.empty(),
               "no output is named; add a folder, a .parquet or a .npz file");
    const base::Path output = options.output;
    body.inputs = std::move(inputs);
    body.options = options;
    body.width = width;
    body.metadata = std::move(metadata);
    body.npz = output.extension() == ".npz";
    body.one_file = body.npz || output.extension() == ".parquet";
    HODO_CHECK(!body.npz || options.latents_only,
               "{}: an .npz file holds latents only; add --latents-only or write .parquet", output);
    if (body.one_file) {
        workflow::claim_file(output, existing);
        return;
    }
    workflow::claim_folder(output, existing);
    if (existing != workflow::Existing::resume) return;
    while (std::filesystem::exists(body.next_file())) {
        require_same_origin(body.next_file(), body.metadata);
        body.written.push_back(body.next_file());
        body.present += options.chunk_size;
    }
}

LatentWriter::~LatentWriter() = default;

EventFate LatentWriter::admit(std::int64_t modules) {
    auto& body = *body_;
    const bool few = modules < body.options.least_modules();
    if (few && body.options.compat == Compat::om2vec) return EventFate::drop;
    if (body.admitted++ < body.present) return EventFate::present;
    return few || modules == 0 ? EventFate::empty : EventFate::encode;
}

void LatentWriter::add(const io::RowReference& place, EventFate fate, std::int64_t modules,
                       std::span<const optical::ModuleId> ids, std::span<const float> latents) {
    auto& body = *body_;
    HODO_DOOR(fate != EventFate::drop);
    HODO_DOOR(std::ssize(latents) == std::ssize(ids) * body.width);
    ++body.added;
    if (fate == EventFate::present) return;
    auto& pending = body.pending;
    pending.rows.push_back(place);
    pending.modules.push_back(modules);
    pending.ids.insert(pending.ids.end(), ids.begin(), ids.end());
    pending.latents.insert(pending.latents.end(), latents.begin(), latents.end());
    pending.offsets.push_back(std::ssize(pending.ids));
    if (!body.one_file && std::ssize(pending.rows) == body.options.chunk_size) body.flush();
}

std::vector<base::Path> LatentWriter::finish() {
    auto& body = *body_;
    // The original always writes its last file, even an empty one.
    const bool write_empty = body.options.compat == Compat::om2vec || body.written.empty();
    const bool last_is_present = body.added < body.present;
    if (!body.pending.rows.empty() || (write_empty && !last_is_present)) body.flush();
    return body.written;
}

std::uint16_t half_bits(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    const float magnitude = std::abs(value);
    if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7e00u);
    if (magnitude >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7c00u);
    // Scaled to multiples of the spacing of half numbers there, then rounded to even.
    const int exponent = magnitude < 0x1p-14f ? -14 : std::ilogb(magnitude);
    const float steps = std::nearbyint(std::ldexp(magnitude, 10 - exponent));
    const auto units = static_cast<std::uint32_t>(steps);
    const auto base = static_cast<std::uint32_t>(exponent + 14) << 10;
    return static_cast<std::uint16_t>(sign | (base + units));
}

float round_to_half(float value) {
    const auto bits = half_bits(value);
    const int exponent = (bits >> 10) & 31;
    const float sign = (bits & 0x8000u) != 0 ? -1.0f : 1.0f;
    const auto fraction = static_cast<float>(bits & 0x3ffu);
    if (exponent == 31) return fraction != 0 ? value : sign * HUGE_VALF;
    if (exponent == 0) return sign * std::ldexp(fraction, -24);
    return sign * std::ldexp(1024.0f + fraction, exponent - 25);
}

}  // namespace hodo::om2vec
