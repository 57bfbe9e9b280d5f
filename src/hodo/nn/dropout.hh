#pragma once
/// Dropout with masks that anybody can recompute.
///
/// A mask covers a matrix [rows, columns]. Row r, column c uses the 16-bit word c mod 8 of the
/// 128-bit block philox4x32({c / 8, r, place, step}, key), low half words first. The element is
/// dropped when its word is below round(65536 probability), at most 65535, else multiplied by
/// 1 / (1 - probability).
///
/// The weights of an attention have a mask for each sequence (batch entry): its key is the place's
/// key + 0x9e3779b97f4a7c15 x the sequence's number in the whole batch, row = query heads + head,
/// column = key; so a sequence has the same mask whatever its batch mates and their lengths.
///
/// Reference: Srivastava et al., "Dropout", JMLR 15 (2014) 1929.

#include "hodo/nn/kernels/tasks.hh"
#include "hodo/nn/pass.hh"
#include "hodo/tensor/torch.hh"

#include <span>

namespace hodo::nn {

/// Names the mask of one place of one pass.
struct DropoutMask {
    std::uint64_t key = 0;
    std::uint32_t step = 0;
    std::uint32_t place = 0;
    std::int64_t first_row = 0;  ///< Row of the whole batch that is row 0 here.
    double probability = 0.0;

    /// Words below this drop their element.
    std::uint32_t threshold() const;
    float scale() const { return static_cast<float>(1.0 / (1.0 - probability)); }
    /// The mask of the attention weights of a sequence.
    DropoutMask of_sequence(std::int64_t sequence) const;
};

/// The mask of the next place of `pass` over rows that belong `rows_per_entry` to each batch entry.
DropoutMask next_mask(Pass& pass, std::int64_t rows_per_entry);

/// The mask as kernels name it, for rows that begin at `row`.
MaskStream stream(const DropoutMask& mask, std::int64_t row = 0);

/// Writes 0 or `scale()` for every element of a matrix [rows, columns]. Parallel over rows.
void fill_mask(const DropoutMask& mask, std::int64_t rows, std::int64_t columns,
               std::span<float> values);

/// Attention weights [sequences, heads, queries, keys] with dropped and rescaled elements; sequence
/// 0 here is sequence `first` of the whole batch.
at::Tensor drop_weights(const at::Tensor& weights, const DropoutMask& mask, std::int64_t first);

/// `x` [batch, ..., columns] with dropped and rescaled elements; `x` itself when the pass does not
/// drop.
at::Tensor dropout(const at::Tensor& x, Pass& pass);

}  // namespace hodo::nn
