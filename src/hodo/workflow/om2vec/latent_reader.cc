#include "hodo/workflow/om2vec/latent_reader.hh"

#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/detector/optical/files.hh"
#include "hodo/io/npz.hh"
#include "hodo/io/parquet.hh"

namespace hodo::om2vec {

namespace {

/// Appends [string, sensor, latent_0, ...] rows of one event.
void append_rows(Latents& latents, const base::Path& file, std::int64_t event,
                 std::span<const double> row) {
    const auto width = std::ssize(row) - 2;
    HODO_CHECK(width > 0,
               "{}: event {}: a latent row has {} numbers, but string, sensor and "
               "latents are needed; was the file written by 'hodo om2vec apply'?",
               file, event, row.size());
    if (latents.width == 0) latents.width = width;
    HODO_CHECK(width == latents.width,
               "{}: event {}: a module has {} latents while others have {}; the file is damaged",
               file, event, width, latents.width);
    latents.event.push_back(event);
    latents.id.push_back({static_cast<std::int64_t>(row[0]), static_cast<std::int64_t>(row[1])});
    for (const double value : row.subspan(2)) latents.values.push_back(static_cast<float>(value));
}

void read_beside_events(Latents& latents, const base::Path& file) {
    const auto reader = io::read_parquet(file, {.columns = {"latents"}});
    while (const auto chunk = reader->next()) {
        const auto& column = chunk->column("latents");
        HODO_CHECK(column.spec.list_levels == 2,
                   "{}: column 'latents' is not a list of lists; was the file written by "
                   "'hodo om2vec apply'?",
                   file);
        const auto values = column.to_doubles();
        for (std::int64_t row = 0; row < chunk->rows; ++row) {
            const auto r = static_cast<std::size_t>(row);
            for (auto i = column.offsets[0][r]; i < column.offsets[0][r + 1]; ++i) {
                const auto begin =
                    static_cast<std::size_t>(column.offsets[1][static_cast<std::size_t>(i)]);
                const auto end =
                    static_cast<std::size_t>(column.offsets[1][static_cast<std::size_t>(i) + 1]);
                append_rows(latents, file, chunk->first_row + row,
                            std::span(values).subspan(begin, end - begin));
            }
        }
    }
}

void read_modules(Latents& latents, const base::Path& file) {
    const auto reader =
        io::read_parquet(file, {.columns = {"event", "string_id", "sensor_id", "latent"}});
    while (const auto chunk = reader->next()) {
        const auto event = chunk->column("event").to_integers();
        const auto string = chunk->column("string_id").to_integers();
        const auto sensor = chunk->column("sensor_id").to_integers();
        const auto& latent = chunk->column("latent");
        const auto values = latent.to_doubles();
        for (std::size_t row = 0; row < event.size(); ++row) {
            std::vector<double> numbers{static_cast<double>(string[row]),
                                        static_cast<double>(sensor[row])};
            const auto begin = values.begin() + latent.offsets[0][row];
            numbers.insert(numbers.end(), begin, values.begin() + latent.offsets[0][row + 1]);
            append_rows(latents, file, event[row], numbers);
        }
    }
}

void read_arrays(Latents& latents, const base::Path& file) {
    const auto arrays = io::read_npz(file);
    const auto origin = file.string();
    latents.event = io::find(arrays, "event", origin).integers();
    const auto string = io::find(arrays, "string_id", origin).integers();
    const auto sensor = io::find(arrays, "sensor_id", origin).integers();
    const auto& values = io::find(arrays, "latents", origin);
    HODO_CHECK(values.shape.size() == 2 && values.shape[0] == std::ssize(string) &&
                   sensor.size() == string.size() && latents.event.size() == string.size(),
               "{}: arrays event, string_id, sensor_id and latents differ in length; the file is "
               "damaged",
               file);
    latents.width = values.shape[1];
    latents.values = values.floats();
    for (std::size_t i = 0; i < string.size(); ++i) latents.id.push_back({string[i], sensor[i]});
}

void require_finite(const Latents& latents, const base::Path& file) {
    const auto wrong = std::find_if_not(latents.values.begin(), latents.values.end(),
                                        [](float value) { return std::isfinite(value); });
    if (wrong == latents.values.end()) return;
    const auto place = wrong - latents.values.begin();
    const auto module = static_cast<std::size_t>(place / latents.width);
    base::fail(
        "{}: event {}: latent {} of module (string {}, sensor {}) is {} (only finite numbers can "
        "be "
        "decoded); encode the event again with 'hodo om2vec apply'",
        file, latents.event[module], place % latents.width, latents.id[module].string,
        latents.id[module].sensor, *wrong);
}

}  // namespace

std::optional<std::string> Latents::note(std::string_view key) const {
    for (const auto& [name, value] : metadata) {
        if (name == key) return value;
    }
    return std::nullopt;
}

Latents read_latents(const base::Path& file) {
    Latents latents;
    if (file.extension() == ".npz") {
        read_arrays(latents, file);
        require_finite(latents, file);
        return latents;
    }
    const auto schema = io::parquet_schema(file);
    latents.metadata = schema.metadata;
    if (schema.has("latents")) {
        latents.beside_events = true;
        read_beside_events(latents, file);
    } else {
        HODO_CHECK(schema.has("latent"),
                   "{}: has no column 'latents' (there is nothing to decode); name the output of "
                   "'hodo om2vec apply'",
                   file);
        read_modules(latents, file);
    }
    require_finite(latents, file);
    return latents;
}

std::vector<base::Path> latent_files(const std::vector<std::string>& inputs) {
    HODO_CHECK(!inputs.empty(), "no input is named; name the output of 'hodo om2vec apply'");
    std::vector<base::Path> files;
    for (const auto& input : inputs) {
        if (base::Path(input).extension() == ".npz") {
            HODO_CHECK(std::filesystem::exists(input), "{}: no such file; check the path", input);
            files.emplace_back(input);
            continue;
        }
        const auto some = optical::event_files(input);
        files.insert(files.end(), some.begin(), some.end());
    }
    return files;
}

}  // namespace hodo::om2vec
