#include "hodo/io/sqlite.hh"

#include <algorithm>
#include <limits>

#include <sqlite3.h>

#include "hodo/base/error.hh"

namespace hodo::io {

namespace {

constexpr std::int64_t rows_per_chunk = 16384;

struct Closer {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Closer>;
using Statement = std::unique_ptr<sqlite3_stmt, Closer>;

[[noreturn]] void fail_database(const base::Path& file, sqlite3* database) {
    base::fail("{}: cannot be read as an SQLite database ({})", file, sqlite3_errmsg(database));
}

Database open_database(const base::Path& file) {
    HODO_CHECK(std::filesystem::is_regular_file(file), "{}: there is no such file", file);
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr);
    Database database(handle);
    if (code != SQLITE_OK) fail_database(file, handle);
    return database;
}

Statement prepare(const base::Path& file, sqlite3* database, const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database, sql.c_str(), static_cast<int>(sql.size()), &statement,
                           nullptr) != SQLITE_OK) {
        fail_database(file, database);
    }
    return Statement(statement);
}

/// Whether there is a further row.
bool step(const base::Path& file, sqlite3* database, const Statement& statement) {
    const int code = sqlite3_step(statement.get());
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail_database(file, database);
    return code == SQLITE_ROW;
}

std::string text_of(const Statement& statement, int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), column));
    const int length = sqlite3_column_bytes(statement.get(), column);
    return text == nullptr ? std::string() : std::string(text, static_cast<std::size_t>(length));
}

std::string quote(std::string_view name) {
    std::string quoted = "\"";
    for (const char letter : name) {
        if (letter == '"') quoted += '"';
        quoted += letter;
    }
    return quoted + '"';
}

/// SQLite's rules for what a declared type means.
ColumnType column_type(std::string declared) {
    std::transform(declared.begin(), declared.end(), declared.begin(), [](char letter) {
        return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    });
    const auto contains = [&](std::string_view part) {
        return declared.find(part) != std::string::npos;
    };
    if (contains("INT") || contains("BOOL")) return ColumnType::i64;
    if (contains("CHAR") || contains("CLOB") || contains("TEXT")) return ColumnType::text;
    return ColumnType::f64;
}

/// Columns declared as numbers whose first value is text are text.
void believe_first_row(const base::Path& file, sqlite3* database, std::string_view table,
                       std::vector<ColumnSpec>& columns) {
    const Statement statement =
        prepare(file, database, "SELECT * FROM " + quote(table) + " LIMIT 1");
    if (!step(file, database, statement)) return;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (sqlite3_column_type(statement.get(), static_cast<int>(i)) == SQLITE_TEXT) {
            columns[i].type = ColumnType::text;
        }
    }
}

std::vector<ColumnSpec> columns_of(const base::Path& file, sqlite3* database,
                                   std::string_view table) {
    const Statement statement = prepare(file, database, "PRAGMA table_info(" + quote(table) + ")");
    std::vector<ColumnSpec> columns;
    while (step(file, database, statement)) {
        columns.push_back({text_of(statement, 1), column_type(text_of(statement, 2)), 0});
    }
    believe_first_row(file, database, table, columns);
    return columns;
}

std::vector<std::string> tables_of(const base::Path& file, sqlite3* database) {
    const Statement statement =
        prepare(file, database,
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
                "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name");
    std::vector<std::string> names;
    while (step(file, database, statement)) names.push_back(text_of(statement, 0));
    return names;
}

void check_table(const base::Path& file, sqlite3* database, std::string_view table) {
    const std::vector<std::string> known = tables_of(file, database);
    HODO_CHECK(std::find(known.begin(), known.end(), table) != known.end(),
               "{}: has no table '{}'{}", file, table, base::did_you_mean(table, known));
}

const ColumnSpec& find_column(const std::vector<ColumnSpec>& columns, std::string_view name,
                              const base::Path& file, std::string_view table) {
    std::vector<std::string> known;
    for (const ColumnSpec& spec : columns) {
        if (spec.name == name) return spec;
        known.push_back(spec.name);
    }
    base::fail("{}: table '{}' has no column '{}'{}", file, table, name,
               base::did_you_mean(name, known));
}

class SqliteReader final : public TableReader {
  public:
    SqliteReader(const base::Path& file, std::string_view table,
                 const std::vector<std::string>& columns, std::string_view order_by)
        : file_(file), database_(open_database(file)) {
        check_table(file_, database_.get(), table);
        const std::vector<ColumnSpec> known = columns_of(file_, database_.get(), table);
        std::vector<std::string> names;
        for (const std::string& name : columns) {
            specs_.push_back(find_column(known, name, file_, table));
        }
        if (columns.empty()) specs_ = known;
        for (const ColumnSpec& spec : specs_) names.push_back(quote(spec.name));
        std::string sql = base::format("SELECT {} FROM {}", base::join(names, ", "), quote(table));
        if (!order_by.empty()) {
            sql += " ORDER BY " + quote(find_column(known, order_by, file_, table).name);
        }
        statement_ = prepare(file_, database_.get(), sql);
    }

    std::optional<Chunk> next() override {
        if (is_done_) return std::nullopt;
        Chunk chunk{first_row_, 0, {}};
        for (const ColumnSpec& spec : specs_) chunk.columns.push_back(empty(spec));
        while (chunk.rows < rows_per_chunk) {
            if (!step(file_, database_.get(), statement_)) {
                is_done_ = true;
                break;
            }
            for (std::size_t i = 0; i < specs_.size(); ++i) append(chunk, i);
            ++chunk.rows;
        }
        first_row_ += chunk.rows;
        if (chunk.rows == 0) return std::nullopt;
        return chunk;
    }

  private:
    static Column empty(const ColumnSpec& spec) {
        Column column{spec, {}, {}};
        if (spec.type == ColumnType::i64) column.values = std::vector<std::int64_t>();
        if (spec.type == ColumnType::text) column.values = std::vector<std::string>();
        return column;
    }

    void append(Chunk& chunk, std::size_t index) {
        Column& column = chunk.columns[index];
        const int place = static_cast<int>(index);
        const int stored = sqlite3_column_type(statement_.get(), place);
        if (auto* texts = std::get_if<std::vector<std::string>>(&column.values)) {
            texts->push_back(text_of(statement_, place));
        } else if (auto* numbers = std::get_if<std::vector<double>>(&column.values)) {
            check_type(stored == SQLITE_INTEGER || stored == SQLITE_FLOAT || stored == SQLITE_NULL,
                       column, chunk, place);
            numbers->push_back(stored == SQLITE_NULL
                                   ? std::numeric_limits<double>::quiet_NaN()
                                   : sqlite3_column_double(statement_.get(), place));
        } else {
            check_type(stored == SQLITE_INTEGER, column, chunk, place);
            std::get<std::vector<std::int64_t>>(column.values)
                .push_back(sqlite3_column_int64(statement_.get(), place));
        }
    }

    void check_type(bool is_right, const Column& column, const Chunk& chunk, int place) const {
        HODO_CHECK(is_right, "{}: column '{}' holds '{}' in row {}, where a {} is needed", file_,
                   column.spec.name,
                   sqlite3_column_type(statement_.get(), place) == SQLITE_NULL
                       ? "NULL"
                       : text_of(statement_, place),
                   chunk.first_row + chunk.rows,
                   column.spec.type == ColumnType::i64 ? "whole number" : "number");
    }

    base::Path file_;
    Database database_;
    std::vector<ColumnSpec> specs_;
    Statement statement_;
    std::int64_t first_row_ = 0;
    bool is_done_ = false;
};

}  // namespace

std::vector<std::string> sqlite_tables(const base::Path& file) {
    const Database database = open_database(file);
    return tables_of(file, database.get());
}

TableSchema sqlite_schema(const base::Path& file, std::string_view table) {
    const Database database = open_database(file);
    check_table(file, database.get(), table);
    TableSchema schema;
    schema.columns = columns_of(file, database.get(), table);
    const Statement statement =
        prepare(file, database.get(), "SELECT count(*) FROM " + quote(table));
    if (step(file, database.get(), statement)) {
        schema.rows = sqlite3_column_int64(statement.get(), 0);
    }
    return schema;
}

std::unique_ptr<TableReader> read_sqlite(const base::Path& file, std::string_view table,
                                         const std::vector<std::string>& columns,
                                         std::string_view order_by) {
    return std::make_unique<SqliteReader>(file, table, columns, order_by);
}

}  // namespace hodo::io
