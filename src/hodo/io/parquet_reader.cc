#include <algorithm>

#include "hodo/base/error.hh"
#include "hodo/io/detail/column_decoder.hh"
#include "hodo/io/detail/column_types.hh"
#include "hodo/io/detail/parquet_files.hh"
#include "hodo/io/parquet.hh"

namespace hodo::io {

namespace {

using detail::EngineError;
using detail::Leaf;
using detail::RowNumbers;
using detail::Session;

constexpr std::string_view row_number = "file_row_number";
/// Leaf values of one delivered chunk, all columns together, beyond the first row.
constexpr std::int64_t values_per_chunk = 1 << 22;

std::vector<Leaf> leaves_of(Session& session, const base::Path& file) {
    const std::string table = detail::parquet_table({&file, 1}, RowNumbers::none);
    return detail::leaves(session.prepare("SELECT * FROM " + table));
}

const Leaf& find_leaf(const std::vector<Leaf>& leaves, const std::string& name,
                      const base::Path& file) {
    std::vector<std::string> known;
    for (const Leaf& leaf : leaves) {
        if (leaf.spec.name == name) return leaf;
        known.push_back(leaf.spec.name);
    }
    const std::string below = name + ".";
    const bool is_struct = std::any_of(known.begin(), known.end(), [&](const std::string& other) {
        return other.starts_with(below);
    });
    HODO_CHECK(!is_struct, "{}: '{}' is a struct; name its fields ('{}...')", file, name, below);
    base::fail("{}: has no column '{}'{}", file, name, base::did_you_mean(name, known));
}

class ParquetReader final : public TableReader {
  public:
    ParquetReader(const base::Path& file, const ParquetQuery& query)
        : file_(file), session_(query.threads) {
        try {
            start(query);
        } catch (const EngineError& error) {
            detail::fail_reading(file_, error);
        }
    }

    std::optional<Chunk> next() override {
        try {
            while (row_ == rows_) {
                if (!fetch()) return std::nullopt;
            }
        } catch (const EngineError& error) {
            detail::fail_reading(file_, error);
        }
        return take_rows();
    }

  private:
    void start(const ParquetQuery& query) {
        const std::vector<Leaf> known = leaves_of(session_, file_);
        const bool has_own = std::any_of(known.begin(), known.end(), [](const Leaf& leaf) {
            return leaf.spec.name == row_number;
        });
        const bool asks = std::count(query.columns.begin(), query.columns.end(), row_number) > 0;
        numbered_ = !has_own && (asks || !query.where.empty() || !query.order_by.empty());
        const Leaf number{{std::string(row_number), ColumnType::i64, 0}, std::string(row_number)};
        std::vector<std::string> expressions;
        if (numbered_) expressions.push_back(number.expression);
        for (const std::string& name : query.columns) {
            const Leaf& leaf =
                numbered_ && name == row_number ? number : find_leaf(known, name, file_);
            expressions.push_back(leaf.expression);
            specs_.push_back(leaf.spec);
        }
        if (query.columns.empty()) {
            for (const Leaf& leaf : known) {
                expressions.push_back(leaf.expression);
                specs_.push_back(leaf.spec);
            }
        }
        HODO_CHECK(!expressions.empty(), "{}: has no column that can be read", file_);
        run(query, known, base::join(expressions, ", "));
    }

    void run(const ParquetQuery& query, const std::vector<Leaf>& known, const std::string& list) {
        const RowNumbers numbers = numbered_ ? RowNumbers::add : RowNumbers::none;
        std::string sql =
            base::format("SELECT {} FROM {}", list, detail::parquet_table({&file_, 1}, numbers));
        if (!query.where.empty()) sql += base::format(" WHERE ({}\n)", query.where);
        if (!query.order_by.empty()) {
            sql += " ORDER BY " + find_leaf(known, query.order_by, file_).expression;
        }
        try {
            result_ = session_.prepare(sql).run();
        } catch (const EngineError& error) {
            if (query.where.empty()) throw;
            base::fail("{}: the condition '{}' cannot be used ({})", file_, query.where,
                       detail::shorten(error.what()));
        }
    }

    bool fetch() {
        chunk_ = detail::DataChunk();
        chunk_ = result_->next();
        if (!chunk_) return false;
        first_row_ += rows_;
        row_ = 0;
        rows_ = static_cast<std::int64_t>(detail::duckdb().data_chunk_get_size(chunk_.get()));
        return true;
    }

    duckdb_vector vector(std::size_t column) const {
        return detail::duckdb().data_chunk_get_vector(chunk_.get(), column + (numbered_ ? 1 : 0));
    }

    /// The end of the rows that are delivered together.
    std::int64_t last_row() const {
        std::int64_t values = 0;
        for (std::int64_t row = row_; row < rows_; ++row) {
            for (std::size_t i = 0; i < specs_.size(); ++i) {
                if (specs_[i].list_levels > 0) {
                    values += detail::values_in_row(vector(i), specs_[i], row);
                }
            }
            if (values > values_per_chunk && row > row_) return row;
        }
        return rows_;
    }

    Chunk take_rows() {
        const std::int64_t end = last_row();
        Chunk chunk{first_row_ + row_, end - row_, {}};
        if (numbered_) {
            chunk.first_row = static_cast<const std::int64_t*>(detail::duckdb().vector_get_data(
                detail::duckdb().data_chunk_get_vector(chunk_.get(), 0)))[row_];
        }
        for (std::size_t i = 0; i < specs_.size(); ++i) {
            chunk.columns.push_back(
                detail::decode(vector(i), specs_[i], row_, end, file_.string(), first_row_));
        }
        row_ = end;
        return chunk;
    }

    base::Path file_;
    Session session_;
    std::vector<ColumnSpec> specs_;
    std::unique_ptr<detail::Result> result_;
    detail::DataChunk chunk_;
    bool numbered_ = false;
    std::int64_t first_row_ = 0, row_ = 0, rows_ = 0;
};

}  // namespace

TableSchema parquet_schema(const base::Path& file) {
    detail::check_parquet(file);
    Session session(1);
    try {
        TableSchema schema;
        for (Leaf& leaf : leaves_of(session, file)) schema.columns.push_back(std::move(leaf.spec));
        schema.metadata = detail::parquet_metadata(session, file);
        schema.rows = detail::parquet_rows(session, file);
        return schema;
    } catch (const EngineError& error) {
        detail::fail_reading(file, error);
    }
}

std::unique_ptr<TableReader> read_parquet(const base::Path& file, const ParquetQuery& query) {
    detail::check_parquet(file);
    return std::make_unique<ParquetReader>(file, query);
}

std::optional<std::string> duckdb_version() {
    const detail::DuckDb* library = detail::duckdb_if_present();
    if (library == nullptr) return std::nullopt;
    return library->library_version();
}

}  // namespace hodo::io
