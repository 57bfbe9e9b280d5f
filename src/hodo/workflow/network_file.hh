#pragma once
/// What a weight file tells of its network before one is built: names and shapes of its tensors,
/// and in our own files the options, as YAML in the metadata.

#include "hodo/base/config.hh"
#include "hodo/io/weights.hh"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::workflow {

/// A tensor of a weight file, without its data.
struct NamedShape {
    std::string name;
    std::vector<std::int64_t> shape;
};

/// Names and shapes in the file's order.
std::vector<NamedShape> shapes_of(const io::WeightFile& file);

/// Looks shapes up by name and says what is wrong with them. Errors begin with `origin` (a file)
/// and name the network that was looked for: "an om2vec network".
class ShapeBook {
  public:
    ShapeBook(std::span<const NamedShape> tensors, std::string_view origin,
              std::string_view network);

    bool has(const std::string& name) const { return shapes_.contains(name); }
    /// The shape of a tensor that must be there and have so many dimensions.
    const std::vector<std::int64_t>& shape(const std::string& name, std::size_t dimensions) const;
    /// All tensors must be there with these shapes, and no others.
    void compare(std::span<const NamedShape> expected) const;

  private:
    std::string origin_, network_;
    std::map<std::string, std::vector<std::int64_t>> shapes_;
};

/// Options that stand as YAML under `key` of the metadata; nothing when there are none, as in
/// checkpoints of the published programs.
template <class Options>
std::optional<Options> stored_options(const io::WeightFile& file, std::string_view key) {
    const auto& metadata = file.metadata();
    if (!metadata.is_object() || !metadata.has(key) || !metadata.at(key).is_text()) return {};
    const auto origin = base::format("{} ({})", file.path(), key);
    return base::Config::parse(metadata.at(key).text(), origin).as<Options>();
}

}  // namespace hodo::workflow
