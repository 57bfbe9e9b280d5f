#pragma once
/// One connection to an in-memory DuckDB, and its results, with owners that clean up.

#include "hodo/base/text.hh"
#include "hodo/io/detail/duckdb_library.hh"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hodo::io::detail {

/// DuckDB's own words about a failure; callers turn it into a sentence for the user.
class EngineError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// An owner of a DuckDB handle that is released by `release`.
template <class Handle, auto release>
class Owner {
  public:
    explicit Owner(Handle handle = nullptr) : handle_(handle) {}
    Owner(Owner&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Owner& operator=(Owner&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Owner() {
        if (handle_ != nullptr) (duckdb().*release)(&handle_);
    }
    Handle get() const { return handle_; }
    Handle* address() { return &handle_; }
    explicit operator bool() const { return handle_ != nullptr; }

  private:
    Handle handle_;
};

using LogicalType = Owner<duckdb_logical_type, &DuckDb::destroy_logical_type>;
using DataChunk = Owner<duckdb_data_chunk, &DuckDb::destroy_data_chunk>;
using Prepared = Owner<duckdb_prepared_statement, &DuckDb::destroy_prepare>;
using TableFunction = Owner<duckdb_table_function, &DuckDb::destroy_table_function>;

/// A streaming result.
class Result {
  public:
    Result() = default;
    ~Result();
    Result(const Result&) = delete;
    Result& operator=(const Result&) = delete;

    duckdb_result* address() { return &result_; }
    /// The next chunk, or an empty owner at the end; throws `std::runtime_error` with DuckDB's
    /// text.
    DataChunk next();

  private:
    duckdb_result result_{};
};

/// A prepared query: its columns are known before it runs.
class Query {
  public:
    explicit Query(Prepared prepared) : prepared_(std::move(prepared)) {}
    std::size_t columns() const;
    std::string name(std::size_t column) const;
    LogicalType type(std::size_t column) const;
    std::unique_ptr<Result> run();

  private:
    Prepared prepared_;
};

/// A database in memory with one connection. Extensions are never fetched, its memory is limited to
/// half of the machine's, and results keep the order of files. Use from one thread at a time.
/// Failures are `EngineError`.
class Session {
  public:
    enum class Order { keep, any };
    explicit Session(int threads, Order order = Order::keep);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    Query prepare(const std::string& sql);
    void execute(const std::string& sql);
    duckdb_connection connection() const { return connection_; }

  private:
    duckdb_database database_ = nullptr;
    duckdb_connection connection_ = nullptr;
};

/// 'text' with quotes doubled, for values; "text" likewise, for names.
std::string quote_value(std::string_view text);
std::string quote_name(std::string_view text);

/// What DuckDB said, shortened for users: the first line without its label and advice.
std::string shorten(std::string_view message);

}  // namespace hodo::io::detail
