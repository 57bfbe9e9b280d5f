#include "hodo/io/detail/column_encoder.hh"

#include <algorithm>

namespace hodo::io::detail {

namespace {

void encode_leaf(const Column& column, std::int64_t begin, std::int64_t end, duckdb_vector vector) {
    std::visit(
        [&]<class T>(const std::vector<T>& values) {
            if constexpr (std::is_same_v<T, std::string>) {
                for (std::int64_t i = begin; i < end; ++i) {
                    const std::string& text = values[static_cast<std::size_t>(i)];
                    duckdb().vector_assign_string_element_len(vector, static_cast<idx_t>(i - begin),
                                                              text.data(), text.size());
                }
            } else {
                std::copy(values.begin() + begin, values.begin() + end,
                          static_cast<T*>(duckdb().vector_get_data(vector)));
            }
        },
        column.values);
}

void encode_lists(const Column& column, std::size_t level, std::int64_t begin, std::int64_t end,
                  duckdb_vector vector) {
    if (level == column.offsets.size()) {
        encode_leaf(column, begin, end, vector);
        return;
    }
    const auto* offsets = column.offsets[level].data();
    const std::int64_t first = offsets[begin];
    auto* entries = static_cast<duckdb_list_entry*>(duckdb().vector_get_data(vector));
    for (std::int64_t i = begin; i < end; ++i) {
        entries[i - begin] = {static_cast<std::uint64_t>(offsets[i] - first),
                              static_cast<std::uint64_t>(offsets[i + 1] - offsets[i])};
    }
    const auto count = static_cast<idx_t>(offsets[end] - first);
    duckdb().list_vector_reserve(vector, count);
    duckdb().list_vector_set_size(vector, count);
    encode_lists(column, level + 1, first, offsets[end], duckdb().list_vector_get_child(vector));
}

}  // namespace

void encode(const FieldTree& tree, const std::vector<const Column*>& columns, std::int64_t begin,
            std::int64_t end, duckdb_vector vector) {
    if (tree.children.empty()) {
        encode_lists(*columns[tree.column], 0, begin, end, vector);
        return;
    }
    for (std::size_t i = 0; i < tree.children.size(); ++i) {
        encode(tree.children[i], columns, begin, end,
               duckdb().struct_vector_get_child(vector, static_cast<idx_t>(i)));
    }
}

}  // namespace hodo::io::detail
