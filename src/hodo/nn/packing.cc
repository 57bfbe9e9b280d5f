#include "hodo/nn/packing.hh"

#include <algorithm>

#include "hodo/base/error.hh"

namespace hodo::nn {

Packing Packing::of_lengths(std::span<const std::int64_t> lengths) {
    Packing packing;
    for (const auto length : lengths) {
        HODO_DOOR(length >= 0);
        packing.offsets.push_back(packing.offsets.back() + length);
    }
    return packing;
}

Packing Packing::equal(std::int64_t count, std::int64_t length) {
    Packing packing;
    for (std::int64_t s = 1; s <= count; ++s) packing.offsets.push_back(s * length);
    return packing;
}

std::int64_t Packing::first(std::int64_t sequence) const {
    return offsets[static_cast<std::size_t>(sequence)];
}

std::int64_t Packing::length(std::int64_t sequence) const {
    return offsets[static_cast<std::size_t>(sequence) + 1] - first(sequence);
}

std::int64_t Packing::longest() const {
    std::int64_t longest = 0;
    for (std::int64_t s = 0; s < count(); ++s) longest = std::max(longest, length(s));
    return longest;
}

at::Tensor Packing::places() const {
    auto places = at::empty({total()}, at::TensorOptions().dtype(at::kLong));
    auto* place = places.data_ptr<std::int64_t>();
    const auto width = longest();
    for (std::int64_t s = 0; s < count(); ++s) {
        for (std::int64_t i = 0; i < length(s); ++i) *place++ = s * width + i;
    }
    return places;
}

at::Tensor Packing::pad(const at::Tensor& packed) const {
    HODO_DOOR(packed.dim() == 2 && packed.size(0) == total());
    const auto width = longest(), channels = packed.size(1);
    return at::zeros({count() * width, channels}, packed.options())
        .index_copy(0, places().to(packed.device()), packed)
        .reshape({count(), width, channels});
}

at::Tensor Packing::unpad(const at::Tensor& padded) const {
    HODO_DOOR(padded.dim() == 3 && padded.size(0) == count() && padded.size(1) == longest());
    return padded.flatten(0, 1).index_select(0, places().to(padded.device()));
}

at::Tensor Packing::filled() const {
    auto filled = at::zeros({count() * longest()}, at::TensorOptions().dtype(at::kBool));
    return filled.index_fill_(0, places(), true).reshape({count(), longest()});
}

}  // namespace hodo::nn
