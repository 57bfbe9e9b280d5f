#pragma once
/// JSON values: parse, inspect, write. Objects keep the order of their keys; of equal keys in a
/// document the last one counts.

#include "hodo/base/text.hh"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hodo::io {

class Json {
  public:
    using List = std::vector<Json>;
    using Object = std::vector<std::pair<std::string, Json>>;

    Json();  ///< null
    Json(const Json& other);
    Json(Json&& other) noexcept;
    Json& operator=(const Json& other);
    Json& operator=(Json&& other) noexcept;
    ~Json();
    Json(bool value) : value_(value) {}
    Json(int value) : value_(static_cast<std::int64_t>(value)) {}
    Json(std::int64_t value) : value_(value) {}
    Json(std::uint64_t value) : value_(value) {}
    Json(double value) : value_(value) {}  ///< Non-finite numbers are written as null.
    Json(const char* value) : value_(std::string(value)) {}
    Json(std::string value) : value_(std::move(value)) {}
    Json(std::string_view value) : value_(std::string(value)) {}
    Json(List value) : value_(std::move(value)) {}
    Json(Object value) : value_(std::move(value)) {}
    static Json object() { return Json(Object{}); }
    static Json list() { return Json(List{}); }

    /// Parses a whole document; the error names `origin`, line and column. Nesting is bounded to
    /// 256 levels.
    static Json parse(std::string_view text, std::string_view origin);
    /// `indent` < 0: one line. Bytes that are not UTF-8 become replacement characters.
    std::string dump(int indent = -1) const;

    bool is_null() const { return value_.index() == 0; }
    bool is_object() const { return std::holds_alternative<Object>(value_); }
    bool is_list() const { return std::holds_alternative<List>(value_); }
    bool is_text() const { return std::holds_alternative<std::string>(value_); }
    bool is_number() const;
    /// A number written without fraction or exponent.
    bool is_integer() const { return value_.index() == 2 || value_.index() == 3; }

    /// Typed access; an error that says what was expected and found.
    bool boolean() const;
    std::int64_t integer() const;
    double number() const;
    const std::string& text() const;
    const List& items() const;
    const Object& members() const;

    bool has(std::string_view key) const;
    /// Member of an object; error if absent.
    const Json& at(std::string_view key) const;
    /// Member of an object, created as null if absent (a null becomes an object).
    Json& operator[](std::string_view key);
    /// Appends to a list (a null becomes a list).
    void push(Json value);

  private:
    class Writer;
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, List,
                 Object>
        value_;
};

}  // namespace hodo::io
