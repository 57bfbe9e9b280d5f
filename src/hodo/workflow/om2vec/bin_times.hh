#pragma once
/// From time bins back to times.

#include "hodo/base/random.hh"
#include "hodo/detector/optical/binning.hh"

#include <cstdint>
#include <span>
#include <vector>

namespace hodo::om2vec {

/// A time interval relative to time zero [ns].
struct TimeInterval {
    double begin = 0, end = 0;
};

/// The times that fall in bin `bin`. Rule om2vec: bin 0 is exactly time 0, bin k is (k-1, k]. Rule
/// floor: [k, k+1) T/F. Late photons share the last bin, whose interval is that of the window.
/// Overflow::extra: bin F is the instant T.
TimeInterval interval_of_bin(const optical::Binning& binning, std::int64_t bin);

/// Draws `photons` times from bin probabilities [binning.width()], sorted, uniform within a bin.
std::vector<double> sample_times(std::span<const float> probability,
                                 const optical::Binning& binning, std::int64_t photons,
                                 base::Random& random);

}  // namespace hodo::om2vec
