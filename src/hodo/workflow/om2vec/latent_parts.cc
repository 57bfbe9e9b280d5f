#include "hodo/workflow/om2vec/latent_parts.hh"

#include "hodo/base/error.hh"

#include <utility>

namespace hodo::om2vec {

namespace {

using io::ColumnType;

/// Events held before they go to the file.
constexpr std::size_t events_at_once = 256;

std::vector<io::ColumnSpec> part_columns() {
    return {{"file", ColumnType::i64, 0},    {"row", ColumnType::i64, 0},
            {"modules", ColumnType::i64, 0}, {"string", ColumnType::i64, 1},
            {"sensor", ColumnType::i64, 1},  {"latent", ColumnType::f32, 1}};
}

/// Rows of a part handed to the writer.
void join_chunk(const io::Chunk& chunk, const base::Path& origin, std::int64_t width,
                LatentWriter& writer) {
    const auto& file = chunk.column("file").integers();
    const auto& row = chunk.column("row").integers();
    const auto& modules = chunk.column("modules").integers();
    const auto& string = chunk.column("string");
    const auto& sensor = chunk.column("sensor").integers();
    const auto& latent = chunk.column("latent");
    for (std::size_t r = 0; r < file.size(); ++r) {
        const auto begin = string.offsets[0][r], end = string.offsets[0][r + 1];
        std::vector<optical::ModuleId> ids;
        for (auto i = begin; i < end; ++i) {
            const auto at = static_cast<std::size_t>(i);
            ids.push_back({string.integers()[at], sensor[at]});
        }
        const auto first = latent.offsets[0][r], last = latent.offsets[0][r + 1];
        HODO_CHECK(last - first == (end - begin) * width,
                   "{}: row {} has {} latents for {} modules of {} each; remove it and make the "
                   "shard again",
                   origin, chunk.first_row + static_cast<std::int64_t>(r), last - first,
                   end - begin, width);
        writer.add(
            {file[r], row[r]}, writer.admit(modules[r]), modules[r], ids,
            std::span(latent.floats())
                .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first)));
    }
}

}  // namespace

LatentPartWriter::LatentPartWriter(const base::Path& folder, const LatentOutput& options,
                                   std::int64_t width)
    : options_(options), width_(width), file_(folder / "latents.parquet", part_columns()) {}

EventFate LatentPartWriter::admit(std::int64_t modules) {
    const bool few = modules < options_.least_modules();
    if (few && options_.compat == Compat::om2vec) return EventFate::drop;
    return few || modules == 0 ? EventFate::empty : EventFate::encode;
}

void LatentPartWriter::add(const io::RowReference& place, EventFate fate, std::int64_t modules,
                           std::span<const optical::ModuleId> ids, std::span<const float> latents) {
    HODO_DOOR(fate == EventFate::encode || fate == EventFate::empty);
    HODO_DOOR(std::ssize(latents) == std::ssize(ids) * width_);
    files_.push_back(place.file);
    rows_.push_back(place.row);
    modules_.push_back(modules);
    for (const auto& id : ids) {
        strings_.push_back(id.string);
        sensors_.push_back(id.sensor);
    }
    latents_.insert(latents_.end(), latents.begin(), latents.end());
    id_offsets_.push_back(std::ssize(strings_));
    latent_offsets_.push_back(std::ssize(latents_));
    if (files_.size() == events_at_once) flush();
}

void LatentPartWriter::flush() {
    const auto specs = part_columns();
    io::Chunk chunk;
    chunk.rows = std::ssize(files_);
    chunk.columns.push_back({specs[0], {}, std::exchange(files_, {})});
    chunk.columns.push_back({specs[1], {}, std::exchange(rows_, {})});
    chunk.columns.push_back({specs[2], {}, std::exchange(modules_, {})});
    chunk.columns.push_back({specs[3], {id_offsets_}, std::exchange(strings_, {})});
    chunk.columns.push_back(
        {specs[4], {std::exchange(id_offsets_, {0})}, std::exchange(sensors_, {})});
    chunk.columns.push_back(
        {specs[5], {std::exchange(latent_offsets_, {0})}, std::exchange(latents_, {})});
    file_.append(chunk);
}

void LatentPartWriter::finish() {
    flush();
    file_.finish();
}

void join_latents(const std::vector<workflow::Part>& parts, std::int64_t width,
                  LatentWriter& writer) {
    for (const auto& part : parts) {
        for (const auto& file : part.files) {
            const auto reader = io::read_parquet(file, {});
            while (const auto chunk = reader->next()) join_chunk(*chunk, file, width, writer);
        }
    }
}

}  // namespace hodo::om2vec
