#pragma once
/// The parsed tree behind base::Config, shared by its parser and the reader of fields.

#include "hodo/base/config.hh"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace hodo::base {

/// A parsed YAML node with the place it came from.
struct Config::Node {
    enum class Kind { null, scalar, list, mapping };
    Kind kind = Kind::null;
    std::string scalar;
    std::vector<std::shared_ptr<Node>> items;
    std::vector<std::pair<std::string, std::shared_ptr<Node>>> members;
    std::string place;   ///< "file:line:column"
    std::string origin;  ///< "file"

    std::shared_ptr<Node> find(std::string_view key) const {
        for (const auto& [name, node] : members) {
            if (name == key) return node;
        }
        return nullptr;
    }
};

/// "a list", "a group of keys", ... for messages.
std::string_view kind_name(const Config::Node& node);

}  // namespace hodo::base
