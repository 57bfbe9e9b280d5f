#include <algorithm>

#include "hodo/io/detail/row_blocks.hh"
#include "hodo/io/parquet.hh"

namespace hodo::io {

class ShardWriter::Body {
  public:
    Body(const base::Path& directory, std::string stem, std::vector<ColumnSpec> columns,
         ParquetWriteOptions options, std::int64_t max_rows, std::int64_t max_bytes)
        : directory_(directory),
          stem_(std::move(stem)),
          columns_(std::move(columns)),
          options_(std::move(options)),
          max_rows_(max_rows),
          max_bytes_(max_bytes) {}

    void append(const Chunk& chunk) {
        std::int64_t begin = 0;
        while (begin < chunk.rows) {
            if (!writer_) open();
            const std::int64_t end = std::min(chunk.rows, begin + room(chunk));
            writer_->append(begin == 0 && end == chunk.rows ? chunk
                                                            : detail::slice(chunk, begin, end));
            begin = end;
            if (writer_->rows() >= max_rows_ || writer_->bytes() >= max_bytes_) close();
        }
    }

    std::vector<base::Path> finish() {
        if (!writer_ && files_.empty()) open();
        if (writer_) close();
        return files_;
    }

  private:
    void open() {
        std::string number = std::to_string(files_.size());
        number.insert(0, number.size() < 5 ? 5 - number.size() : 0, '0');
        files_.push_back(directory_ / base::format("{}-{}.parquet", stem_, number));
        writer_.emplace(files_.back(), columns_, options_);
    }

    void close() {
        writer_->finish();
        writer_.reset();
    }

    /// Rows that fit into the open shard, at least one, if those of `chunk` are of like size.
    std::int64_t room(const Chunk& chunk) const {
        const std::int64_t by_rows = max_rows_ - writer_->rows();
        std::int64_t bytes = 0;
        for (const Column& column : chunk.columns) bytes += detail::bytes_of(column, 0, chunk.rows);
        const std::int64_t row_bytes = 1 + bytes / chunk.rows;
        const std::int64_t by_bytes = (max_bytes_ - writer_->bytes()) / row_bytes;
        return std::max<std::int64_t>(1, std::min(by_rows, by_bytes));
    }

    base::Path directory_;
    std::string stem_;
    std::vector<ColumnSpec> columns_;
    ParquetWriteOptions options_;
    std::int64_t max_rows_, max_bytes_;
    std::optional<ParquetWriter> writer_;
    std::vector<base::Path> files_;
};

ShardWriter::ShardWriter(const base::Path& directory, std::string stem,
                         std::vector<ColumnSpec> columns, ParquetWriteOptions options,
                         std::int64_t max_rows, std::int64_t max_bytes)
    : body_(std::make_unique<Body>(directory, std::move(stem), std::move(columns),
                                   std::move(options), max_rows, max_bytes)) {}
ShardWriter::~ShardWriter() = default;

void ShardWriter::append(const Chunk& chunk) {
    body_->append(chunk);
}
std::vector<base::Path> ShardWriter::finish() {
    return body_->finish();
}

}  // namespace hodo::io
