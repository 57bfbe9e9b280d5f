#pragma once
/// Configuration files: YAML read once, at the edge, into described structs.
///
/// Errors name file, line, column and key. Duplicate keys are rejected; an unknown key is an
/// error that names the nearest known one. Below the command line nobody sees a key.

#include "hodo/base/fields.hh"
#include "hodo/base/text.hh"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::base {

/// One mapping of a configuration file (the whole file or a section of it). A value type that
/// shares the parsed tree.
class Config {
  public:
    /// An empty configuration named `origin` in messages.
    explicit Config(std::string_view origin = "defaults");
    static Config read(const Path& file);
    static Config parse(std::string_view text, std::string_view origin);

    bool has(std::string_view key) const;
    std::vector<std::string> keys() const;
    /// The mapping under `key`, empty if absent. Error if it is not a mapping.
    Config section(std::string_view key) const;
    /// The scalar under `key` as text; error if absent or not a scalar.
    std::string text(std::string_view key) const;
    /// Sets "a.b" to the YAML value `value`; creates sections on the way. `origin` stands in
    /// messages about it; by default "--set a.b=value".
    void set(std::string_view dotted_key, std::string_view value, std::string_view origin = {});
    /// "file:line:column" of `key`, or of this mapping when `key` is empty.
    std::string where(std::string_view key = {}) const;
    const std::string& origin() const;

    /// Reads this mapping into `options`; every key must be described.
    template <class Options>
    void read_into(Options& options) const {
        auto reader = make_reader();
        options.describe(*reader);
        finish(*reader);
    }
    template <class Options>
    Options as() const {
        Options options;
        read_into(options);
        return options;
    }
    /// Checks this mapping against a describing function; every field with its resolved value.
    std::vector<FieldEntry> resolve(void (*describe)(Fields&)) const;

    struct Node;

  private:
    std::unique_ptr<Fields> make_reader() const;
    void finish(Fields& reader) const;
    std::shared_ptr<Node> node_;
};

}  // namespace hodo::base
