#pragma once
/// Deconvolved signals of the wires of one anode: mostly zeros, so only the others are kept.

#include <cstdint>
#include <span>
#include <vector>

namespace hodo::lartpc {

/// Samples that are not zero, tick by tick: tick t has samples [starts[t], starts[t + 1]) with
/// ascending channels.
struct WireSignals {
    int channels = 0;
    std::vector<std::int64_t> starts{0};
    std::vector<std::int16_t> channel;
    std::vector<double> value;

    int ticks() const { return static_cast<int>(starts.size()) - 1; }
    std::int64_t size() const { return static_cast<std::int64_t>(value.size()); }
    double total() const;
};

/// From a matrix [ticks, channels] in rows of time.
WireSignals sparse_signals(std::span<const double> matrix, int ticks, int channels);
/// The matrix [ticks, channels].
std::vector<double> dense_signals(const WireSignals& signals);

}  // namespace hodo::lartpc
