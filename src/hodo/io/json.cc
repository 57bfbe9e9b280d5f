#include "hodo/io/json.hh"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "hodo/base/error.hh"

namespace hodo::io {

namespace {

constexpr std::size_t deepest_nesting = 256;

/// Builds values from the events of the parser. Objects are kept with all their members; of equal
/// keys the last counts (see `member`).
class Builder {
  public:
    explicit Builder(std::string_view text, std::string_view origin)
        : text_(text), origin_(origin) {}

    Json take() { return std::move(root_); }

    bool null() { return add(Json()); }
    bool boolean(bool value) { return add(Json(value)); }
    bool number_integer(std::int64_t value) { return add(Json(value)); }
    bool number_unsigned(std::uint64_t value) {
        constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        return add(value <= limit ? Json(static_cast<std::int64_t>(value)) : Json(value));
    }
    bool number_float(double value, const std::string&) { return add(Json(value)); }
    bool string(std::string& value) { return add(Json(std::move(value))); }
    bool binary(std::vector<std::uint8_t>&) { return false; }

    bool start_object(std::size_t) { return open(Level{Json::Object{}, Json::List{}, {}, true}); }
    bool start_array(std::size_t) { return open(Level{Json::Object{}, Json::List{}, {}, false}); }
    bool key(std::string& value) {
        levels_.back().key = std::move(value);
        return true;
    }
    bool end_object() { return close(); }
    bool end_array() { return close(); }

    template <class Exception>
    bool parse_error(std::size_t position, const std::string& token, const Exception&) {
        const auto before =
            text_.substr(0, std::min(position == 0 ? 0 : position - 1, text_.size()));
        const auto line = 1 + std::count(before.begin(), before.end(), '\n');
        const auto last_break = before.rfind('\n');
        const auto column =
            before.size() - (last_break == std::string_view::npos ? 0 : last_break + 1) + 1;
        base::fail("{}: is not valid JSON at line {}, column {} (near '{}')", origin_, line, column,
                   std::string_view(token).substr(0, 40));
    }

  private:
    struct Level {
        Json::Object members;
        Json::List items;
        std::string key;
        bool is_object;
    };

    bool open(Level level) {
        HODO_CHECK(levels_.size() < deepest_nesting,
                   "{}: its JSON is nested deeper than {} levels, which no proper file needs",
                   origin_, deepest_nesting);
        levels_.push_back(std::move(level));
        return true;
    }

    bool close() {
        Level level = std::move(levels_.back());
        levels_.pop_back();
        return add(level.is_object ? Json(std::move(level.members)) : Json(std::move(level.items)));
    }

    bool add(Json value) {
        if (levels_.empty()) {
            root_ = std::move(value);
        } else if (levels_.back().is_object) {
            levels_.back().members.emplace_back(std::move(levels_.back().key), std::move(value));
        } else {
            levels_.back().items.push_back(std::move(value));
        }
        return true;
    }

    std::string_view text_, origin_;
    std::vector<Level> levels_;
    Json root_;
};

std::string quoted(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string number_text(double value) {
    if (!std::isfinite(value)) return "null";
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    std::string text(digits, end);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

/// The kind of a value in the words of a message.
std::string_view kind(const Json& value) {
    if (value.is_null()) return "null";
    if (value.is_object()) return "an object";
    if (value.is_list()) return "a list";
    if (value.is_text()) return "text";
    return value.is_number() ? "a number" : "true or false";
}

[[noreturn]] void fail_kind(std::string_view wanted, const Json& value) {
    base::fail("{} was found in JSON where {} is needed", kind(value), wanted);
}

const Json* member(const Json& value, std::string_view key) {
    if (!value.is_object()) return nullptr;
    const Json::Object& members = value.members();
    const auto found = std::find_if(members.rbegin(), members.rend(),
                                    [key](const auto& entry) { return entry.first == key; });
    return found == members.rend() ? nullptr : &found->second;
}

}  // namespace

/// Writes values as text; `indent` < 0 means one line.
class Json::Writer {
  public:
    explicit Writer(int indent) : indent_(indent) {}

    void write(const Json& value, int depth) {
        if (value.is_object()) {
            write_object(value.members(), depth);
        } else if (value.is_list()) {
            write_list(value.items(), depth);
        } else {
            write_scalar(value);
        }
    }
    std::string take() { return std::move(text_); }

  private:
    void write_scalar(const Json& value) {
        if (value.is_text()) {
            text_ += quoted(value.text());
        } else if (const auto* real = std::get_if<double>(&value.value_)) {
            text_ += number_text(*real);
        } else if (const auto* whole = std::get_if<std::int64_t>(&value.value_)) {
            text_ += std::to_string(*whole);
        } else if (const auto* large = std::get_if<std::uint64_t>(&value.value_)) {
            text_ += std::to_string(*large);
        } else {
            text_ += value.is_null() ? "null" : value.boolean() ? "true" : "false";
        }
    }

    void write_object(const Json::Object& members, int depth) {
        text_ += '{';
        for (std::size_t i = 0; i < members.size(); ++i) {
            begin_element(i, depth + 1);
            text_ += quoted(members[i].first) + (indent_ < 0 ? ":" : ": ");
            write(members[i].second, depth + 1);
        }
        end_elements(members.size(), depth);
        text_ += '}';
    }

    void write_list(const Json::List& items, int depth) {
        text_ += '[';
        for (std::size_t i = 0; i < items.size(); ++i) {
            begin_element(i, depth + 1);
            write(items[i], depth + 1);
        }
        end_elements(items.size(), depth);
        text_ += ']';
    }

    void begin_element(std::size_t index, int depth) {
        if (index > 0) text_ += ',';
        new_line(depth);
    }
    void end_elements(std::size_t count, int depth) {
        if (count > 0) new_line(depth);
    }
    void new_line(int depth) {
        if (indent_ < 0) return;
        text_ += '\n';
        text_.append(static_cast<std::size_t>(indent_ * depth), ' ');
    }

    int indent_;
    std::string text_;
};

Json::Json() = default;
Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;

Json Json::parse(std::string_view text, std::string_view origin) {
    Builder builder(text, origin);
    nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
    return builder.take();
}

std::string Json::dump(int indent) const {
    Writer writer(indent);
    writer.write(*this, 0);
    return writer.take();
}

bool Json::is_number() const {
    return std::holds_alternative<std::int64_t>(value_) ||
           std::holds_alternative<std::uint64_t>(value_) || std::holds_alternative<double>(value_);
}

bool Json::boolean() const {
    if (const bool* value = std::get_if<bool>(&value_)) return *value;
    fail_kind("true or false", *this);
}

std::int64_t Json::integer() const {
    if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
    if (const auto* value = std::get_if<std::uint64_t>(&value_)) {
        HODO_CHECK(*value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()),
                   "the number {} in JSON does not fit into 64 signed bits", *value);
        return static_cast<std::int64_t>(*value);
    }
    if (const auto* value = std::get_if<double>(&value_)) {
        HODO_CHECK(std::trunc(*value) == *value && std::abs(*value) < 9.2e18,
                   "the number {} was found in JSON where a whole number is needed", *value);
        return static_cast<std::int64_t>(*value);
    }
    fail_kind("a whole number", *this);
}

double Json::number() const {
    if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
    if (const auto* value = std::get_if<std::uint64_t>(&value_)) return static_cast<double>(*value);
    if (const auto* value = std::get_if<double>(&value_)) return *value;
    fail_kind("a number", *this);
}

const std::string& Json::text() const {
    if (const auto* value = std::get_if<std::string>(&value_)) return *value;
    fail_kind("text", *this);
}

const Json::List& Json::items() const {
    if (const auto* value = std::get_if<List>(&value_)) return *value;
    fail_kind("a list", *this);
}

const Json::Object& Json::members() const {
    if (const auto* value = std::get_if<Object>(&value_)) return *value;
    fail_kind("an object", *this);
}

bool Json::has(std::string_view key) const {
    return member(*this, key) != nullptr;
}

const Json& Json::at(std::string_view key) const {
    if (const Json* value = member(*this, key)) return *value;
    std::vector<std::string> known;
    for (const auto& [name, value] : members()) known.push_back(name);
    base::fail("JSON has no key '{}'{}", key, base::did_you_mean(key, known));
}

Json& Json::operator[](std::string_view key) {
    if (is_null()) value_ = Object{};
    if (const Json* value = member(*this, key)) return const_cast<Json&>(*value);
    if (!is_object()) fail_kind("an object", *this);
    auto& own = std::get<Object>(value_);
    own.emplace_back(std::string(key), Json());
    return own.back().second;
}

void Json::push(Json value) {
    if (is_null()) value_ = List{};
    if (!is_list()) fail_kind("a list", *this);
    std::get<List>(value_).push_back(std::move(value));
}

}  // namespace hodo::io
