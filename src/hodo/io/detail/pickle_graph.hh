#pragma once
/// The nodes behind `Pickle`: private to its sources.

#include "hodo/base/error.hh"
#include "hodo/io/pickle.hh"

#include <deque>
#include <map>

namespace hodo::io {

using NodeId = std::uint32_t;
constexpr NodeId no_node = 0xFFFFFFFF;

struct PickleNode {
    PickleKind kind = PickleKind::none;
    std::uint32_t depth = 0;  ///< levels of members below, as far as known when it was made
    union {
        std::int64_t integer = 0;
        double real;
    };
    std::string_view text;      ///< text, bytes, digits, symbol
    std::vector<NodeId> items;  ///< members; keys and values in turn for a dict or an object
    NodeId callable = no_node;  ///< of an object
    NodeId arguments = no_node;
    NodeId state = no_node;  ///< what BUILD gave
};

struct PickleGraph {
    static constexpr std::uint32_t deepest = 1000;
    static constexpr std::size_t most_nodes = 10'000'000;

    Blob content;
    std::string origin;
    std::size_t position = 0;
    std::vector<PickleNode> nodes;
    std::deque<std::string> texts;        ///< texts that the pickle does not hold literally
    std::vector<PickleStorage> storages;  ///< `integer` of a storage node points here
    std::map<std::string, std::size_t, std::less<>> storage_index;  ///< the first of each key
    std::vector<PickleTensor> tensors;  ///< `integer` of a tensor node points here
    std::uint64_t copied = 0;           ///< bytes that calls copied, see `spend`
    NodeId root = no_node;

    const PickleNode& operator[](NodeId id) const { return nodes[id]; }
    PickleNode& operator[](NodeId id) { return nodes[id]; }
    PickleValue value(NodeId id) const { return {this, id}; }

    /// Ends the reading with a message that names the file and the place.
    template <class... Values>
    [[noreturn]] void damaged(std::string_view pattern, const Values&... values) const {
        base::fail(
            "{}: byte {} of the pickle: {}; the file is damaged or not one that this "
            "program reads",
            origin, position, base::format(pattern, values...));
    }

    NodeId add(PickleNode node) {
        if (nodes.size() >= most_nodes) damaged("more than {} values", most_nodes);
        nodes.push_back(std::move(node));
        return static_cast<NodeId>(nodes.size() - 1);
    }
    NodeId add(PickleKind kind) {
        PickleNode node;
        node.kind = kind;
        return add(std::move(node));
    }
    NodeId add_text(PickleKind kind, std::string_view text) {
        PickleNode node;
        node.kind = kind;
        node.text = text;
        return add(std::move(node));
    }
    NodeId add_integer(std::int64_t value) {
        PickleNode node;
        node.kind = PickleKind::integer;
        node.integer = value;
        return add(std::move(node));
    }
    NodeId add_real(double value) {
        PickleNode node;
        node.kind = PickleKind::real;
        node.real = value;
        return add(std::move(node));
    }
    /// Makes `member` a member of `parent`, at whose depth the nesting is counted.
    void attach(NodeId parent, NodeId member) {
        nodes[parent].items.push_back(member);
        deepen(parent, member);
    }
    void deepen(NodeId parent, NodeId member) {
        const auto depth = nodes[member].depth + 1;
        if (depth > nodes[parent].depth) nodes[parent].depth = depth;
        if (depth > deepest) damaged("values nested deeper than {} levels", deepest);
    }
    std::string_view keep(std::string text) {
        spend(text.size());
        return texts.emplace_back(std::move(text));
    }
    /// Counts `bytes` that a call copies: a small pickle that copies one large value again and
    /// again must not fill the memory.
    void spend(std::uint64_t bytes) {
        copied += bytes;
        if (copied > 64 * content.bytes.size() + 65536) damaged("it copies values too often");
    }
};

/// The node for a call of `callable` with the tuple `arguments`: what it means, or an opaque
/// object.
NodeId interpret_call(PickleGraph& graph, NodeId callable, NodeId arguments);
/// Gives `object` its state: what it means, or kept beside it. Returns the node to be used.
NodeId interpret_state(PickleGraph& graph, NodeId object, NodeId state);
/// The node for a persistent id: a storage, or an error.
NodeId interpret_persistent(PickleGraph& graph, NodeId id);

}  // namespace hodo::io
