#include "hodo/base/fields.hh"

#include "hodo/base/text.hh"

#include <algorithm>
#include <cmath>

namespace hodo::base {

namespace {

/// `text` as a YAML scalar that reads back as the same text.
std::string yaml_text(std::string_view text) {
    const bool plain =
        !text.empty() && text.find_first_of(":#{}[],&*!|>'\"%@`\n\t\\") == std::string_view::npos &&
        text.front() != ' ' && text.back() != ' ' && text.front() != '-' && text.front() != '?' &&
        !parse_double(text) && text != "true" && text != "false" && text != "null" && text != "~" &&
        text != "yes" && text != "no" && text != "on" && text != "off";
    if (plain) return std::string(text);
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else {
            out += c;
        }
    }
    return out + "\"";
}

/// The shortest decimal that reads back as the same double, always recognisable as a number.
std::string number(double value) {
    if (std::isnan(value)) return ".nan";
    if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
    auto text = base::format("{}", value);
    return text;
}

struct ValueText {
    std::string operator()(const bool* v) const { return *v ? "true" : "false"; }
    std::string operator()(const int* v) const { return std::to_string(*v); }
    std::string operator()(const std::int64_t* v) const { return std::to_string(*v); }
    std::string operator()(const std::uint64_t* v) const { return std::to_string(*v); }
    std::string operator()(const double* v) const { return number(*v); }
    std::string operator()(const std::string* v) const { return yaml_text(*v); }
    std::string operator()(const Choice* v) const {
        return yaml_text(v->names[static_cast<std::size_t>(v->index)]);
    }
    std::string operator()(const std::vector<std::int64_t>* v) const {
        return list(*v, [](std::int64_t x) { return std::to_string(x); });
    }
    std::string operator()(const std::vector<double>* v) const { return list(*v, number); }
    std::string operator()(const std::vector<std::string>* v) const {
        return list(*v, [](const std::string& x) { return yaml_text(x); });
    }
    std::string operator()(const std::vector<std::vector<std::int64_t>>* v) const {
        return list(*v, [this](const std::vector<std::int64_t>& x) { return (*this)(&x); });
    }

  private:
    template <class T, class Show>
    static std::string list(const std::vector<T>& values, Show show) {
        std::string text = "[";
        for (const auto& value : values) {
            if (text.size() > 1) text += ", ";
            text += show(value);
        }
        return text + "]";
    }
};

struct TypeText {
    std::string operator()(const bool*) const { return "true or false"; }
    std::string operator()(const int*) const { return "integer"; }
    std::string operator()(const std::int64_t*) const { return "integer"; }
    std::string operator()(const std::uint64_t*) const { return "integer"; }
    std::string operator()(const double*) const { return "number"; }
    std::string operator()(const std::string*) const { return "text"; }
    std::string operator()(const std::vector<std::int64_t>*) const { return "list of integers"; }
    std::string operator()(const std::vector<double>*) const { return "list of numbers"; }
    std::string operator()(const std::vector<std::string>*) const { return "list of texts"; }
    std::string operator()(const std::vector<std::vector<std::int64_t>>*) const {
        return "list of lists of integers";
    }
    std::string operator()(const Choice* v) const {
        std::vector<std::string> all(v->names.begin(), v->names.end());
        return "one of " + join(all, ", ");
    }
};

}  // namespace

void FieldList::visit(std::string_view key, Slot slot, std::string_view help) {
    entries_.push_back({prefix_ + std::string(key),
                        std::visit(TypeText{}, slot),
                        std::visit(ValueText{}, slot),
                        std::string(help),
                        {},
                        false});
}

void FieldList::begin_group(std::string_view key, std::string_view help) {
    entries_.push_back({prefix_ + std::string(key), "group", {}, std::string(help), {}, true});
    prefix_ += std::string(key) + ".";
}

void FieldList::end_group() {
    prefix_.pop_back();
    const auto dot = prefix_.rfind('.');
    prefix_.resize(dot == std::string::npos ? 0 : dot + 1);
}

void FieldList::limit(Bound bound, double value) {
    auto& range = entries_.back().range;
    const auto shown = number(value);
    switch (bound) {
        case Bound::above:
            range = "> " + shown;
            break;
        case Bound::at_least:
            range = ">= " + shown;
            break;
        case Bound::below:
            range += (range.empty() ? "< " : " and < ") + shown;
            break;
        case Bound::at_most:
            range = range.starts_with(">= ") ? range.substr(3) + " to " + shown : "<= " + shown;
            break;
    }
}

std::string to_yaml(const std::vector<FieldEntry>& entries, Comments comments, int indent) {
    std::vector<std::string> lines;
    std::size_t column = 0;
    for (const auto& entry : entries) {
        const auto depth = std::count(entry.path.begin(), entry.path.end(), '.');
        const auto name_begin = entry.path.rfind('.') + 1;  // npos + 1 = 0
        const auto blanks = static_cast<std::size_t>(indent + 2 * depth);
        lines.push_back(std::string(blanks, ' ') + entry.path.substr(name_begin) + ":" +
                        (entry.is_group ? "" : " " + entry.value));
        if (lines.back().size() <= 40) column = std::max(column, lines.back().size());
    }
    std::string text;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        auto line = lines[i];
        if (comments == Comments::yes) {
            line.resize(std::max(line.size(), column), ' ');
            line += "  # " + entries[i].help;
            if (entries[i].type.starts_with("one of ")) line += "; " + entries[i].type;
            if (!entries[i].range.empty()) line += " (" + entries[i].range + ")";
        }
        text += line + "\n";
    }
    return text;
}

}  // namespace hodo::base
