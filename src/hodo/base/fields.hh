#pragma once
/// Options described once.
///
/// A component's options are a plain struct with defaults and one function `describe(Fields&)`.
/// From that one description come the YAML reader, the range checks, the message for an unknown
/// key, the command-line options, the dump of defaults, the manual page and the resolved copy
/// stored with every run.
///
///     struct TrackOptions {
///         double length = 120.0;
///         int count = 3;
///         void describe(base::Fields& f) {
///             f("length", length, "mean track length [m]").above(0);
///             f("count", count, "tracks per event").between(1, 50);
///         }
///     };
///
/// An enum is a choice: beside it stands `constexpr auto names(Enum)`, an array of the names of
/// its enumerators 0, 1, 2, ... in order. Nested structs are groups: `f.group("track", track,
/// "...")`.

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace hodo::base {

/// A choice among names, as the reader sees an enum.
struct Choice {
    std::vector<std::string_view> names;
    int index = 0;
};

/// Where a value lives. Only these types are configurable.
using Slot =
    std::variant<bool*, int*, std::int64_t*, std::uint64_t*, double*, std::string*,
                 std::vector<std::int64_t>*, std::vector<double>*, std::vector<std::string>*,
                 std::vector<std::vector<std::int64_t>>*, Choice*>;

class Fields;

/// What may still be said about the field just described. For list values a limit holds for
/// every element.
class FieldLimits {
  public:
    explicit FieldLimits(Fields& fields) : fields_(fields) {}
    FieldLimits& above(double low);
    FieldLimits& at_least(double low);
    FieldLimits& below(double high);
    FieldLimits& between(double low, double high);  ///< Both ends included.

  private:
    Fields& fields_;
};

/// A visitor of options; see the file comment.
class Fields {
  public:
    virtual ~Fields() = default;

    template <class T>
    FieldLimits operator()(std::string_view key, T& value, std::string_view help) {
        if constexpr (std::is_enum_v<T>) {
            Choice choice;
            for (auto name : names(T{})) choice.names.push_back(name);
            choice.index = static_cast<int>(value);
            visit(key, &choice, help);
            value = static_cast<T>(choice.index);
        } else {
            visit(key, Slot(&value), help);
        }
        return FieldLimits(*this);
    }

    /// A nested struct with its own `describe`.
    template <class T>
    void group(std::string_view key, T& options, std::string_view help) {
        begin_group(key, help);
        options.describe(*this);
        end_group();
    }

    /// A rule over several fields; put it after them.
    void rule(bool holds, std::string_view sentence) {
        if (!holds) broken_rule(sentence);
    }

    enum class Bound { above, at_least, below, at_most };
    virtual void limit(Bound bound, double value) = 0;

  protected:
    virtual void visit(std::string_view key, Slot slot, std::string_view help) = 0;
    virtual void begin_group(std::string_view key, std::string_view help) = 0;
    virtual void end_group() = 0;
    virtual void broken_rule(std::string_view sentence) = 0;
};

inline FieldLimits& FieldLimits::above(double low) {
    fields_.limit(Fields::Bound::above, low);
    return *this;
}
inline FieldLimits& FieldLimits::at_least(double low) {
    fields_.limit(Fields::Bound::at_least, low);
    return *this;
}
inline FieldLimits& FieldLimits::below(double high) {
    fields_.limit(Fields::Bound::below, high);
    return *this;
}
inline FieldLimits& FieldLimits::between(double low, double high) {
    fields_.limit(Fields::Bound::at_least, low);
    fields_.limit(Fields::Bound::at_most, high);
    return *this;
}

/// One described field, for help pages and command-line options.
struct FieldEntry {
    std::string path;   ///< "optimizer.rate"
    std::string type;   ///< "number", "integer", "yes/no", "text", "list of ...", "one of a, b"
    std::string value;  ///< as YAML, the current value
    std::string help;   ///< the sentence, without the range
    std::string range;  ///< "> 0", "1 to 50", or empty
    bool is_group = false;
};

/// A visitor that writes down every field with its current value.
class FieldList final : public Fields {
  public:
    const std::vector<FieldEntry>& entries() const { return entries_; }

    void limit(Bound bound, double value) override;
    void visit(std::string_view key, Slot slot, std::string_view help) override;
    void begin_group(std::string_view key, std::string_view help) override;
    void end_group() override;
    void broken_rule(std::string_view) override {}

  private:
    std::string prefix_;
    std::vector<FieldEntry> entries_;
};

/// The fields as YAML, one line each, indented by `indent`; with the help as comments when asked.
enum class Comments { no, yes };
std::string to_yaml(const std::vector<FieldEntry>& entries, Comments comments, int indent = 0);

/// The options' current values as YAML.
template <class Options>
std::string options_yaml(Options& options, Comments comments = Comments::no, int indent = 0) {
    FieldList list;
    options.describe(list);
    return to_yaml(list.entries(), comments, indent);
}

}  // namespace hodo::base
