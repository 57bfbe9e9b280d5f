#include "hodo/io/detail/column_decoder.hh"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "hodo/base/error.hh"

namespace hodo::io::detail {

namespace {

/// Consecutive positions of a vector. Lists point to ranges of their child, in any order.
struct Range {
    std::int64_t begin, end;
};
using Ranges = std::vector<Range>;

bool is_valid(const std::uint64_t* mask, std::int64_t position) {
    return mask == nullptr || ((mask[position / 64] >> (position % 64)) & 1) != 0;
}

void append_range(Ranges& ranges, Range range) {
    if (range.begin == range.end) return;
    if (!ranges.empty() && ranges.back().end == range.begin) {
        ranges.back().end = range.end;
    } else {
        ranges.push_back(range);
    }
}

std::int64_t total(const Ranges& ranges) {
    std::int64_t count = 0;
    for (const Range& range : ranges) count += range.end - range.begin;
    return count;
}

/// Fills the offsets of the lists at `ranges` and returns where their elements lie in the child.
Ranges open_lists(duckdb_vector vector, const Ranges& ranges, std::vector<std::int64_t>& offsets) {
    const auto* entries = static_cast<const duckdb_list_entry*>(duckdb().vector_get_data(vector));
    const std::uint64_t* mask = duckdb().vector_get_validity(vector);
    offsets.reserve(static_cast<std::size_t>(total(ranges)) + 1);
    offsets.push_back(0);
    Ranges elements;
    for (const Range& range : ranges) {
        for (std::int64_t i = range.begin; i < range.end; ++i) {
            std::int64_t length = 0;
            if (is_valid(mask, i)) {
                const auto begin = static_cast<std::int64_t>(entries[i].offset);
                length = static_cast<std::int64_t>(entries[i].length);
                append_range(elements, {begin, begin + length});
            }
            offsets.push_back(offsets.back() + length);
        }
    }
    return elements;
}

/// What messages about a value need.
struct Place {
    const Column& column;
    std::string_view origin;
    std::int64_t first_row;

    [[noreturn]] void fail_null(std::int64_t value) const {
        for (auto level = column.offsets.rbegin(); level != column.offsets.rend(); ++level) {
            value = std::upper_bound(level->begin(), level->end(), value) - level->begin() - 1;
        }
        base::fail("{}: column '{}' has no value (NULL) in row {}, where a number is needed",
                   origin, column.spec.name, first_row + value);
    }
};

template <class T>
void copy_values(duckdb_vector vector, const Ranges& ranges, const Place& place,
                 std::vector<T>& values) {
    const auto* data = static_cast<const T*>(duckdb().vector_get_data(vector));
    const std::uint64_t* mask = duckdb().vector_get_validity(vector);
    values.resize(static_cast<std::size_t>(total(ranges)));
    std::int64_t filled = 0;
    for (const Range& range : ranges) {
        std::copy(data + range.begin, data + range.end, values.begin() + filled);
        for (std::int64_t i = range.begin; mask != nullptr && i < range.end; ++i) {
            if (is_valid(mask, i)) continue;
            const std::int64_t position = filled + i - range.begin;
            if constexpr (std::is_floating_point_v<T>) {
                values[static_cast<std::size_t>(position)] = std::numeric_limits<T>::quiet_NaN();
            } else {
                place.fail_null(position);
            }
        }
        filled += range.end - range.begin;
    }
}

void copy_texts(duckdb_vector vector, const Ranges& ranges, std::vector<std::string>& values) {
    const auto* data = static_cast<const duckdb_string_t*>(duckdb().vector_get_data(vector));
    const std::uint64_t* mask = duckdb().vector_get_validity(vector);
    values.reserve(static_cast<std::size_t>(total(ranges)));
    for (const Range& range : ranges) {
        for (std::int64_t i = range.begin; i < range.end; ++i) {
            if (!is_valid(mask, i)) {
                values.emplace_back();
                continue;
            }
            const auto& text = data[i].value;
            const bool is_inlined = text.inlined.length <= sizeof text.inlined.inlined;
            values.emplace_back(is_inlined ? text.inlined.inlined : text.pointer.ptr,
                                text.inlined.length);
        }
    }
}

void copy_leaf(duckdb_vector vector, const Ranges& ranges, const Place& place, Column& column) {
    switch (column.spec.type) {
        case ColumnType::f64:
            copy_values(vector, ranges, place, column.values.emplace<std::vector<double>>());
            break;
        case ColumnType::f32:
            copy_values(vector, ranges, place, column.values.emplace<std::vector<float>>());
            break;
        case ColumnType::i64:
            copy_values(vector, ranges, place, column.values.emplace<std::vector<std::int64_t>>());
            break;
        case ColumnType::i32:
            copy_values(vector, ranges, place, column.values.emplace<std::vector<std::int32_t>>());
            break;
        case ColumnType::boolean:
            copy_values(vector, ranges, place, column.values.emplace<std::vector<std::uint8_t>>());
            break;
        case ColumnType::text:
            copy_texts(vector, ranges, column.values.emplace<std::vector<std::string>>());
            break;
    }
}

}  // namespace

Column decode(duckdb_vector vector, const ColumnSpec& spec, std::int64_t begin, std::int64_t end,
              std::string_view origin, std::int64_t first_row) {
    Column column{spec, {}, {}};
    Ranges ranges;
    append_range(ranges, {begin, end});
    for (int level = 0; level < spec.list_levels; ++level) {
        ranges = open_lists(vector, ranges, column.offsets.emplace_back());
        vector = duckdb().list_vector_get_child(vector);
    }
    copy_leaf(vector, ranges, Place{column, origin, first_row + begin}, column);
    return column;
}

std::int64_t values_in_row(duckdb_vector vector, const ColumnSpec& spec, std::int64_t row) {
    Ranges ranges{{row, row + 1}};
    for (int level = 0; level < spec.list_levels; ++level) {
        std::vector<std::int64_t> offsets;
        ranges = open_lists(vector, ranges, offsets);
        vector = duckdb().list_vector_get_child(vector);
    }
    return total(ranges);
}

}  // namespace hodo::io::detail
