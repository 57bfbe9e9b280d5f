#include "hodo/io/detail/parquet_sink.hh"

#include <algorithm>
#include <array>
#include <exception>

#include "hodo/base/error.hh"

namespace hodo::io::detail {

namespace {

constexpr std::int64_t rows_per_group = 122'880;
constexpr std::int64_t bytes_per_group = 32'000'000;

/// What the table function's callbacks share.
struct Shared {
    RowSource& source;
    std::exception_ptr failure;
};

void bind(duckdb_bind_info info) {
    const auto& shared = *static_cast<Shared*>(duckdb().bind_get_extra_info(info));
    for (std::size_t i = 0; i < shared.source.columns(); ++i) {
        duckdb().bind_add_result_column(info, shared.source.name(i).c_str(), shared.source.type(i));
    }
}

void initialise(duckdb_init_info info) {
    duckdb().init_set_max_threads(info, 1);
}

/// No exception may cross DuckDB: it is kept and thrown again by `write_rows`.
void fill(duckdb_function_info info, duckdb_data_chunk chunk) {
    auto& shared = *static_cast<Shared*>(duckdb().function_get_extra_info(info));
    try {
        shared.source.fill(chunk);
    } catch (...) {
        shared.failure = std::current_exception();
        duckdb().function_set_error(info, "the rows could not be made");
    }
}

void register_source(Session& session, Shared& shared) {
    TableFunction function(duckdb().create_table_function());
    duckdb().table_function_set_name(function.get(), "hodo_rows");
    duckdb().table_function_set_extra_info(function.get(), &shared, nullptr);
    duckdb().table_function_set_bind(function.get(), bind);
    duckdb().table_function_set_init(function.get(), initialise);
    duckdb().table_function_set_function(function.get(), fill);
    if (duckdb().register_table_function(session.connection(), function.get()) == DuckDBError) {
        throw EngineError("the rows cannot be offered");
    }
}

std::string copy_options(const ParquetWriteOptions& options) {
    static constexpr std::array<std::string_view, 4> known{"zstd", "snappy", "gzip",
                                                           "uncompressed"};
    HODO_CHECK(std::find(known.begin(), known.end(), options.compression) != known.end(),
               "'{}' is not a compression of Parquet files: choose zstd, snappy, gzip or "
               "uncompressed",
               options.compression);
    std::string text = base::format(
        "FORMAT parquet, COMPRESSION {}, ROW_GROUP_SIZE {}, ROW_GROUP_SIZE_BYTES {}, "
        "USE_TMP_FILE false",
        options.compression, rows_per_group, bytes_per_group);
    if (options.metadata.empty()) return text;
    std::vector<std::string> pairs;
    for (const auto& [key, value] : options.metadata) {
        pairs.push_back(quote_value(key) + ": " + quote_value(value));
    }
    return text + ", KV_METADATA {" + base::join(pairs, ", ") + "}";
}

}  // namespace

void write_rows(RowSource& source, const base::Path& output, const ParquetWriteOptions& options) {
    Session session(1, Session::Order::any);
    Shared shared{source, nullptr};
    register_source(session, shared);
    try {
        session.execute(base::format("COPY (SELECT * FROM hodo_rows()) TO {} ({})",
                                     quote_value(std::filesystem::absolute(output).string()),
                                     copy_options(options)));
    } catch (const EngineError&) {
        if (shared.failure) std::rethrow_exception(shared.failure);
        throw;
    }
}

}  // namespace hodo::io::detail
