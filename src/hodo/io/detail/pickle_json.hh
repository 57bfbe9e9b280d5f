#pragma once
/// Plain data of a pickle as JSON.

#include "hodo/io/json.hh"
#include "hodo/io/pickle.hh"

namespace hodo::io {

/// What becomes of objects without meaning: {"opaque": "module name"}, or an error that names them.
enum class Unknown { opaque, error };

/// `path` ("hyper_parameters") stands in messages, behind `origin`. Tensors stand as
/// {"tensor": {"dtype": ..., "shape": [...]}}, bytes as {"opaque": "12 bytes"}, keys that are no
/// text as text.
Json to_json(const PickleValue& value, Unknown unknown, std::string_view origin,
             std::string_view path);

}  // namespace hodo::io
