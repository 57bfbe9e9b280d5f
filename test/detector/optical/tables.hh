#pragma once
/// Event tables for the tests of readers and writers.

#include <string>
#include <vector>

#include "hodo/detector/optical/events.hh"
#include "hodo/io/parquet.hh"

namespace hodo::optical::test_tables {

using io::ColumnType;

inline io::Column doubles(std::string name, std::vector<double> values) {
    return {{std::move(name), ColumnType::f64, 0}, {}, std::move(values)};
}
inline io::Column integers(std::string name, std::vector<std::int64_t> values) {
    return {{std::move(name), ColumnType::i64, 0}, {}, std::move(values)};
}
inline io::Column double_lists(std::string name, std::vector<std::int64_t> offsets,
                               std::vector<double> values) {
    return {{std::move(name), ColumnType::f64, 1}, {std::move(offsets)}, std::move(values)};
}
inline io::Column integer_lists(std::string name, std::vector<std::int64_t> offsets,
                                std::vector<std::int64_t> values) {
    return {{std::move(name), ColumnType::i64, 1}, {std::move(offsets)}, std::move(values)};
}

inline void write_table(const base::Path& file, std::vector<io::Column> columns,
                        io::KeyValues metadata = {}) {
    std::vector<io::ColumnSpec> specs;
    for (const auto& column : columns) specs.push_back(column.spec);
    io::Chunk chunk;
    chunk.rows = columns.front().rows();
    chunk.columns = std::move(columns);
    io::ParquetWriter writer(file, specs, {std::move(metadata), "zstd"});
    if (chunk.rows > 0) writer.append(chunk);
    writer.finish();
}

/// Photon lists of three events with 2, 0 and 1 photons.
inline std::vector<io::Column> photon_columns(const std::string& prefix) {
    const std::vector<std::int64_t> offsets{0, 2, 2, 3};
    return {double_lists(prefix + "sensor_pos_x", offsets, {1.0, 2.0, 3.0}),
            double_lists(prefix + "sensor_pos_y", offsets, {4.0, 5.0, 6.0}),
            double_lists(prefix + "sensor_pos_z", offsets, {7.0, 8.0, 9.0}),
            integer_lists(prefix + "string_id", offsets, {11, 12, 13}),
            integer_lists(prefix + "sensor_id", offsets, {1, 2, 3}),
            double_lists(prefix + "t", offsets, {100.0, 90.0, 80.0})};
}

inline std::vector<io::Column> flat_photons(std::vector<std::int64_t> event_no) {
    const auto count = event_no.size();
    std::vector<double> times;
    for (std::size_t i = 0; i < count; ++i) times.push_back(static_cast<double>(i));
    return {doubles("sensor_pos_x", std::vector<double>(count, 1.0)),
            doubles("sensor_pos_y", std::vector<double>(count, 2.0)),
            doubles("sensor_pos_z", std::vector<double>(count, 3.0)),
            integers("sensor_string_id", std::vector<std::int64_t>(count, 4)),
            integers("sensor_id", std::vector<std::int64_t>(count, 5)),
            doubles("t", times),
            integers("event_no", std::move(event_no))};
}

inline Particle particle(std::int64_t type, double energy, double zenith, double azimuth) {
    return {type, energy, zenith, azimuth, {1.0, 2.0, 3.0}, 0};
}

inline Events sample_events() {
    Events events;
    events.offsets = {0, 2, 2, 3};
    events.time = {100.5, 90.25, 80.125};
    events.x = {1.0, 2.0, 3.0};
    events.y = {4.0, 5.0, 6.0};
    events.z = {7.0, 8.0, 9.0};
    events.string = {11, 12, 13};
    events.sensor = {1, 2, 3};
    events.source = {1, 2, 1};
    for (int e = 0; e < 3; ++e) {
        Truth truth;
        truth.interaction = 1;
        truth.initial = particle(14, 1000.0 * (e + 1), 0.5, 1.5);
        truth.final_state = {particle(13, 700.0, 0.5, 1.5), particle(-2000001006, 300.0, 0.5, 1.5)};
        truth.bjorken_x = 0.1;
        truth.bjorken_y = 0.3;
        truth.column_depth = 12.5;
        events.truth.push_back(truth);
        events.file.push_back(0);
        events.row.push_back(e);
    }
    return events;
}

}  // namespace hodo::optical::test_tables
