#pragma once
/// Where a PyTorch file keeps its weights, its metadata and its optimizers: the same for the ZIP
/// and the legacy container.

#include "hodo/io/detail/tensor_storage.hh"
#include "hodo/io/detail/weight_body.hh"

namespace hodo::io {

/// Fills `body` from the parsed `pickle`. An object without meaning among the weights or in
/// `hyper_parameters` is an error that names it; elsewhere it stays opaque.
void lay_out_checkpoint(WeightBody& body, const Pickle& pickle, const StorageSource& source,
                        WeightChoice choice);

}  // namespace hodo::io
