#pragma once
/// Sequences of different lengths, one after the other without padding.

#include "hodo/tensor/torch.hh"

#include <cstdint>
#include <span>
#include <vector>

namespace hodo::nn {

/// Sequence s is rows [offsets[s], offsets[s + 1]) of a matrix [total, channels]. A sequence may be
/// empty.
struct Packing {
    std::vector<std::int64_t> offsets{0};

    static Packing of_lengths(std::span<const std::int64_t> lengths);
    static Packing equal(std::int64_t count, std::int64_t length);

    std::int64_t count() const { return std::ssize(offsets) - 1; }
    std::int64_t total() const { return offsets.back(); }
    std::int64_t first(std::int64_t sequence) const;
    std::int64_t length(std::int64_t sequence) const;
    std::int64_t longest() const;

    /// packed [total, channels] to [count, longest, channels] with zeros behind each sequence.
    at::Tensor pad(const at::Tensor& packed) const;
    /// The way back: padded [count, longest, channels] to [total, channels].
    at::Tensor unpad(const at::Tensor& padded) const;
    /// Which places of the padded form hold a token: bool [count, longest].
    at::Tensor filled() const;

  private:
    /// Place of each packed row in the padded form.
    at::Tensor places() const;
};

}  // namespace hodo::nn
