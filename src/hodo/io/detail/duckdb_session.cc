#include "hodo/io/detail/duckdb_session.hh"

#include <unistd.h>

#include "hodo/base/error.hh"

namespace hodo::io::detail {

namespace {

[[noreturn]] void raise(const char* message, const char* otherwise) {
    throw EngineError(message == nullptr ? otherwise : message);
}

std::string memory_limit() {
    const auto pages = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES));
    const auto page = static_cast<std::int64_t>(sysconf(_SC_PAGESIZE));
    return base::format("{}MB", pages * page / 2'000'000);
}

/// A configuration that is destroyed in any case.
class Settings {
  public:
    Settings() {
        if (duckdb().create_config(&config_) == DuckDBError) raise(nullptr, "no configuration");
    }
    ~Settings() { duckdb().destroy_config(&config_); }
    Settings(const Settings&) = delete;
    Settings& operator=(const Settings&) = delete;
    void set(const char* name, const std::string& value) {
        if (duckdb().set_config(config_, name, value.c_str()) == DuckDBError) raise(nullptr, name);
    }
    duckdb_config get() const { return config_; }

  private:
    duckdb_config config_ = nullptr;
};

std::string doubled(std::string_view text, char quote) {
    std::string quoted(1, quote);
    for (const char letter : text) {
        if (letter == quote) quoted += quote;
        quoted += letter;
    }
    return quoted + quote;
}

}  // namespace

Result::~Result() {
    duckdb().destroy_result(&result_);
}

DataChunk Result::next() {
    DataChunk chunk(duckdb().fetch_chunk(result_));
    if (!chunk) {
        if (const char* message = duckdb().result_error(&result_)) raise(message, "");
    }
    return chunk;
}

std::size_t Query::columns() const {
    return duckdb().prepared_statement_column_count(prepared_.get());
}

std::string Query::name(std::size_t column) const {
    const char* text = duckdb().prepared_statement_column_name(prepared_.get(), column);
    std::string name = text == nullptr ? "" : text;
    duckdb().free(const_cast<char*>(text));
    return name;
}

LogicalType Query::type(std::size_t column) const {
    return LogicalType(duckdb().prepared_statement_column_logical_type(prepared_.get(), column));
}

std::unique_ptr<Result> Query::run() {
    auto result = std::make_unique<Result>();
    if (duckdb().execute_prepared_streaming(prepared_.get(), result->address()) == DuckDBError) {
        raise(duckdb().result_error(result->address()), "the query failed");
    }
    return result;
}

Session::Session(int threads, Order order) {
    Settings settings;
    settings.set("autoinstall_known_extensions", "false");
    settings.set("autoload_known_extensions", "false");
    settings.set("threads", std::to_string(threads));
    settings.set("memory_limit", memory_limit());
    settings.set("temp_directory", "");
    settings.set("preserve_insertion_order", order == Order::keep ? "true" : "false");
    char* message = nullptr;
    if (duckdb().open_ext(nullptr, &database_, settings.get(), &message) == DuckDBError) {
        const std::string text = message == nullptr ? "DuckDB cannot be started" : message;
        duckdb().free(message);
        raise(text.c_str(), "");
    }
    if (duckdb().connect(database_, &connection_) == DuckDBError) {
        duckdb().close(&database_);
        raise(nullptr, "DuckDB cannot be started");
    }
}

Session::~Session() {
    duckdb().disconnect(&connection_);
    duckdb().close(&database_);
}

Query Session::prepare(const std::string& sql) {
    Prepared prepared;
    if (duckdb().prepare(connection_, sql.c_str(), prepared.address()) == DuckDBError) {
        raise(duckdb().prepare_error(prepared.get()), "the query cannot be understood");
    }
    return Query(std::move(prepared));
}

void Session::execute(const std::string& sql) {
    Result result;
    if (duckdb().query(connection_, sql.c_str(), result.address()) == DuckDBError) {
        raise(duckdb().result_error(result.address()), "the statement failed");
    }
}

std::string quote_value(std::string_view text) {
    return doubled(text, '\'');
}

std::string quote_name(std::string_view text) {
    return doubled(text, '"');
}

std::string shorten(std::string_view message) {
    message = message.substr(0, message.find('\n'));
    const auto label = message.find(" Error: ");
    if (label != std::string_view::npos && label < 40) message.remove_prefix(label + 8);
    std::string text(base::trim(message));
    while (!text.empty() && (text.back() == '.' || text.back() == '!')) text.pop_back();
    return text;
}

}  // namespace hodo::io::detail
