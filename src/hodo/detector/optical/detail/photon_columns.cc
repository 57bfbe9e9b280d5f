#include <cmath>
#include <initializer_list>

#include "hodo/base/error.hh"
#include "hodo/detector/optical/detail/event_source.hh"

namespace hodo::optical::detail {

namespace {

std::string first_known(const io::TableSchema& schema, const std::string& prefix,
                        std::initializer_list<const char*> candidates) {
    for (const char* candidate : candidates) {
        if (schema.has(prefix + candidate)) return prefix + candidate;
    }
    return {};
}

std::string string_column(const io::TableSchema& schema, const std::string& prefix) {
    return first_known(schema, prefix, {"string_id", "sensor_string_id"});
}

std::vector<std::string> column_names(const io::TableSchema& schema) {
    std::vector<std::string> names;
    for (const auto& column : schema.columns) names.push_back(column.name);
    return names;
}

std::string required(const io::TableSchema& schema, const std::string& prefix, const char* name,
                     const base::Path& file) {
    HODO_CHECK(schema.has(prefix + name),
               "{}: column '{}' is missing (photons cannot be assigned to modules without it); "
               "the file has {}",
               file, prefix + name, base::join(column_names(schema), ", "));
    return prefix + name;
}

std::string weight_column(const io::TableSchema& schema, const std::string& prefix,
                          const std::string& weight, const base::Path& file) {
    if (weight.empty()) return {};
    if (schema.has(prefix + weight)) return prefix + weight;
    HODO_CHECK(schema.has(weight), "{}: the weight column '{}' is not there{}", file,
               prefix + weight, base::did_you_mean(prefix + weight, column_names(schema)));
    return weight;
}

io::Column& find(io::Chunk& chunk, const std::string& name) {
    for (io::Column& column : chunk.columns) {
        if (column.spec.name == name) return column;
    }
    base::broken_contract("invariant", "the column was asked for", __FILE__, __LINE__);
}

std::vector<double> take_doubles(io::Chunk& chunk, const std::string& name) {
    io::Column& column = find(chunk, name);
    if (auto* values = std::get_if<std::vector<double>>(&column.values)) return std::move(*values);
    return column.to_doubles();
}

std::vector<std::int64_t> take_integers(io::Chunk& chunk, const std::string& name) {
    io::Column& column = find(chunk, name);
    if (auto* values = std::get_if<std::vector<std::int64_t>>(&column.values)) {
        return std::move(*values);
    }
    return column.to_integers();
}

/// Index of the first value that fails `good`, or nothing.
template <class Good>
std::optional<std::int64_t> first_failing(const std::vector<double>& values, Good&& good) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!good(values[i])) return static_cast<std::int64_t>(i);
    }
    return std::nullopt;
}

}  // namespace

std::vector<std::string> PhotonColumns::names() const {
    std::vector<std::string> all;
    for (const auto* name : {&time, &x, &y, &z, &string, &sensor, &source, &weight}) {
        if (!name->empty()) all.push_back(*name);
    }
    return all;
}

bool has_photons(const io::TableSchema& schema, const std::string& prefix) {
    return schema.has(prefix + "t") && schema.has(prefix + "sensor_id") &&
           !string_column(schema, prefix).empty();
}

PhotonColumns photon_columns(const io::TableSchema& schema, const std::string& prefix,
                             const std::string& weight, const base::Path& file) {
    PhotonColumns columns;
    columns.time = required(schema, prefix, "t", file);
    columns.x = required(schema, prefix, "sensor_pos_x", file);
    columns.y = required(schema, prefix, "sensor_pos_y", file);
    columns.z = required(schema, prefix, "sensor_pos_z", file);
    columns.sensor = required(schema, prefix, "sensor_id", file);
    columns.string = string_column(schema, prefix);
    if (columns.string.empty()) columns.string = required(schema, prefix, "string_id", file);
    columns.source = first_known(schema, prefix, {"id_idx"});
    columns.weight = weight_column(schema, prefix, weight, file);
    return columns;
}

void PhotonLoader::take(io::Chunk& chunk, Events& events) const {
    if (!columns_.weight.empty()) events.weight = find(chunk, columns_.weight).to_doubles();
    events.time = take_doubles(chunk, columns_.time);
    events.x = take_doubles(chunk, columns_.x);
    events.y = take_doubles(chunk, columns_.y);
    events.z = take_doubles(chunk, columns_.z);
    events.string = take_integers(chunk, columns_.string);
    events.sensor = take_integers(chunk, columns_.sensor);
    if (!columns_.source.empty()) events.source = take_integers(chunk, columns_.source);
}

std::optional<PhotonLoader::Bad> PhotonLoader::first_bad(const Events& events) const {
    const auto finite = [](double value) { return std::isfinite(value); };
    const auto weight = [](double value) { return std::isfinite(value) && value >= 0; };
    const auto check = [&](const std::vector<double>& values, const std::string& name,
                           const auto& good) -> std::optional<Bad> {
        const auto at = first_failing(values, good);
        if (!at) return std::nullopt;
        return Bad{*at, name, values[static_cast<std::size_t>(*at)]};
    };
    if (auto bad = check(events.time, columns_.time, finite)) return bad;
    if (auto bad = check(events.x, columns_.x, finite)) return bad;
    if (auto bad = check(events.y, columns_.y, finite)) return bad;
    if (auto bad = check(events.z, columns_.z, finite)) return bad;
    return check(events.weight, columns_.weight, weight);
}

void PhotonLoader::report(const Bad& bad, std::int64_t event) const {
    const bool is_weight = bad.column == columns_.weight;
    base::fail("{}: event {}: column '{}' holds {}; {}", file_, event, bad.column, bad.value,
               is_weight ? "a weight must be a finite number that is not negative"
                         : "every photon needs a finite number there");
}

}  // namespace hodo::optical::detail
