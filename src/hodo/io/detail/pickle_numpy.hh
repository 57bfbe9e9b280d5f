#pragma once
/// What numpy's calls mean in a pickle: private to the sources of `Pickle`.

#include "hodo/io/detail/pickle_graph.hh"

namespace hodo::io {

/// (dtype, bytes) as a number or text; `no_node` for types without a plain value.
NodeId make_numpy_scalar(PickleGraph& graph, const std::vector<NodeId>& arguments);
/// (bytes, dtype, sizes, "C") as nested lists, likewise.
NodeId make_numpy_buffer(PickleGraph& graph, const std::vector<NodeId>& arguments);
/// Whether `object` is an array that has just got its state.
bool is_numpy_array(const PickleGraph& graph, NodeId object);
/// The array as nested lists, or `object` itself for types without plain values.
NodeId make_numpy_array(PickleGraph& graph, NodeId object);

}  // namespace hodo::io
