#include <algorithm>
#include <array>

#include "hodo/io/detail/pickle_graph.hh"
#include "hodo/io/detail/pickle_numpy.hh"

namespace hodo::io {

namespace {

constexpr std::size_t most_arguments = 64;
constexpr std::size_t most_dimensions = 64;
constexpr std::size_t longest_key = 1000;

using Arguments = std::vector<NodeId>;

bool is_kind(const PickleGraph& graph, NodeId id, PickleKind kind) {
    return graph[id].kind == kind;
}

/// A new container of `kind` with the members of `source`.
NodeId copy_as(PickleGraph& graph, PickleKind kind, NodeId source) {
    graph.spend(graph[source].items.size() * sizeof(NodeId));
    auto copy = graph[source];
    copy.kind = kind;
    return graph.add(std::move(copy));
}

/// A dictionary from nothing, another dictionary, or a list of pairs.
NodeId make_dict(PickleGraph& graph, const Arguments& arguments) {
    if (arguments.empty()) return graph.add(PickleKind::dict);
    const auto source = arguments[0];
    if (is_kind(graph, source, PickleKind::dict)) return copy_as(graph, PickleKind::dict, source);
    if (!is_kind(graph, source, PickleKind::list)) return no_node;
    const auto dict = graph.add(PickleKind::dict);
    graph.spend(2 * graph[source].items.size() * sizeof(NodeId));
    for (std::size_t i = 0; i < graph[source].items.size(); ++i) {
        const auto pair = graph[source].items[i];
        if (graph[pair].items.size() != 2) return no_node;
        graph.attach(dict, graph[pair].items[0]);
        graph.attach(dict, graph[pair].items[1]);
    }
    return dict;
}

NodeId make_default_dict(PickleGraph& graph, const Arguments& arguments) {
    return make_dict(graph, arguments.size() > 1 ? Arguments{arguments[1]} : Arguments{});
}

/// A dictionary that takes its members from the state that follows.
NodeId make_namespace(PickleGraph& graph, const Arguments& arguments) {
    if (!arguments.empty()) return no_node;
    const auto dict = graph.add(PickleKind::dict);
    graph[dict].callable = dict;
    return dict;
}

NodeId make_set(PickleGraph& graph, const Arguments& arguments) {
    if (arguments.empty()) return graph.add(PickleKind::set);
    const auto kind = graph[arguments[0]].kind;
    const bool has_members =
        kind == PickleKind::list || kind == PickleKind::tuple || kind == PickleKind::set;
    return has_members ? copy_as(graph, PickleKind::set, arguments[0]) : no_node;
}

/// The pair (real part, imaginary part).
NodeId make_complex(PickleGraph& graph, const Arguments& arguments) {
    if (arguments.size() != 2) return no_node;
    const auto pair = graph.add(PickleKind::tuple);
    for (const auto part : arguments) graph.attach(pair, part);
    return pair;
}

NodeId make_size(PickleGraph& graph, const Arguments& arguments) {
    if (arguments.size() != 1) return no_node;
    const auto kind = graph[arguments[0]].kind;
    if (kind != PickleKind::tuple && kind != PickleKind::list) return no_node;
    return copy_as(graph, PickleKind::tuple, arguments[0]);
}

/// "cpu" or "cuda:0".
NodeId make_device(PickleGraph& graph, const Arguments& arguments) {
    if (arguments.empty() || !is_kind(graph, arguments[0], PickleKind::text)) return no_node;
    std::string device(graph[arguments[0]].text);
    if (arguments.size() > 1 && is_kind(graph, arguments[1], PickleKind::integer)) {
        device += ':' + std::to_string(graph[arguments[1]].integer);
    }
    return graph.add_text(PickleKind::text, graph.keep(std::move(device)));
}

NodeId make_path(PickleGraph& graph, const Arguments& arguments) {
    std::string path;
    for (const auto part : arguments) {
        if (!is_kind(graph, part, PickleKind::text)) return no_node;
        if (!path.empty() && path != "/") path += '/';
        path += graph[part].text;
    }
    return graph.add_text(PickleKind::text, graph.keep(std::move(path)));
}

/// Text whose code points below 256 stand for bytes, as Python 3 writes bytes in protocol 2.
NodeId make_encoded(PickleGraph& graph, const Arguments& arguments) {
    if (arguments.size() != 2 || !is_kind(graph, arguments[0], PickleKind::text)) return no_node;
    const auto coding = graph[arguments[1]].text;
    if (coding != "latin1" && coding != "latin-1") return no_node;
    const auto text = graph[arguments[0]].text;
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0x80) {
            bytes += text[i];
        } else if ((lead == 0xC2 || lead == 0xC3) && i + 1 < text.size()) {
            const auto next = static_cast<unsigned char>(text[++i]);
            bytes += static_cast<char>(((lead & 3) << 6) | (next & 0x3F));
        } else {
            graph.damaged("text that is no latin-1");
        }
    }
    return graph.add_text(PickleKind::bytes, graph.keep(std::move(bytes)));
}

/// An instance of the class that the first argument names.
NodeId make_instance(PickleGraph& graph, const Arguments& arguments) {
    if (arguments.empty() || !is_kind(graph, arguments[0], PickleKind::symbol)) return no_node;
    return interpret_call(graph, arguments[0], graph.add(PickleKind::tuple));
}

// ---- tensors ---------------------------------------------------------------------------------

std::optional<DType> storage_type(std::string_view symbol) {
    constexpr std::array<std::pair<std::string_view, DType>, 14> types{
        {{"DoubleStorage", DType::f64},
         {"FloatStorage", DType::f32},
         {"HalfStorage", DType::f16},
         {"BFloat16Storage", DType::bf16},
         {"LongStorage", DType::i64},
         {"IntStorage", DType::i32},
         {"ShortStorage", DType::i16},
         {"CharStorage", DType::i8},
         {"ByteStorage", DType::u8},
         {"UntypedStorage", DType::u8},
         {"_UntypedStorage", DType::u8},
         {"BoolStorage", DType::boolean},
         {"ComplexFloatStorage", DType::c64},
         {"ComplexDoubleStorage", DType::c128}}};
    const auto word = symbol.substr(symbol.rfind(' ') + 1);
    for (const auto& [known, type] : types) {
        if (known == word) return type;
    }
    return {};
}

std::optional<DType> torch_dtype(std::string_view symbol) {
    constexpr std::array types{DType::f64, DType::f32, DType::f16, DType::bf16,    DType::i64,
                               DType::i32, DType::i16, DType::i8,  DType::u64,     DType::u32,
                               DType::u16, DType::u8,  DType::c64, DType::boolean, DType::c128};
    if (!symbol.starts_with("torch ")) return {};
    for (const auto type : types) {
        if (name(type) == symbol.substr(6)) return type;
    }
    return {};
}

std::uint64_t count_of(const PickleGraph& graph, NodeId id, std::string_view what) {
    if (!is_kind(graph, id, PickleKind::integer) || graph[id].integer < 0) {
        graph.damaged("the {} of a tensor is {}", what, graph.value(id).description());
    }
    return static_cast<std::uint64_t>(graph[id].integer);
}

std::vector<std::int64_t> counts_of(const PickleGraph& graph, NodeId id, std::string_view what) {
    if (!is_kind(graph, id, PickleKind::tuple) || graph[id].items.size() > most_dimensions) {
        graph.damaged("the {} of a tensor is {}", what, graph.value(id).description());
    }
    std::vector<std::int64_t> counts;
    for (const auto item : graph[id].items) {
        counts.push_back(static_cast<std::int64_t>(count_of(graph, item, what)));
    }
    return counts;
}

/// Refuses a view that leaves its storage.
void require_inside(const PickleGraph& graph, const PickleTensor& tensor) {
    __extension__ using Wide = unsigned __int128;
    if (tensor.shape.size() != tensor.strides.size()) {
        graph.damaged("a tensor with {} dimensions has {} strides", tensor.shape.size(),
                      tensor.strides.size());
    }
    Wide elements = 1, last = tensor.offset;
    constexpr Wide most = std::uint64_t{1} << 60;
    bool is_inside = true;
    for (std::size_t i = 0; i < tensor.shape.size() && elements > 0; ++i) {
        const auto size = static_cast<Wide>(tensor.shape[i]);
        elements *= size;
        if (size > 0) last += (size - 1) * static_cast<Wide>(tensor.strides[i]);
        is_inside = is_inside && elements <= most && last <= most;
        if (!is_inside) break;
    }
    if (is_inside && elements == 0) return;
    if (!is_inside || last >= tensor.storage.count) {
        graph.damaged("a tensor reaches beyond the {} elements of its storage '{}'",
                      tensor.storage.count, tensor.storage.key);
    }
}

NodeId add_tensor(PickleGraph& graph, PickleTensor tensor) {
    require_inside(graph, tensor);
    graph.spend(sizeof(PickleTensor) / 8);
    graph.tensors.push_back(std::move(tensor));
    const auto id = graph.add(PickleKind::tensor);
    graph[id].integer = static_cast<std::int64_t>(graph.tensors.size()) - 1;
    return id;
}

/// (storage, offset, sizes, strides, ...)
PickleTensor tensor_of(const PickleGraph& graph, const Arguments& arguments) {
    if (arguments.size() < 4 || !is_kind(graph, arguments[0], PickleKind::storage)) {
        graph.damaged("a tensor without storage, offset, sizes and strides");
    }
    PickleTensor tensor;
    tensor.storage = graph.storages[static_cast<std::size_t>(graph[arguments[0]].integer)];
    tensor.offset = count_of(graph, arguments[1], "offset");
    tensor.shape = counts_of(graph, arguments[2], "shape");
    tensor.strides = counts_of(graph, arguments[3], "stride");
    return tensor;
}

NodeId make_tensor(PickleGraph& graph, const Arguments& arguments) {
    return add_tensor(graph, tensor_of(graph, arguments));
}

/// As `make_tensor`, with an untyped storage and the type as seventh argument.
NodeId make_typed_tensor(PickleGraph& graph, const Arguments& arguments) {
    auto tensor = tensor_of(graph, arguments);
    const auto type = arguments.size() < 7 ? std::nullopt : torch_dtype(graph[arguments[6]].text);
    if (!type) graph.damaged("a tensor of unknown type");
    tensor.storage.count =
        tensor.storage.count * item_size(tensor.storage.dtype) / item_size(*type);
    tensor.storage.dtype = *type;
    return add_tensor(graph, std::move(tensor));
}

NodeId make_parameter(PickleGraph& graph, const Arguments& arguments) {
    const bool has_tensor = !arguments.empty() && is_kind(graph, arguments[0], PickleKind::tensor);
    return has_tensor ? arguments[0] : no_node;
}

/// (builder, class, arguments of the builder, state)
NodeId make_subclass(PickleGraph& graph, const Arguments& arguments) {
    if (arguments.size() < 3 || !is_kind(graph, arguments[2], PickleKind::tuple)) return no_node;
    return interpret_call(graph, arguments[0], arguments[2]);
}

// ---- the list --------------------------------------------------------------------------------

struct Meaning {
    std::string_view symbol;
    NodeId (*make)(PickleGraph&, const Arguments&);
};

constexpr Meaning meanings[] = {
    {"collections OrderedDict", make_dict},
    {"collections Counter", make_dict},
    {"collections defaultdict", make_default_dict},
    {"builtins dict", make_dict},
    {"__builtin__ dict", make_dict},
    {"lightning.fabric.utilities.data AttributeDict", make_dict},
    {"lightning_fabric.utilities.data AttributeDict", make_dict},
    {"pytorch_lightning.utilities.parsing AttributeDict", make_dict},
    {"argparse Namespace", make_namespace},
    {"types SimpleNamespace", make_namespace},
    {"builtins set", make_set},
    {"__builtin__ set", make_set},
    {"builtins frozenset", make_set},
    {"__builtin__ frozenset", make_set},
    {"builtins complex", make_complex},
    {"__builtin__ complex", make_complex},
    {"_codecs encode", make_encoded},
    {"copyreg _reconstructor", make_instance},
    {"copy_reg _reconstructor", make_instance},
    {"pathlib Path", make_path},
    {"pathlib PosixPath", make_path},
    {"pathlib PurePosixPath", make_path},
    {"pathlib WindowsPath", make_path},
    {"numpy.core.multiarray scalar", make_numpy_scalar},
    {"numpy._core.multiarray scalar", make_numpy_scalar},
    {"numpy.core.numeric _frombuffer", make_numpy_buffer},
    {"numpy._core.numeric _frombuffer", make_numpy_buffer},
    {"torch Size", make_size},
    {"torch device", make_device},
    {"torch._utils _rebuild_tensor", make_tensor},
    {"torch._utils _rebuild_tensor_v2", make_tensor},
    {"torch._utils _rebuild_tensor_v3", make_typed_tensor},
    {"torch._utils _rebuild_parameter", make_parameter},
    {"torch._utils _rebuild_parameter_with_state", make_parameter},
    {"torch._tensor _rebuild_from_type_v2", make_subclass},
};

NodeId make_object(PickleGraph& graph, NodeId callable, NodeId arguments) {
    const auto object = graph.add(PickleKind::object);
    graph[object].callable = callable;
    graph[object].arguments = arguments;
    graph.deepen(object, callable);
    graph.deepen(object, arguments);
    return object;
}

}  // namespace

NodeId interpret_call(PickleGraph& graph, NodeId callable, NodeId arguments) {
    const bool is_plain = is_kind(graph, callable, PickleKind::symbol) &&
                          is_kind(graph, arguments, PickleKind::tuple) &&
                          graph[arguments].items.size() <= most_arguments;
    if (!is_plain) return make_object(graph, callable, arguments);
    const auto* found =
        std::find_if(std::begin(meanings), std::end(meanings),
                     [&](const auto& entry) { return entry.symbol == graph[callable].text; });
    const auto made = found == std::end(meanings)
                          ? no_node
                          : found->make(graph, Arguments(graph[arguments].items));
    return made == no_node ? make_object(graph, callable, arguments) : made;
}

NodeId interpret_state(PickleGraph& graph, NodeId object, NodeId state) {
    graph.deepen(object, state);
    graph[object].state = state;
    const auto& node = graph[object];
    const bool is_namespace = node.kind == PickleKind::dict && node.callable == object;
    if (is_namespace && is_kind(graph, state, PickleKind::dict)) {
        return copy_as(graph, PickleKind::dict, state);
    }
    return is_numpy_array(graph, object) ? make_numpy_array(graph, object) : object;
}

NodeId interpret_persistent(PickleGraph& graph, NodeId id) {
    const auto items =
        is_kind(graph, id, PickleKind::tuple) && graph[id].items.size() <= most_arguments
            ? graph[id].items
            : Arguments{};
    const auto text = [&](std::size_t i) { return graph[items[i]].text; };
    // The source text of a class that a model object was saved with; the class alone is named.
    if (items.size() >= 2 && text(0) == "module") return items[1];
    if (items.size() < 5 || text(0) != "storage") {
        graph.damaged("a reference to something other than a tensor's storage");
    }
    const auto type = storage_type(text(1));
    if (!type) graph.damaged("a storage of the unknown type '{}'", text(1));
    PickleStorage storage;
    if (text(2).size() > longest_key) graph.damaged("a storage whose key is too long");
    storage.key = text(2);
    storage.dtype = *type;
    storage.count = count_of(graph, items[4], "storage size");
    if (items.size() > 5 && is_kind(graph, items[5], PickleKind::tuple)) {
        const auto view = graph[items[5]].items;
        if (view.size() != 3) graph.damaged("a view of a storage without offset and size");
        storage.view = count_of(graph, view[1], "storage view");
        const auto count = count_of(graph, view[2], "storage view");
        if (storage.view > storage.count || count > storage.count - storage.view) {
            graph.damaged("a view of storage '{}' beyond its {} elements", storage.key,
                          storage.count);
        }
    }
    graph.storage_index.emplace(storage.key, graph.storages.size());
    graph.storages.push_back(std::move(storage));
    const auto node = graph.add(PickleKind::storage);
    graph[node].integer = static_cast<std::int64_t>(graph.storages.size()) - 1;
    return node;
}

}  // namespace hodo::io
