#pragma once
/// A view of sparse histograms: what the network reads.

#include "hodo/base/error.hh"
#include "hodo/detector/optical/binning.hh"

#include <cstdint>
#include <span>

namespace hodo::om2vec {

/// Sparse histograms of consecutive modules, not owned. Module i has the entries
/// [offsets[i], offsets[i + 1]) of `bins` and `counts`; absent bins are zero.
struct CountView {
    std::span<const std::int64_t> offsets;  ///< [modules + 1]; need not begin at 0.
    std::span<const std::int32_t> bins;
    std::span<const float> counts;              ///< Photons, or summed weights; >= 0.
    std::span<const optical::Point> positions;  ///< [modules] in m, or empty.

    std::int64_t size() const {
        return offsets.empty() ? 0 : static_cast<std::int64_t>(offsets.size()) - 1;
    }
    /// The modules [first, last).
    CountView part(std::int64_t first, std::int64_t last) const {
        HODO_DOOR(0 <= first && first <= last && last <= size());
        CountView view = *this;
        const auto begin = static_cast<std::size_t>(first);
        const auto count = static_cast<std::size_t>(last - first);
        if (!offsets.empty()) view.offsets = offsets.subspan(begin, count + 1);
        if (!positions.empty()) view.positions = positions.subspan(begin, count);
        return view;
    }
};

inline CountView view(const optical::ModuleCounts& modules) {
    return {modules.offsets, modules.bin, modules.count, modules.position};
}

}  // namespace hodo::om2vec
