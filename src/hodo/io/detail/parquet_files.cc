#include "hodo/io/detail/parquet_files.hh"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "hodo/base/error.hh"
#include "hodo/io/detail/column_decoder.hh"

namespace hodo::io::detail {

namespace {

constexpr std::int64_t smallest_file = 12;  // magic, footer length, magic

/// An absolute path as a SQL value in which no letter is a wild card.
std::string quote_path(const base::Path& file) {
    std::string escaped;
    for (const char letter : std::filesystem::absolute(file).string()) {
        if (letter == '*' || letter == '?' || letter == '[') {
            escaped += {'[', letter, ']'};
        } else {
            escaped += letter;
        }
    }
    return quote_value(escaped);
}

std::string magic_at(std::ifstream& stream, std::int64_t offset, std::ios::seekdir from) {
    std::array<char, 4> magic{};
    stream.seekg(offset, from);
    stream.read(magic.data(), magic.size());
    return {magic.data(), magic.size()};
}

/// Without DuckDB's mention of the file, which the message already names.
std::string reason_of(const EngineError& error) {
    std::string reason = shorten(error.what());
    const std::string_view prefix = "Failed to read file \"";
    const auto end = reason.find("\": ");
    if (reason.starts_with(prefix) && end != std::string::npos) reason.erase(0, end + 3);
    return reason;
}

/// One integer that a table function says about a file.
std::int64_t whole_number(Session& session, std::string_view expression, std::string_view function,
                          const base::Path& file) {
    const auto result = session
                            .prepare(base::format("SELECT CAST({} AS BIGINT) AS number FROM {}({})",
                                                  expression, function, quote_path(file)))
                            .run();
    const DataChunk chunk = result->next();
    HODO_CHECK(chunk, "{}: has no footer", file);
    const ColumnSpec spec{"number", ColumnType::i64, 0};
    return decode(duckdb().data_chunk_get_vector(chunk.get(), 0), spec, 0, 1, file.string(), 0)
        .integers()
        .front();
}

}  // namespace

void check_parquet(const base::Path& file) {
    std::error_code ignored;
    HODO_CHECK(std::filesystem::exists(file, ignored), "{}: there is no such file", file);
    HODO_CHECK(!std::filesystem::is_directory(file, ignored), "{}: is a folder, not a Parquet file",
               file);
    std::ifstream stream(file, std::ios::binary);
    HODO_CHECK(stream.good(), "{}: cannot be read ({})", file, std::strerror(errno));
    const auto size = static_cast<std::int64_t>(std::filesystem::file_size(file, ignored));
    HODO_CHECK(!ignored && size >= smallest_file,
               "{}: is too short to be a Parquet file ({} bytes)", file, size);
    const std::string first = magic_at(stream, 0, std::ios::beg);
    HODO_CHECK(first != "PARE", "{}: is an encrypted Parquet file, which Hodoscope cannot read",
               file);
    HODO_CHECK(first == "PAR1", "{}: is not a Parquet file (it does not begin with PAR1)", file);
    HODO_CHECK(magic_at(stream, -4, std::ios::end) == "PAR1",
               "{}: is cut off or was never finished (a Parquet file ends with PAR1); copy or "
               "produce it again",
               file);
}

std::string parquet_table(std::span<const base::Path> files, RowNumbers numbers) {
    std::vector<std::string> paths;
    for (const base::Path& file : files) paths.push_back(quote_path(file));
    return base::format("read_parquet([{}], hive_partitioning=false, filename=false{}{})",
                        base::join(paths, ", "), files.size() > 1 ? ", union_by_name=true" : "",
                        numbers == RowNumbers::add ? ", file_row_number=true" : "");
}

void fail_reading(const base::Path& file, const EngineError& error) {
    const std::string_view text = error.what();
    if (text.find("Out of Memory") != std::string_view::npos) {
        base::fail(
            "{}: its row groups need more memory than half of this machine's; write it again "
            "with smaller row groups, or select fewer columns",
            file);
    }
    base::fail(
        "{}: cannot be read as Parquet ({}); if the file is damaged, copy or produce it again",
        file, reason_of(error));
}

std::int64_t parquet_rows(Session& session, const base::Path& file) {
    return whole_number(session, "num_rows", "parquet_file_metadata", file);
}

std::int64_t parquet_bytes(Session& session, const base::Path& file) {
    return whole_number(session, "COALESCE(SUM(total_uncompressed_size), 0)", "parquet_metadata",
                        file);
}

KeyValues parquet_metadata(Session& session, const base::Path& file) {
    const auto result = session
                            .prepare(base::format("SELECT key, value FROM parquet_kv_metadata({})",
                                                  quote_path(file)))
                            .run();
    KeyValues metadata;
    while (const DataChunk chunk = result->next()) {
        const auto rows = static_cast<std::int64_t>(duckdb().data_chunk_get_size(chunk.get()));
        std::array<std::vector<std::string>, 2> texts;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const ColumnSpec spec{"metadata", ColumnType::text, 0};
            texts[i] = decode(duckdb().data_chunk_get_vector(chunk.get(), i), spec, 0, rows,
                              file.string(), 0)
                           .texts();
        }
        for (std::size_t row = 0; row < texts[0].size(); ++row) {
            metadata.emplace_back(texts[0][row], texts[1][row]);
        }
    }
    return metadata;
}

}  // namespace hodo::io::detail
