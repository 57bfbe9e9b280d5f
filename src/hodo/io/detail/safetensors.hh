#pragma once
/// The safetensors exchange format.
///
/// Layout: 8 bytes little-endian header length N (at most 100 MB); N bytes of JSON
/// {"name": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, ...,
///  "__metadata__": {text: text}}, padded with spaces so that the data begins at a multiple of 8;
/// then the data, row-major and little-endian. Offsets count from the data's begin and cover it
/// without holes or overlaps.

#include "hodo/io/weights.hh"

namespace hodo::io {

/// Writes `weights` in their order. Metadata values that are no text are stored as JSON text.
void write_safetensors(const base::Path& file, const NamedArrays& weights, const Json& metadata);

}  // namespace hodo::io
