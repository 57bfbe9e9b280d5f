#include "hodo/detector/optical/chunks.hh"

#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/io/parquet.hh"

namespace hodo::optical {

namespace {

constexpr const char* counts_column = "binned_time_counts";
constexpr const char* place_column = "pos";

/// Dense rows held before they go to the file.
constexpr std::int64_t rows_at_once = 256;

std::vector<io::ColumnSpec> chunk_columns() {
    return {{counts_column, io::ColumnType::i64, 1}, {place_column, io::ColumnType::f64, 1}};
}

}  // namespace

class ChunkWriter::Body {
  public:
    Body(base::Path directory, std::int64_t bins, std::int64_t chunk_size, io::KeyValues metadata)
        : directory_(std::move(directory)),
          bins_(bins),
          chunk_size_(chunk_size),
          metadata_(std::move(metadata)) {
        HODO_CHECK(chunk_size >= 1, "the chunk size is {}; it must be at least 1", chunk_size);
        HODO_DOOR(bins >= 1);
        open();
    }

    void append(const ModuleCounts& modules) {
        for (std::int64_t begin = 0; begin < modules.size();) {
            const std::int64_t room = chunk_size_ - writer_->rows();
            const std::int64_t end = std::min({modules.size(), begin + room, begin + rows_at_once});
            writer_->append(dense_rows(modules, begin, end));
            begin = end;
            if (writer_->rows() == chunk_size_) {
                close();
                open();
            }
        }
    }

    std::vector<base::Path> finish() {
        close();
        return files_;
    }

  private:
    void open() {
        const auto name = base::format("chunk_{}.parquet", files_.size());
        io::ParquetWriteOptions options;
        options.metadata = metadata_;
        files_.push_back(directory_ / name);
        writer_.emplace(files_.back(), chunk_columns(), options);
    }
    void close() {
        writer_->finish();
        writer_.reset();
    }

    io::Chunk dense_rows(const ModuleCounts& modules, std::int64_t begin, std::int64_t end) const {
        const auto width = static_cast<std::size_t>(bins_);
        std::vector<std::int64_t> counts(static_cast<std::size_t>(end - begin) * width, 0);
        std::vector<double> places;
        std::vector<std::int64_t> count_offsets{0}, place_offsets{0};
        for (std::int64_t m = begin; m < end; ++m) {
            std::int64_t* row = &counts[static_cast<std::size_t>(m - begin) * width];
            const auto bins = modules.bins_of(m);
            const auto values = modules.counts_of(m);
            for (std::size_t i = 0; i < bins.size(); ++i) {
                HODO_DOOR(bins[i] >= 0 && bins[i] < bins_);
                HODO_CHECK(values[i] == std::floor(values[i]),
                           "module string {} sensor {} has the count {}; chunk files hold whole "
                           "photons only",
                           modules.id[static_cast<std::size_t>(m)].string,
                           modules.id[static_cast<std::size_t>(m)].sensor, values[i]);
                row[bins[i]] = static_cast<std::int64_t>(values[i]);
            }
            const auto& position = modules.position[static_cast<std::size_t>(m)];
            const ModuleId id = modules.id[static_cast<std::size_t>(m)];
            places.insert(places.end(), position.begin(), position.end());
            places.push_back(static_cast<double>(id.string));
            places.push_back(static_cast<double>(id.sensor));
            count_offsets.push_back(count_offsets.back() + bins_);
            place_offsets.push_back(place_offsets.back() + 5);
        }
        const auto specs = chunk_columns();
        io::Chunk chunk;
        chunk.rows = end - begin;
        chunk.columns.push_back({specs[0], {std::move(count_offsets)}, std::move(counts)});
        chunk.columns.push_back({specs[1], {std::move(place_offsets)}, std::move(places)});
        return chunk;
    }

    base::Path directory_;
    std::int64_t bins_, chunk_size_;
    io::KeyValues metadata_;
    std::vector<base::Path> files_;
    std::optional<io::ParquetWriter> writer_;
};

ChunkWriter::ChunkWriter(base::Path directory, std::int64_t bins, std::int64_t chunk_size,
                         io::KeyValues metadata)
    : body_(std::make_unique<Body>(std::move(directory), bins, chunk_size, std::move(metadata))) {}
ChunkWriter::~ChunkWriter() = default;
void ChunkWriter::append(const ModuleCounts& modules) {
    body_->append(modules);
}
std::vector<base::Path> ChunkWriter::finish() {
    return body_->finish();
}

class ChunkReader::Body {
  public:
    explicit Body(base::Path file) : file_(std::move(file)) {
        const auto schema = io::parquet_schema(file_);
        for (const char* column : {counts_column, place_column}) {
            HODO_CHECK(schema.has(column),
                       "{}: column '{}' is missing; this is not a file of dense histograms", file_,
                       column);
        }
        rows_ = schema.rows;
        io::ParquetQuery query;
        query.columns = {counts_column, place_column};
        reader_ = io::read_parquet(file_, query);
    }

    std::optional<ModuleCounts> next() {
        const auto chunk = reader_->next();
        if (!chunk) return std::nullopt;
        const io::Column& counts = chunk->column(counts_column);
        const io::Column& places = chunk->column(place_column);
        HODO_CHECK(counts.spec.list_levels == 1 && places.spec.list_levels == 1,
                   "{}: columns '{}' and '{}' must hold one list per module", file_, counts_column,
                   place_column);
        const auto values = counts.to_integers();
        const auto numbers = places.to_doubles();
        ModuleCounts modules;
        for (std::int64_t r = 0; r < chunk->rows; ++r) {
            const auto [begin, end] = range(counts, r);
            const auto [place, place_end] = range(places, r);
            if (bins_ < 0) bins_ = end - begin;
            check_row(chunk->first_row + r, end - begin, place_end - place);
            add(modules,
                std::span(values).subspan(static_cast<std::size_t>(begin),
                                          static_cast<std::size_t>(end - begin)),
                &numbers[static_cast<std::size_t>(place)]);
        }
        return modules;
    }

    std::int64_t rows_ = 0;

  private:
    static std::pair<std::int64_t, std::int64_t> range(const io::Column& column, std::int64_t row) {
        const auto r = static_cast<std::size_t>(row);
        return {column.offsets[0][r], column.offsets[0][r + 1]};
    }

    void check_row(std::int64_t row, std::int64_t bins, std::int64_t numbers) const {
        HODO_CHECK(bins == bins_, "{}: row {} has {} bins but the first row has {}", file_, row,
                   bins, bins_);
        HODO_CHECK(numbers == 5,
                   "{}: row {} has {} numbers in 'pos'; x, y, z, string, sensor are expected",
                   file_, row, numbers);
    }

    static void add(ModuleCounts& modules, std::span<const std::int64_t> values,
                    const double* place) {
        double hits = 0;
        for (std::size_t k = 0; k < values.size(); ++k) {
            if (values[k] == 0) continue;
            modules.bin.push_back(static_cast<std::int32_t>(k));
            modules.count.push_back(static_cast<float>(values[k]));
            hits += static_cast<double>(values[k]);
        }
        modules.offsets.push_back(static_cast<std::int64_t>(modules.bin.size()));
        modules.event.push_back(0);
        modules.time_offset.push_back(0);
        modules.hits.push_back(hits);
        modules.position.push_back({place[0], place[1], place[2]});
        modules.id.push_back(
            {static_cast<std::int64_t>(place[3]), static_cast<std::int64_t>(place[4])});
    }

    base::Path file_;
    std::int64_t bins_ = -1;
    std::unique_ptr<io::TableReader> reader_;
};

ChunkReader::ChunkReader(base::Path file) : body_(std::make_unique<Body>(std::move(file))) {}
ChunkReader::~ChunkReader() = default;
std::int64_t ChunkReader::rows() const {
    return body_->rows_;
}
std::optional<ModuleCounts> ChunkReader::next() {
    return body_->next();
}

}  // namespace hodo::optical
