#include "hodo/base/config.hh"

#include "hodo/base/detail/config_node.hh"
#include "hodo/base/error.hh"

#include <fstream>
#include <sstream>

#include <yaml-cpp/yaml.h>

namespace hodo::base {

namespace {

using Node = Config::Node;
using NodePtr = std::shared_ptr<Node>;
constexpr int deepest_nesting = 64;
constexpr std::uintmax_t largest_file = 16'000'000;

std::string place_of(const std::string& origin, const YAML::Mark& mark) {
    return mark.is_null() ? origin
                          : base::format("{}:{}:{}", origin, mark.line + 1, mark.column + 1);
}

NodePtr convert(const YAML::Node& yaml, const std::string& origin, int depth, int& budget) {
    auto node = std::make_shared<Node>();
    node->origin = origin;
    node->place = place_of(origin, yaml.Mark());
    HODO_CHECK(depth < deepest_nesting, "{}: nested deeper than {} levels (not a configuration)",
               node->place, deepest_nesting);
    // Aliases can make a small text expand without end.
    HODO_CHECK(--budget > 0, "{}: more than 1,000,000 values (not a configuration)", node->place);
    if (yaml.IsScalar()) {
        node->kind = Node::Kind::scalar;
        node->scalar = yaml.Scalar();
    } else if (yaml.IsSequence()) {
        node->kind = Node::Kind::list;
        for (const auto& item : yaml)
            node->items.push_back(convert(item, origin, depth + 1, budget));
    } else if (yaml.IsMap()) {
        node->kind = Node::Kind::mapping;
        for (const auto& member : yaml) {
            const auto place = place_of(origin, member.first.Mark());
            HODO_CHECK(member.first.IsScalar(), "{}: a key must be a single word", place);
            const auto& key = member.first.Scalar();
            HODO_CHECK(!node->find(key), "{}: key '{}' appears twice; remove one of them", place,
                       key);
            auto value = convert(member.second, origin, depth + 1, budget);
            value->place = place;
            node->members.emplace_back(key, value);
        }
    }
    return node;
}

NodePtr parse_node(std::string_view text, const std::string& origin) {
    try {
        int budget = 1'000'000;
        return convert(YAML::Load(std::string(text)), origin, 0, budget);
    } catch (const YAML::Exception& error) {
        fail("{}: not valid YAML ({}); check indentation, colons and brackets there",
             place_of(origin, error.mark), error.msg);
    }
}

}  // namespace

std::string_view kind_name(const Config::Node& node) {
    switch (node.kind) {
        case Config::Node::Kind::null:
            return "nothing";
        case Config::Node::Kind::scalar:
            return "a single value";
        case Config::Node::Kind::list:
            return "a list";
        case Config::Node::Kind::mapping:
            return "a group of keys";
    }
    return "";
}

Config::Config(std::string_view origin) : node_(std::make_shared<Node>()) {
    node_->kind = Node::Kind::mapping;
    node_->origin = node_->place = std::string(origin);
}

Config Config::parse(std::string_view text, std::string_view origin) {
    Config config(origin);
    auto node = parse_node(text, std::string(origin));
    if (node->kind == Node::Kind::null) return config;
    HODO_CHECK(node->kind == Node::Kind::mapping,
               "{}: a configuration is a list of 'key: value' lines, but {} is given", node->place,
               kind_name(*node));
    config.node_ = node;
    return config;
}

Config Config::read(const Path& file) {
    std::error_code problem;
    HODO_CHECK(std::filesystem::is_regular_file(file, problem),
               "{}: no such configuration file; check the path", file);
    HODO_CHECK(std::filesystem::file_size(file, problem) <= largest_file,
               "{}: larger than {}, which no configuration is; check the path", file,
               human_bytes(static_cast<double>(largest_file)));
    std::ifstream stream(file, std::ios::binary);
    HODO_CHECK(stream.good(), "{}: cannot be read; check its permissions", file);
    std::ostringstream content;
    content << stream.rdbuf();
    return parse(content.str(), file.string());
}

bool Config::has(std::string_view key) const {
    return node_->find(key) != nullptr;
}

std::vector<std::string> Config::keys() const {
    std::vector<std::string> all;
    for (const auto& member : node_->members) all.push_back(member.first);
    return all;
}

Config Config::section(std::string_view key) const {
    Config config(node_->origin);
    const auto node = node_->find(key);
    if (!node || node->kind == Node::Kind::null) return config;
    HODO_CHECK(node->kind == Node::Kind::mapping,
               "{}: '{}' is a group of keys but {} is given; write its keys indented below it",
               node->place, key, kind_name(*node));
    config.node_ = node;
    return config;
}

std::string Config::text(std::string_view key) const {
    const auto node = node_->find(key);
    HODO_CHECK(node != nullptr, "{}: key '{}' is missing", node_->place, key);
    HODO_CHECK(node->kind == Node::Kind::scalar, "{}: '{}' must be a single value, but {} is given",
               node->place, key, kind_name(*node));
    return node->scalar;
}

void Config::set(std::string_view dotted_key, std::string_view value, std::string_view given_as) {
    const auto origin =
        given_as.empty() ? base::format("--set {}={}", dotted_key, value) : std::string(given_as);
    auto node = node_;
    const auto parts = split(dotted_key, '.');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        HODO_CHECK(!parts[i].empty(), "{}: the key has an empty part; write it as a.b=c", origin);
        const bool is_last = i + 1 == parts.size();
        auto child = is_last ? parse_node(value, origin) : node->find(parts[i]);
        if (!child || (!is_last && child->kind == Node::Kind::null)) {
            child = std::make_shared<Node>();
            child->kind = Node::Kind::mapping;
        }
        HODO_CHECK(is_last || child->kind == Node::Kind::mapping, "{}: '{}' is not a group of keys",
                   origin, parts[i]);
        if (is_last || child->place.empty()) child->place = child->origin = origin;
        bool replaced = false;
        for (auto& member : node->members) {
            if (member.first == parts[i]) member.second = child, replaced = true;
        }
        if (!replaced) node->members.emplace_back(parts[i], child);
        node = child;
    }
}

std::string Config::where(std::string_view key) const {
    const auto node = key.empty() ? node_ : node_->find(key);
    return node ? node->place : node_->origin;
}

const std::string& Config::origin() const {
    return node_->origin;
}

}  // namespace hodo::base
