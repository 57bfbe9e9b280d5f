#include "hodo/io/pickle.hh"

#include "hodo/io/detail/pickle_graph.hh"

namespace hodo::io {

namespace {

[[noreturn]] void wrong_kind(const PickleGraph& graph, std::string_view wanted,
                             const PickleValue& found) {
    base::fail("{}: expected {} but found {}; the file is not one that this program reads",
               graph.origin, wanted, found.description());
}

bool is_sequence(PickleKind kind) {
    return kind == PickleKind::tuple || kind == PickleKind::list || kind == PickleKind::set;
}

}  // namespace

std::string_view name(PickleKind kind) {
    constexpr std::string_view words[] = {"nothing",  "a bool",       "an integer", "a big integer",
                                          "a number", "text",         "bytes",      "a tuple",
                                          "a list",   "a dictionary", "a set",      "a storage",
                                          "a tensor", "a symbol",     "an object"};
    return words[static_cast<std::size_t>(kind)];
}

PickleKind PickleValue::kind() const {
    return (*graph_)[node_].kind;
}

bool PickleValue::is_number() const {
    return is(PickleKind::integer) || is(PickleKind::real) || is(PickleKind::boolean);
}

bool PickleValue::boolean() const {
    if (!is(PickleKind::boolean)) wrong_kind(*graph_, "a bool", *this);
    return (*graph_)[node_].integer != 0;
}

std::int64_t PickleValue::integer() const {
    if (!is(PickleKind::integer) && !is(PickleKind::boolean)) {
        wrong_kind(*graph_, "an integer of at most 64 bits", *this);
    }
    return (*graph_)[node_].integer;
}

double PickleValue::real() const {
    if (is(PickleKind::real)) return (*graph_)[node_].real;
    if (!is_number()) wrong_kind(*graph_, "a number", *this);
    return static_cast<double>((*graph_)[node_].integer);
}

std::string_view PickleValue::text() const {
    const auto& node = (*graph_)[node_];
    if (node.kind == PickleKind::object) {
        const auto& callable = (*graph_)[node.callable];
        return callable.kind == PickleKind::symbol ? callable.text : "something without a name";
    }
    if (node.text.data() == nullptr && node.kind != PickleKind::text &&
        node.kind != PickleKind::bytes) {
        wrong_kind(*graph_, "text", *this);
    }
    return node.text;
}

std::size_t PickleValue::size() const {
    const auto& node = (*graph_)[node_];
    if (node.kind == PickleKind::dict) return node.items.size() / 2;
    if (!is_sequence(node.kind)) wrong_kind(*graph_, "a list", *this);
    return node.items.size();
}

PickleValue PickleValue::item(std::size_t index) const {
    if (!is_sequence(kind()) || index >= size()) {
        wrong_kind(*graph_, base::format("a list of more than {}", index), *this);
    }
    return graph_->value((*graph_)[node_].items[index]);
}

PickleValue PickleValue::key(std::size_t index) const {
    if (!is(PickleKind::dict) || index >= size()) wrong_kind(*graph_, "a dictionary", *this);
    return graph_->value((*graph_)[node_].items[2 * index]);
}

PickleValue PickleValue::value(std::size_t index) const {
    if (!is(PickleKind::dict) || index >= size()) wrong_kind(*graph_, "a dictionary", *this);
    return graph_->value((*graph_)[node_].items[2 * index + 1]);
}

std::optional<PickleValue> PickleValue::find(std::string_view wanted) const {
    if (!is(PickleKind::dict)) return {};
    for (std::size_t i = size(); i-- > 0;) {  // a later pair replaces an earlier one
        const auto candidate = key(i);
        if (candidate.is(PickleKind::text) && candidate.text() == wanted) return value(i);
    }
    return {};
}

const PickleTensor& PickleValue::tensor() const {
    if (!is(PickleKind::tensor)) wrong_kind(*graph_, "a tensor", *this);
    return graph_->tensors[static_cast<std::size_t>((*graph_)[node_].integer)];
}

PickleValue PickleValue::arguments() const {
    if (!is(PickleKind::object)) wrong_kind(*graph_, "an object", *this);
    return graph_->value((*graph_)[node_].arguments);
}

std::optional<PickleValue> PickleValue::state() const {
    const auto state = (*graph_)[node_].state;
    if (state == no_node) return {};
    return graph_->value(state);
}

std::string PickleValue::description() const {
    const auto& node = (*graph_)[node_];
    switch (node.kind) {
        case PickleKind::tuple:
        case PickleKind::list:
        case PickleKind::dict:
        case PickleKind::set:
            return base::format("{} of {}", name(node.kind), size());
        case PickleKind::integer:
            return base::format("the integer {}", node.integer);
        case PickleKind::big_integer:
            return base::format("the integer {}", node.text);
        case PickleKind::text:
            return base::format("the text '{}'", node.text.substr(0, 60));
        case PickleKind::symbol:
            return base::format("the symbol '{}'", node.text);
        case PickleKind::object:
            return base::format("an object of '{}'", text());
        default:
            return std::string(name(node.kind));
    }
}

PickleValue Pickle::root() const {
    return graph_->value(graph_->root);
}

const PickleStorage* Pickle::storage(std::string_view key) const {
    const auto found = graph_->storage_index.find(key);
    return found == graph_->storage_index.end() ? nullptr : &graph_->storages[found->second];
}

std::size_t Pickle::length() const {
    return graph_->position;
}

}  // namespace hodo::io
