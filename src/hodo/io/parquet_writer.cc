#include <thread>
#include <utility>

#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/detail/block_queue.hh"
#include "hodo/io/detail/column_encoder.hh"
#include "hodo/io/detail/parquet_sink.hh"
#include "hodo/io/detail/row_blocks.hh"
#include "hodo/io/parquet.hh"

namespace hodo::io {

namespace {

using detail::FieldTree;

/// A block becomes one DuckDB chunk, which holds at most 2048 rows.
constexpr std::int64_t rows_per_block = 2048;
constexpr std::int64_t bytes_per_block = 8'000'000;

/// The rows of a queue of blocks.
class BlockSource final : public detail::RowSource {
  public:
    BlockSource(const std::vector<ColumnSpec>& specs, detail::BlockQueue& queue)
        : tree_(detail::field_tree(specs)), queue_(queue) {
        for (const FieldTree& child : tree_.children) {
            types_.push_back(detail::logical_type(child, specs));
        }
    }

    std::size_t columns() const override { return types_.size(); }
    std::string name(std::size_t column) const override { return tree_.children[column].name; }
    duckdb_logical_type type(std::size_t column) const override { return types_[column].get(); }

    void fill(duckdb_data_chunk chunk) override {
        const std::optional<Chunk> block = queue_.pop();
        const std::int64_t rows = block ? block->rows : 0;
        detail::duckdb().data_chunk_set_size(chunk, static_cast<idx_t>(rows));
        if (rows == 0) return;
        std::vector<const Column*> pointers;
        for (const Column& column : block->columns) pointers.push_back(&column);
        for (std::size_t i = 0; i < types_.size(); ++i) {
            detail::encode(tree_.children[i], pointers, 0, rows,
                           detail::duckdb().data_chunk_get_vector(chunk, i));
        }
    }

  private:
    FieldTree tree_;
    std::vector<detail::LogicalType> types_;
    detail::BlockQueue& queue_;
};

}  // namespace

/// Collects rows into blocks; a thread of its own feeds them to DuckDB.
class ParquetWriter::Body {
  public:
    Body(const base::Path& file, std::vector<ColumnSpec> specs, ParquetWriteOptions options)
        : path_(file),
          file_(file),
          specs_(std::move(specs)),
          options_(std::move(options)),
          block_(detail::empty_block(specs_)),
          source_(specs_, queue_) {
        HODO_CHECK(!specs_.empty(), "{}: a Parquet file needs at least one column", file);
        thread_ = std::thread([this] { write(); });
    }

    ~Body() {
        if (!thread_.joinable()) return;
        queue_.end(std::make_exception_ptr(base::Error("the file was given up")));
        thread_.join();
    }
    Body(const Body&) = delete;
    Body& operator=(const Body&) = delete;

    void append(const Chunk& chunk) {
        HODO_DOOR(thread_.joinable());
        HODO_CHECK(chunk.columns.size() == specs_.size(),
                   "{}: {} columns were given for a table of {}", path_, chunk.columns.size(),
                   specs_.size());
        std::vector<const Column*> columns;
        for (const ColumnSpec& spec : specs_) {
            const Column& column = chunk.column(spec.name);
            HODO_CHECK(column.spec.type == spec.type && column.spec.list_levels == spec.list_levels,
                       "{}: column '{}' changed its type between two chunks", path_, spec.name);
            detail::check_column(column, chunk.rows);
            columns.push_back(&column);
        }
        std::int64_t begin = 0;
        while (begin < chunk.rows) begin = append_part(columns, begin, chunk.rows);
    }

    void finish() {
        HODO_DOOR(thread_.joinable());
        flush();
        queue_.end();
        thread_.join();
        queue_.check();
        file_.commit();
    }

    std::int64_t rows() const { return rows_; }
    std::int64_t bytes() const { return bytes_ + block_bytes_; }

  private:
    /// Takes rows from `begin` until the block is full; returns the first row not taken.
    std::int64_t append_part(const std::vector<const Column*>& columns, std::int64_t begin,
                             std::int64_t rows) {
        std::int64_t end = begin;
        do {
            for (const Column* column : columns) {
                block_bytes_ += detail::bytes_of(*column, end, end + 1);
            }
            ++end;
        } while (end < rows && block_bytes_ < bytes_per_block &&
                 block_.rows + end - begin < rows_per_block);
        for (std::size_t i = 0; i < columns.size(); ++i) {
            detail::append_rows(block_.columns[i], *columns[i], begin, end);
        }
        block_.rows += end - begin;
        rows_ += end - begin;
        if (block_.rows == rows_per_block || block_bytes_ >= bytes_per_block) flush();
        return end;
    }

    void flush() {
        bytes_ += std::exchange(block_bytes_, 0);
        if (block_.rows > 0) queue_.push(std::exchange(block_, detail::empty_block(specs_)));
    }

    void write() {
        try {
            try {
                detail::write_rows(source_, file_.temporary(), options_);
            } catch (const detail::EngineError& error) {
                base::fail("{}: cannot be written ({})", path_, detail::shorten(error.what()));
            }
        } catch (...) {
            queue_.end(std::current_exception());
        }
    }

    base::Path path_;
    AtomicFile file_;
    std::vector<ColumnSpec> specs_;
    ParquetWriteOptions options_;
    detail::BlockQueue queue_;
    Chunk block_;
    BlockSource source_;
    std::int64_t block_bytes_ = 0, rows_ = 0, bytes_ = 0;
    std::thread thread_;
};

ParquetWriter::ParquetWriter(const base::Path& file, std::vector<ColumnSpec> columns,
                             ParquetWriteOptions options)
    : body_(std::make_unique<Body>(file, std::move(columns), std::move(options))) {}
ParquetWriter::~ParquetWriter() = default;
ParquetWriter::ParquetWriter(ParquetWriter&&) noexcept = default;
ParquetWriter& ParquetWriter::operator=(ParquetWriter&&) noexcept = default;

void ParquetWriter::append(const Chunk& chunk) {
    body_->append(chunk);
}
std::int64_t ParquetWriter::rows() const {
    return body_->rows();
}
std::int64_t ParquetWriter::bytes() const {
    return body_->bytes();
}
void ParquetWriter::finish() {
    body_->finish();
}

}  // namespace hodo::io
