#include "hodo/io/detail/pickle_numpy.hh"

#include <algorithm>
#include <cstring>

namespace hodo::io {

namespace {

/// A numpy type: kind letter ('f', 'i', 'u', 'b', 'S'), bytes, byte order.
struct NumpyType {
    char kind = 0;
    std::size_t size = 0;
    bool is_big = false;
};

std::optional<NumpyType> numpy_type(const PickleGraph& graph, NodeId id) {
    const auto& node = graph[id];
    if (node.kind != PickleKind::object || graph[node.callable].text != "numpy dtype") return {};
    const auto& arguments = graph[node.arguments].items;
    if (arguments.empty()) return {};
    const auto code = graph[arguments[0]].text;
    const auto size = code.empty() ? std::nullopt : base::parse_int(code.substr(1));
    if (!size || *size < 1 || *size > 1'000'000) return {};
    NumpyType type{code[0], static_cast<std::size_t>(*size), false};
    const bool is_known = code == "f2" || code == "f4" || code == "f8" || code == "b1" ||
                          type.kind == 'S' ||
                          ((type.kind == 'i' || type.kind == 'u') &&
                           (type.size == 1 || type.size == 2 || type.size == 4 || type.size == 8));
    if (!is_known) return {};
    if (node.state != no_node && graph[node.state].items.size() > 1) {
        type.is_big = graph[graph[node.state].items[1]].text == ">";
    }
    return type;
}

template <class Number>
Number as_number(const std::byte* bytes) {
    Number value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

double half_value(const std::byte* bytes) {
    const Array array{DType::f16, {}, {bytes, 2}, nullptr};
    return array.doubles().front();
}

std::int64_t integer_value(const NumpyType& type, const std::byte* bytes) {
    const bool is_signed = type.kind == 'i';
    switch (is_signed ? type.size : type.size + 8) {
        case 1:
            return as_number<std::int8_t>(bytes);
        case 2:
            return as_number<std::int16_t>(bytes);
        case 4:
            return as_number<std::int32_t>(bytes);
        case 8 + 1:
            return as_number<std::uint8_t>(bytes);
        case 8 + 2:
            return as_number<std::uint16_t>(bytes);
        case 8 + 4:
            return as_number<std::uint32_t>(bytes);
        default:
            return as_number<std::int64_t>(bytes);
    }
}

/// The node of one element.
NodeId add_element(PickleGraph& graph, const NumpyType& type, std::string_view content) {
    if (type.kind == 'S') {
        return graph.add_text(PickleKind::text, content.substr(0, content.find('\0')));
    }
    std::byte bytes[8];
    std::memcpy(bytes, content.data(), type.size);
    if (type.is_big) std::reverse(bytes, bytes + type.size);
    if (type.kind == 'f') {
        return graph.add_real(type.size == 8   ? as_number<double>(bytes)
                              : type.size == 4 ? static_cast<double>(as_number<float>(bytes))
                                               : half_value(bytes));
    }
    if (type.kind == 'b') {
        const auto id = graph.add_integer(bytes[0] != std::byte{0});
        graph[id].kind = PickleKind::boolean;
        return id;
    }
    const auto value = integer_value(type, bytes);
    if (type.kind == 'u' && value < 0) {
        const auto digits = std::to_string(static_cast<std::uint64_t>(value));
        return graph.add_text(PickleKind::big_integer, graph.keep(digits));
    }
    return graph.add_integer(value);
}

/// Nested lists of the elements in `content`, which holds exactly the array of `shape`.
NodeId add_list(PickleGraph& graph, const NumpyType& type, std::span<const std::size_t> shape,
                std::string_view content) {
    if (shape.empty()) return add_element(graph, type, content);
    const auto list = graph.add(PickleKind::list);
    const auto step = content.size() / shape[0];
    for (std::size_t i = 0; i < shape[0]; ++i) {
        graph.attach(list, add_list(graph, type, shape.subspan(1), content.substr(i * step, step)));
    }
    return list;
}

/// The sizes in a tuple if they make up `count` elements, at least one.
std::optional<std::vector<std::size_t>> array_shape(const PickleGraph& graph, NodeId id,
                                                    std::size_t count) {
    std::vector<std::size_t> shape;
    std::size_t elements = 1;
    for (const auto item : graph[id].items) {
        const auto size = graph[item].kind == PickleKind::integer ? graph[item].integer : 0;
        if (size < 1 || static_cast<std::size_t>(size) > count || shape.size() >= 32) return {};
        shape.push_back(static_cast<std::size_t>(size));
        elements *= shape.back();
        if (elements > count) return {};
    }
    if (elements != count) return {};
    return shape;
}

/// Nested lists of an array's elements; `no_node` for types without plain values.
NodeId add_array(PickleGraph& graph, NodeId dtype, NodeId sizes, NodeId buffer) {
    const auto type = numpy_type(graph, dtype);
    const auto content = graph[buffer].text;
    const bool is_plain = type && graph[buffer].kind == PickleKind::bytes && !content.empty() &&
                          content.size() % type->size == 0;
    if (!is_plain) return no_node;
    graph.spend(content.size());
    const auto shape = array_shape(graph, sizes, content.size() / type->size);
    return shape ? add_list(graph, *type, *shape, content) : no_node;
}

}  // namespace

NodeId make_numpy_scalar(PickleGraph& graph, const std::vector<NodeId>& arguments) {
    if (arguments.size() != 2 || graph[arguments[1]].kind != PickleKind::bytes) return no_node;
    const auto type = numpy_type(graph, arguments[0]);
    const auto content = graph[arguments[1]].text;
    if (!type || content.size() != type->size) return no_node;
    return add_element(graph, *type, content);
}

bool is_numpy_array(const PickleGraph& graph, NodeId object) {
    const auto& node = graph[object];
    if (node.kind != PickleKind::object) return false;
    const auto symbol = graph[node.callable].text;
    return symbol == "numpy.core.multiarray _reconstruct" ||
           symbol == "numpy._core.multiarray _reconstruct";
}

NodeId make_numpy_array(PickleGraph& graph, NodeId object) {
    // The state is (version, shape, dtype, is Fortran order, bytes).
    const auto state = graph[object].state;
    if (graph[state].kind != PickleKind::tuple || graph[state].items.size() != 5) return object;
    const auto items = graph[state].items;
    const bool is_row_major = graph[items[3]].integer == 0 || graph[items[1]].items.size() < 2;
    const auto list = is_row_major ? add_array(graph, items[2], items[1], items[4]) : no_node;
    return list == no_node ? object : list;
}

NodeId make_numpy_buffer(PickleGraph& graph, const std::vector<NodeId>& arguments) {
    if (arguments.size() != 4 || graph[arguments[3]].text != "C") return no_node;
    return add_array(graph, arguments[1], arguments[2], arguments[0]);
}

}  // namespace hodo::io
