#pragma once
/// Text: formatting, splitting, parsing, and finding the word a user meant.
///
/// `format` takes the same replacement fields as the {fmt} library ("{}", "{:.3f}", "{:>8}").
/// The library itself is included in `text.cc` only, so this header stays cheap.

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hodo::base {

using Path = std::filesystem::path;

/// One value that stands in a message; made implicitly by `format`.
class TextArgument {
  public:
    using Value = std::variant<std::int64_t, std::uint64_t, double, bool, std::string>;

    TextArgument(bool value) : value_(value) {}
    template <std::signed_integral T>
    TextArgument(T value) : value_(static_cast<std::int64_t>(value)) {}
    template <std::unsigned_integral T>
    TextArgument(T value) : value_(static_cast<std::uint64_t>(value)) {}
    TextArgument(float value) : value_(static_cast<double>(value)) {}
    TextArgument(double value) : value_(value) {}
    TextArgument(std::string_view value) : value_(std::string(value)) {}
    TextArgument(const std::string& value) : value_(value) {}
    TextArgument(const char* value) : value_(std::string(value)) {}
    TextArgument(const Path& value) : value_(value.string()) {}

    const Value& value() const { return value_; }

  private:
    Value value_;
};

/// Fills the replacement fields of `pattern`. Throws `Defect` for a malformed pattern.
std::string format_arguments(std::string_view pattern, std::span<const TextArgument> arguments);

/// Fills the replacement fields of `pattern` with `values`.
template <class... Values>
std::string format(std::string_view pattern, const Values&... values) {
    if constexpr (sizeof...(Values) == 0) {
        return format_arguments(pattern, {});
    } else {
        const TextArgument arguments[] = {TextArgument(values)...};
        return format_arguments(pattern, arguments);
    }
}

/// Parts of `text` between `separator`; an empty text gives one empty part.
std::vector<std::string> split(std::string_view text, char separator);

/// `parts` with `separator` between them.
std::string join(std::span<const std::string> parts, std::string_view separator);

/// `text` without white space at both ends.
std::string_view trim(std::string_view text);

/// The whole of `text` as a number, or nothing.
std::optional<double> parse_double(std::string_view text);
std::optional<std::int64_t> parse_int(std::string_view text);

/// The word of `known` that needs the fewest insertions, deletions, substitutions and swaps to
/// become `word`, if that number is at most a third of its length (rounded up); else nothing.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);

/// " (did you mean 'x'?)" or an empty string, for the end of a message about an unknown word.
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

/// Orders file names as people do: runs of digits compare as numbers ("chunk_9" < "chunk_10").
bool natural_less(std::string_view a, std::string_view b);

/// "1.4 GB", "312 kB": powers of 1000.
std::string human_bytes(double bytes);

/// "2 h 05 min", "3 min 20 s", "4.1 s".
std::string human_seconds(double seconds);

/// "12,345,678".
std::string with_thousands(std::int64_t value);

/// 64-bit FNV-1a hash of the bytes of `text`.
std::uint64_t fnv1a(std::string_view text);

}  // namespace hodo::base
