/// Fills described options from a parsed mapping: the reading half of base::Config.

#include "hodo/base/config.hh"
#include "hodo/base/detail/config_node.hh"
#include "hodo/base/error.hh"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace hodo::base {

namespace {

using Node = Config::Node;

/// Reads described options out of a mapping.
class FieldReader final : public Fields {
  public:
    explicit FieldReader(std::shared_ptr<Node> root) {
        levels_.push_back({std::move(root), "", {}});
    }

    void limit(Bound bound, double value) override {
        for (const double x : last_numbers_) check_limit(bound, value, x);
        record_.limit(bound, value);
    }
    void finish() { reject_unknown(levels_.back()); }
    const std::vector<FieldEntry>& resolved() const { return record_.entries(); }

  protected:
    void visit(std::string_view key, Slot slot, std::string_view help) override {
        auto& level = levels_.back();
        level.known.push_back(std::string(key));
        last_key_ = level.prefix + std::string(key);
        last_numbers_.clear();
        const auto node = level.node ? level.node->find(key) : nullptr;
        if (node) {
            last_place_ = node->place;
            std::visit([&](auto* value) { read(*node, *value); }, slot);
        }
        record_.visit(key, slot, help);
    }
    void begin_group(std::string_view key, std::string_view help) override {
        record_.begin_group(key, help);
        auto& level = levels_.back();
        level.known.push_back(std::string(key));
        auto node = level.node ? level.node->find(key) : nullptr;
        HODO_CHECK(
            !node || node->kind == Node::Kind::mapping || node->kind == Node::Kind::null,
            "{}: '{}{}' is a group of keys but {} is given; write its keys indented below it",
            node ? node->place : "", level.prefix, key, node ? kind_name(*node) : "");
        levels_.push_back({node, level.prefix + std::string(key) + ".", {}});
    }
    void end_group() override {
        record_.end_group();
        reject_unknown(levels_.back());
        levels_.pop_back();
    }
    void broken_rule(std::string_view sentence) override {
        const auto& node = levels_.front().node;
        fail("{}: {}", node ? node->origin : "options", sentence);
    }

  private:
    struct Level {
        std::shared_ptr<Node> node;
        std::string prefix;
        std::vector<std::string> known;
    };

    void reject_unknown(const Level& level) {
        if (!level.node) return;
        for (const auto& [key, value] : level.node->members) {
            if (std::find(level.known.begin(), level.known.end(), key) != level.known.end())
                continue;
            auto hint = did_you_mean(key, level.known);
            if (hint.empty()) hint = "; known here: " + join(level.known, ", ");
            fail("{}: unknown key '{}{}'{}", value->place, level.prefix, key, hint);
        }
    }

    void check_limit(Bound bound, double limit, double x) const {
        const char* sign = "";
        bool holds = true;
        switch (bound) {
            case Bound::above:
                holds = x > limit, sign = "greater than";
                break;
            case Bound::at_least:
                holds = x >= limit, sign = "at least";
                break;
            case Bound::below:
                holds = x < limit, sign = "less than";
                break;
            case Bound::at_most:
                holds = x <= limit, sign = "at most";
                break;
        }
        HODO_CHECK(holds, "{}: '{}' is {} but must be {} {}", last_place_, last_key_, x, sign,
                   limit);
    }

    [[noreturn]] void wrong(const Node& node, std::string_view wanted) const {
        if (node.kind == Node::Kind::scalar) {
            fail("{}: '{}' is '{}' but must be {}", node.place, last_key_, node.scalar, wanted);
        }
        fail("{}: '{}' must be {}, but {} is given", node.place, last_key_, wanted,
             kind_name(node));
    }

    double real(const Node& node) const {
        if (node.kind == Node::Kind::scalar) {
            if (node.scalar == ".inf") return std::numeric_limits<double>::infinity();
            if (node.scalar == "-.inf") return -std::numeric_limits<double>::infinity();
            const auto value = parse_double(node.scalar);
            if (value && !std::isnan(*value)) return *value;
        }
        wrong(node, "a number");
    }
    std::int64_t whole(const Node& node) const {
        if (node.kind == Node::Kind::scalar) {
            if (const auto value = parse_int(node.scalar)) return *value;
            // "1e6" and "25.0" are whole numbers too.
            const auto value = parse_double(node.scalar);
            if (value && *value == std::floor(*value) && std::abs(*value) < 9e15) {
                return static_cast<std::int64_t>(*value);
            }
        }
        wrong(node, "a whole number");
    }
    std::string words(const Node& node) const {
        if (node.kind == Node::Kind::null) return {};
        if (node.kind != Node::Kind::scalar) wrong(node, "a text");
        return node.scalar;
    }

    void read(const Node& node, bool& value) {
        static const std::set<std::string> yes{"true", "True", "TRUE", "yes", "Yes", "on", "On"};
        static const std::set<std::string> no{"false", "False", "FALSE", "no", "No", "off", "Off"};
        if (node.kind != Node::Kind::scalar) wrong(node, "true or false");
        if (!yes.contains(node.scalar) && !no.contains(node.scalar)) wrong(node, "true or false");
        value = yes.contains(node.scalar);
    }
    void read(const Node& node, int& value) {
        const auto number = whole(node);
        if (number != static_cast<int>(number)) wrong(node, "a whole number of at most 31 bits");
        value = static_cast<int>(number);
        last_numbers_ = {static_cast<double>(value)};
    }
    void read(const Node& node, std::int64_t& value) {
        value = whole(node);
        last_numbers_ = {static_cast<double>(value)};
    }
    void read(const Node& node, std::uint64_t& value) {
        const auto number = whole(node);
        if (number < 0) wrong(node, "a whole number, zero or more");
        value = static_cast<std::uint64_t>(number);
        last_numbers_ = {static_cast<double>(value)};
    }
    void read(const Node& node, double& value) {
        value = real(node);
        last_numbers_ = {value};
    }
    void read(const Node& node, std::string& value) { value = words(node); }
    void read(const Node& node, Choice& value) {
        const auto word = words(node);
        const auto found = std::find(value.names.begin(), value.names.end(), word);
        if (found == value.names.end()) {
            const std::vector<std::string> all(value.names.begin(), value.names.end());
            fail("{}: '{}' is '{}' but must be one of {}{}", node.place, last_key_, word,
                 join(all, ", "), did_you_mean(word, all));
        }
        value.index = static_cast<int>(found - value.names.begin());
    }

    /// The elements of a list; a single value counts as a list of one.
    template <class T, class Convert>
    void read_list(const Node& node, std::vector<T>& values, Convert convert_item) {
        values.clear();
        if (node.kind == Node::Kind::null) return;
        if (node.kind == Node::Kind::mapping) wrong(node, "a list like [a, b]");
        if (node.kind == Node::Kind::scalar) {
            if (!node.scalar.empty()) values.push_back(convert_item(node));
            return;
        }
        for (const auto& item : node.items) values.push_back(convert_item(*item));
    }
    void read(const Node& node, std::vector<std::int64_t>& values) {
        read_list(node, values, [this](const Node& item) { return whole(item); });
        last_numbers_.assign(values.begin(), values.end());
    }
    void read(const Node& node, std::vector<double>& values) {
        read_list(node, values, [this](const Node& item) { return real(item); });
        last_numbers_ = values;
    }
    void read(const Node& node, std::vector<std::string>& values) {
        read_list(node, values, [this](const Node& item) { return words(item); });
    }
    /// One list of numbers counts as a list of one list; an empty place is an empty list.
    void read(const Node& node, std::vector<std::vector<std::int64_t>>& values) {
        const auto& items = node.items;
        const bool is_flat = !items.empty() && std::all_of(items.begin(), items.end(), [](auto& x) {
            return x->kind == Node::Kind::scalar;
        });
        if (is_flat) {
            values.resize(1);
            return read_list(node, values.front(), [this](const Node& x) { return whole(x); });
        }
        if (!node.scalar.empty()) wrong(node, list_of_lists);
        read_list(node, values, [this](const Node& item) {
            if (item.kind != Node::Kind::list && item.kind != Node::Kind::null) {
                wrong(item, list_of_lists);
            }
            std::vector<std::int64_t> inner;
            read_list(item, inner, [this](const Node& x) { return whole(x); });
            return inner;
        });
    }

    static constexpr std::string_view list_of_lists = "a list of lists like [[1, 4], [2, 8]]";
    FieldList record_;
    std::vector<Level> levels_;
    std::string last_key_, last_place_;
    std::vector<double> last_numbers_;
};

}  // namespace

std::unique_ptr<Fields> Config::make_reader() const {
    return std::make_unique<FieldReader>(node_);
}

void Config::finish(Fields& reader) const {
    static_cast<FieldReader&>(reader).finish();
}

std::vector<FieldEntry> Config::resolve(void (*describe)(Fields&)) const {
    FieldReader reader(node_);
    describe(reader);
    reader.finish();
    return reader.resolved();
}

}  // namespace hodo::base
