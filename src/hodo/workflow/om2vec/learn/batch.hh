#pragma once
/// A batch of sparse histograms as tensors, ready for the network and the loss.

#include "hodo/tensor/torch.hh"
#include "hodo/train/archive.hh"
#include "hodo/workflow/om2vec/counts.hh"

#include <cstdint>
#include <vector>

namespace hodo::om2vec {

/// Entries are the non-empty bins of all modules, module by module.
struct Batch {
    std::int64_t modules = 0;
    std::int64_t bins = 0;                 ///< F
    at::Tensor row;                        ///< [entries] int64: module of the entry.
    at::Tensor bin;                        ///< [entries] int64: ascending within a module.
    at::Tensor count;                      ///< [entries] double: photons n.
    at::Tensor total;                      ///< [modules] double: N, the sum of n.
    at::Tensor log_factorials;             ///< [modules] double: sum of lgamma(n + 1).
    at::Tensor position;                   ///< [modules, 3] double [m], or undefined.
    std::vector<std::int64_t> offsets{0};  ///< [modules + 1] into the entries.

    /// The modules [first, last), sharing memory.
    Batch part(std::int64_t first, std::int64_t last) const;
    /// The same on a device; itself if it is there.
    Batch on(at::Device device) const;
    /// All of it, for keeping the batch of a failed step.
    void state(train::Archive& archive);
};

/// Error (naming module and bin) if a bin lies outside [0, bins) or a count is negative or not
/// finite.
Batch make_batch(const CountView& counts, std::int64_t bins, at::Device device = at::kCPU);

/// The network's input as a matrix [modules, bins]: x = ln(1 + n).
at::Tensor dense_input(const Batch& batch, at::ScalarType type);

}  // namespace hodo::om2vec
