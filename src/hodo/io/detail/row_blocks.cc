#include "hodo/io/detail/row_blocks.hh"

#include <algorithm>
#include <utility>

#include "hodo/base/error.hh"

namespace hodo::io::detail {

namespace {

/// The leaf values [begin, end) that rows [begin, end) hold.
std::pair<std::int64_t, std::int64_t> leaf_range(const Column& column, std::int64_t begin,
                                                 std::int64_t end) {
    for (const auto& level : column.offsets) {
        begin = level[static_cast<std::size_t>(begin)];
        end = level[static_cast<std::size_t>(end)];
    }
    return {begin, end};
}

Column empty_column(const ColumnSpec& spec) {
    Column column{spec, {}, {}};
    column.offsets.assign(static_cast<std::size_t>(spec.list_levels), {0});
    switch (spec.type) {
        case ColumnType::f64:
            column.values = std::vector<double>();
            break;
        case ColumnType::f32:
            column.values = std::vector<float>();
            break;
        case ColumnType::i64:
            column.values = std::vector<std::int64_t>();
            break;
        case ColumnType::i32:
            column.values = std::vector<std::int32_t>();
            break;
        case ColumnType::boolean:
            column.values = std::vector<std::uint8_t>();
            break;
        case ColumnType::text:
            column.values = std::vector<std::string>();
            break;
    }
    return column;
}

}  // namespace

void check_column(const Column& column, std::int64_t rows) {
    const auto levels = static_cast<std::size_t>(column.spec.list_levels);
    HODO_CHECK(column.offsets.size() == levels, "column '{}' has {} levels of offsets, not {}",
               column.spec.name, column.offsets.size(), levels);
    HODO_CHECK(column.values.index() == static_cast<std::size_t>(column.spec.type),
               "column '{}' does not hold values of the type it states", column.spec.name);
    std::int64_t count = rows;
    for (const auto& level : column.offsets) {
        HODO_CHECK(static_cast<std::int64_t>(level.size()) == count + 1 && level.front() == 0 &&
                       std::is_sorted(level.begin(), level.end()),
                   "column '{}' has offsets that do not mark {} lists", column.spec.name, count);
        count = level.back();
    }
    const auto held = std::visit(
        [](const auto& values) { return static_cast<std::int64_t>(values.size()); }, column.values);
    HODO_CHECK(held == count, "column '{}' holds {} values where {} are needed", column.spec.name,
               held, count);
}

std::int64_t bytes_of(const Column& column, std::int64_t begin, std::int64_t end) {
    const auto [first, last] = leaf_range(column, begin, end);
    std::int64_t bytes = 8 * static_cast<std::int64_t>(column.offsets.size()) * (end - begin);
    std::visit(
        [&, from = first, to = last]<class T>(const std::vector<T>& values) {
            bytes += (to - from) * static_cast<std::int64_t>(sizeof(T));
            if constexpr (std::is_same_v<T, std::string>) {
                for (std::int64_t i = from; i < to; ++i) {
                    bytes += static_cast<std::int64_t>(values[static_cast<std::size_t>(i)].size());
                }
            }
        },
        column.values);
    return bytes;
}

Chunk empty_block(const std::vector<ColumnSpec>& specs) {
    Chunk block;
    for (const ColumnSpec& spec : specs) block.columns.push_back(empty_column(spec));
    return block;
}

void append_rows(Column& to, const Column& from, std::int64_t begin, std::int64_t end) {
    for (std::size_t level = 0; level < to.offsets.size(); ++level) {
        const auto& source = from.offsets[level];
        auto& target = to.offsets[level];
        const std::int64_t shift = target.back() - source[static_cast<std::size_t>(begin)];
        for (std::int64_t i = begin + 1; i <= end; ++i) {
            target.push_back(source[static_cast<std::size_t>(i)] + shift);
        }
        begin = source[static_cast<std::size_t>(begin)];
        end = source[static_cast<std::size_t>(end)];
    }
    std::visit(
        [&]<class T>(std::vector<T>& values) {
            const auto& source = std::get<std::vector<T>>(from.values);
            values.insert(values.end(), source.begin() + begin, source.begin() + end);
        },
        to.values);
}

Chunk slice(const Chunk& chunk, std::int64_t begin, std::int64_t end) {
    Chunk part{chunk.first_row + begin, end - begin, {}};
    for (const Column& column : chunk.columns) {
        part.columns.push_back(empty_column(column.spec));
        append_rows(part.columns.back(), column, begin, end);
    }
    return part;
}

}  // namespace hodo::io::detail
