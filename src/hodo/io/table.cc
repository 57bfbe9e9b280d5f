#include "hodo/io/table.hh"

#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"

namespace hodo::io {

namespace {

[[noreturn]] void fail_type(const Column& column, std::string_view wanted) {
    static constexpr std::string_view found[] = {"float64", "float32", "int64",
                                                 "int32",   "boolean", "text"};
    base::fail("column '{}' holds {} where {} is needed", column.spec.name,
               found[column.values.index()], wanted);
}

template <class T>
const std::vector<T>& stored(const Column& column, std::string_view wanted) {
    if (const auto* values = std::get_if<std::vector<T>>(&column.values)) return *values;
    fail_type(column, wanted);
}

std::int64_t whole(double value, const std::string& column) {
    HODO_CHECK(std::trunc(value) == value && std::abs(value) < 9.2e18,
               "column '{}' holds {} where whole numbers are needed", column, value);
    return static_cast<std::int64_t>(value);
}

}  // namespace

bool TableSchema::has(std::string_view column) const {
    return std::any_of(columns.begin(), columns.end(),
                       [column](const ColumnSpec& spec) { return spec.name == column; });
}

bool TableSchema::has_struct(std::string_view name) const {
    return std::any_of(columns.begin(), columns.end(), [name](const ColumnSpec& spec) {
        return spec.name.size() > name.size() && spec.name.starts_with(name) &&
               spec.name[name.size()] == '.';
    });
}

std::int64_t Column::rows() const {
    if (!offsets.empty()) return static_cast<std::int64_t>(offsets.front().size()) - 1;
    return std::visit([](const auto& held) { return static_cast<std::int64_t>(held.size()); },
                      values);
}

const std::vector<double>& Column::doubles() const {
    return stored<double>(*this, "float64");
}
const std::vector<float>& Column::floats() const {
    return stored<float>(*this, "float32");
}
const std::vector<std::int64_t>& Column::integers() const {
    return stored<std::int64_t>(*this, "int64");
}
const std::vector<std::string>& Column::texts() const {
    return stored<std::string>(*this, "text");
}

std::vector<double> Column::to_doubles() const {
    return std::visit(
        [this]<class T>(const std::vector<T>& held) -> std::vector<double> {
            if constexpr (std::is_same_v<T, std::string>) {
                fail_type(*this, "a number");
            } else {
                std::vector<double> numbers(held.size());
                std::transform(held.begin(), held.end(), numbers.begin(),
                               [](T value) { return static_cast<double>(value); });
                return numbers;
            }
        },
        values);
}

std::vector<std::int64_t> Column::to_integers() const {
    return std::visit(
        [this]<class T>(const std::vector<T>& held) -> std::vector<std::int64_t> {
            if constexpr (std::is_same_v<T, std::string>) {
                fail_type(*this, "a whole number");
            } else if constexpr (std::is_floating_point_v<T>) {
                std::vector<std::int64_t> numbers;
                numbers.reserve(held.size());
                for (const T value : held) {
                    numbers.push_back(whole(static_cast<double>(value), spec.name));
                }
                return numbers;
            } else {
                return {held.begin(), held.end()};
            }
        },
        values);
}

const Column& Chunk::column(std::string_view name) const {
    std::vector<std::string> known;
    for (const Column& column : columns) {
        if (column.spec.name == name) return column;
        known.push_back(column.spec.name);
    }
    base::fail("the table has no column '{}'{}", name, base::did_you_mean(name, known));
}

}  // namespace hodo::io
