#pragma once
/// Checkpoints as plain PyTorch training loops write them.

#include "hodo/io/weights.hh"

namespace hodo::io {

/// Writes {model: OrderedDict, optimizer: {state, param_groups}, ...members of `metadata`}: the
/// first optimizer, if there is one; `average` is not written. `torch.load(weights_only=True)`
/// takes the file, and `WeightFile` reads it back. Atomic.
void write_plain_checkpoint(const base::Path& file, const Checkpoint& checkpoint);

}  // namespace hodo::io
