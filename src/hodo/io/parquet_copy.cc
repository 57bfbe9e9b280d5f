#include <algorithm>
#include <utility>

#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/detail/column_encoder.hh"
#include "hodo/io/detail/parquet_files.hh"
#include "hodo/io/detail/parquet_sink.hh"
#include "hodo/io/detail/row_blocks.hh"
#include "hodo/io/parquet.hh"

namespace hodo::io {

namespace {

using detail::duckdb;
using detail::EngineError;
using detail::FieldTree;
using detail::LogicalType;

constexpr std::int64_t bytes_per_piece = 8'000'000;

/// A column or struct field of the output: passed through from `input`, made from `added`, or a
/// struct of both.
struct Field {
    std::string name;
    LogicalType type;
    std::optional<std::size_t> input;  ///< Index among the input's columns or the struct's fields.
    const FieldTree* added = nullptr;
    std::vector<Field> children;
};

struct InputField {
    std::string name;
    LogicalType type;
};

std::vector<InputField> fields_of(const LogicalType& type) {
    std::vector<InputField> fields;
    const idx_t count = duckdb().struct_type_child_count(type.get());
    for (idx_t i = 0; i < count; ++i) {
        char* name = duckdb().struct_type_child_name(type.get(), i);
        fields.push_back({name, LogicalType(duckdb().struct_type_child_type(type.get(), i))});
        duckdb().free(name);
    }
    return fields;
}

LogicalType struct_of(const std::vector<Field>& fields) {
    std::vector<duckdb_logical_type> types;
    std::vector<const char*> names;
    for (const Field& field : fields) {
        types.push_back(field.type.get());
        names.push_back(field.name.c_str());
    }
    return LogicalType(duckdb().create_struct_type(types.data(), names.data(), types.size()));
}

/// The fields of `inputs`, then those of `added`; equal names as parquet.hh states.
std::vector<Field> unite(std::vector<InputField> inputs, const FieldTree& added,
                         const std::vector<ColumnSpec>& specs) {
    std::vector<Field> fields;
    std::vector<const FieldTree*> joined;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto same =
            std::find_if(added.children.begin(), added.children.end(),
                         [&](const FieldTree& child) { return child.name == inputs[i].name; });
        if (same == added.children.end()) {
            fields.push_back({inputs[i].name, std::move(inputs[i].type), i, nullptr, {}});
        } else if (!same->children.empty() &&
                   duckdb().get_type_id(inputs[i].type.get()) == DUCKDB_TYPE_STRUCT) {
            std::vector<Field> children = unite(fields_of(inputs[i].type), *same, specs);
            LogicalType type = struct_of(children);
            fields.push_back({inputs[i].name, std::move(type), i, nullptr, std::move(children)});
            joined.push_back(&*same);
        }
    }
    for (const FieldTree& child : added.children) {
        if (std::find(joined.begin(), joined.end(), &child) != joined.end()) continue;
        fields.push_back(
            {child.name, detail::logical_type(child, specs), std::nullopt, &child, {}});
    }
    return fields;
}

/// Positions of chosen rows in a chunk of the input, as DuckDB takes them.
class Selection {
  public:
    explicit Selection(idx_t size) : size_(size), handle_(duckdb().create_selection_vector(size)) {}
    ~Selection() { duckdb().destroy_selection_vector(handle_); }
    Selection(const Selection&) = delete;
    Selection& operator=(const Selection&) = delete;
    void set(idx_t index, std::int64_t position) {
        duckdb().selection_vector_get_data_ptr(handle_)[index] = static_cast<sel_t>(position);
    }
    void apply(duckdb_vector vector) const { duckdb().slice_vector(vector, handle_, size_); }
    idx_t size() const { return size_; }

  private:
    idx_t size_;
    duckdb_selection_vector handle_;
};

/// The chosen rows of the inputs with the added columns.
class CopySource final : public detail::RowSource {
  public:
    CopySource(const std::vector<base::Path>& inputs, std::span<const RowReference> rows,
               const std::vector<Column>& added)
        : inputs_(inputs), rows_(rows), session_(1) {
        for (const Column& column : added) {
            detail::check_column(column, static_cast<std::int64_t>(rows.size()));
            added_.push_back(&column);
            specs_.push_back(column.spec);
        }
        tree_ = detail::field_tree(specs_);
        count_rows();
        check_rows();
        try {
            start();
        } catch (const EngineError& error) {
            detail::fail_reading(inputs_.front(), error);
        }
    }

    std::size_t columns() const override { return fields_.size(); }
    std::string name(std::size_t column) const override { return fields_[column].name; }
    duckdb_logical_type type(std::size_t column) const override {
        return fields_[column].type.get();
    }

    void fill(duckdb_data_chunk output) override {
        duckdb().data_chunk_set_size(output, 0);
        if (next_ == rows_.size()) return;
        while (position(rows_[next_]) >= first_ + size_) fetch();
        std::size_t end = next_;
        while (end < rows_.size() && position(rows_[end]) < first_ + size_ &&
               static_cast<std::int64_t>(end - next_) < rows_per_piece_) {
            ++end;
        }
        Selection selection(end - next_);
        for (std::size_t i = next_; i < end; ++i) {
            selection.set(i - next_, position(rows_[i]) - first_);
        }
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            const Field& field = fields_[i];
            duckdb_vector input =
                field.input ? duckdb().data_chunk_get_vector(chunk_.get(), *field.input) : nullptr;
            pass(field, input, duckdb().data_chunk_get_vector(output, i), selection);
        }
        duckdb().data_chunk_set_size(output, selection.size());
        next_ = end;
    }

  private:
    void start() {
        detail::Query query = session_.prepare(
            "SELECT * FROM " + detail::parquet_table(inputs_, detail::RowNumbers::none));
        std::vector<InputField> columns;
        for (std::size_t i = 0; i < query.columns(); ++i) {
            columns.push_back({query.name(i), query.type(i)});
        }
        fields_ = unite(std::move(columns), tree_, specs_);
        result_ = query.run();
    }

    void count_rows() {
        std::int64_t rows = 0, bytes = 0;
        for (const base::Path& file : inputs_) {
            starts_.push_back(rows);
            try {
                rows += detail::parquet_rows(session_, file);
                bytes += detail::parquet_bytes(session_, file);
            } catch (const EngineError& error) {
                detail::fail_reading(file, error);
            }
        }
        starts_.push_back(rows);
        rows_per_piece_ = std::clamp<std::int64_t>(
            bytes_per_piece * rows / std::max<std::int64_t>(1, bytes), 1, 2048);
    }

    void check_rows() const {
        std::int64_t last = -1;
        for (const RowReference& row : rows_) {
            HODO_CHECK(row.file >= 0 && row.file < static_cast<std::int64_t>(inputs_.size()),
                       "row {} of input file {} was asked for, but there are {} input files",
                       row.row, row.file, inputs_.size());
            const auto file = static_cast<std::size_t>(row.file);
            HODO_CHECK(row.row >= 0 && row.row < starts_[file + 1] - starts_[file],
                       "{}: row {} was asked for, but it has {} rows", inputs_[file], row.row,
                       starts_[file + 1] - starts_[file]);
            HODO_CHECK(position(row) > last, "{}: row {} was asked for out of order or twice",
                       inputs_[file], row.row);
            last = position(row);
        }
    }

    /// The number of a row in all inputs, one after the other.
    std::int64_t position(const RowReference& row) const {
        return starts_[static_cast<std::size_t>(row.file)] + row.row;
    }

    void fetch() {
        first_ += size_;
        size_ = 0;
        chunk_ = detail::DataChunk();
        try {
            chunk_ = result_->next();
        } catch (const EngineError& error) {
            detail::fail_reading(current(), error);
        }
        HODO_CHECK(chunk_, "{}: ends before the rows that its footer states", inputs_.back());
        size_ = static_cast<std::int64_t>(duckdb().data_chunk_get_size(chunk_.get()));
    }

    /// The file whose rows come next.
    const base::Path& current() const {
        const auto after = std::upper_bound(starts_.begin(), starts_.end(), first_);
        const auto index = static_cast<std::size_t>(after - starts_.begin());
        return inputs_[std::min(index, inputs_.size()) - 1];
    }

    void pass(const Field& field, duckdb_vector input, duckdb_vector output,
              const Selection& selection) const {
        if (field.added != nullptr) {
            const auto begin = static_cast<std::int64_t>(next_);
            detail::encode(*field.added, added_, begin,
                           begin + static_cast<std::int64_t>(selection.size()), output);
        } else if (field.children.empty()) {
            duckdb().vector_reference_vector(output, input);
            selection.apply(output);
        } else {
            for (std::size_t i = 0; i < field.children.size(); ++i) {
                const Field& child = field.children[i];
                duckdb_vector source =
                    child.input ? duckdb().struct_vector_get_child(input, *child.input) : nullptr;
                pass(child, source, duckdb().struct_vector_get_child(output, i), selection);
            }
        }
    }

    const std::vector<base::Path>& inputs_;
    std::span<const RowReference> rows_;
    std::vector<const Column*> added_;
    std::vector<ColumnSpec> specs_;
    FieldTree tree_;
    detail::Session session_;
    std::vector<std::int64_t> starts_;  ///< First row of each input among all, and their number.
    std::vector<Field> fields_;
    std::unique_ptr<detail::Result> result_;
    detail::DataChunk chunk_;
    std::int64_t first_ = 0, size_ = 0;  ///< Rows that the chunk covers.
    std::int64_t rows_per_piece_ = 1;
    std::size_t next_ = 0;
};

KeyValues united_metadata(const base::Path& first, const KeyValues& own) {
    KeyValues metadata;
    const KeyValues stored = parquet_schema(first).metadata;
    for (const auto& entry : stored) {
        const bool replaced = std::any_of(
            own.begin(), own.end(), [&](const auto& other) { return other.first == entry.first; });
        if (!replaced && entry.first != "ARROW:schema") metadata.push_back(entry);
    }
    metadata.insert(metadata.end(), own.begin(), own.end());
    return metadata;
}

}  // namespace

void copy_parquet_rows(const std::vector<base::Path>& inputs, std::span<const RowReference> rows,
                       const std::vector<Column>& added, const base::Path& output,
                       ParquetWriteOptions options) {
    HODO_CHECK(!inputs.empty(), "{}: there are no input files to copy rows from", output);
    for (const base::Path& file : inputs) detail::check_parquet(file);
    AtomicFile file(output);
    options.metadata = united_metadata(inputs.front(), options.metadata);
    CopySource source(inputs, rows, added);
    try {
        detail::write_rows(source, file.temporary(), options);
    } catch (const EngineError& error) {
        base::fail("{}: cannot be written ({})", output, detail::shorten(error.what()));
    }
    file.commit();
}

}  // namespace hodo::io
