#pragma once
/// From photon times to sparse histograms, one per optical module of one event.
///
/// Relative time r = t - t0 [ns] in double precision; F bins over a window T [ns].
///
///   om2vec          bin(r) = min(ceil(r), F-1), late photons in F-1; needs T = F (1 ns bins)
///   floor           bin(r) = min(floor(r F / T), F-1)
///   om2vec-literal  the four steps of the original for any F and T, photon losses included
///
/// Photons before time zero (possible with `quantile`, `vertex`, `trigger`) fall in bin 0, or are
/// dropped with `Overflow::drop`. Every rule conserves photons except `drop` and `om2vec-literal`.
///
/// Reference: arXiv:2410.13148 and its published code.

#include <array>
#include <string>
#include <string_view>

#include "hodo/base/fields.hh"
#include "hodo/detector/optical/events.hh"
#include "hodo/detector/optical/grouping.hh"

namespace hodo::optical {

enum class BinningRule { om2vec, floor, om2vec_literal };
constexpr auto names(BinningRule) {
    return std::array<std::string_view, 3>{"om2vec", "floor", "om2vec-literal"};
}
/// What happens to photons at or after the end of the window (rule `floor`): counted in the last
/// bin, dropped, or counted in an extra bin number F.
enum class Overflow { last, drop, extra };
constexpr auto names(Overflow) {
    return std::array<std::string_view, 3>{"last", "drop", "extra"};
}

/// Where time zero of an event lies.
///   first           earliest photon of the event
///   quantile:q      q-quantile of the event's photon times, 0 <= q <= 1, between two photons
///                   linear in q; weights do not count
///   vertex          0 of the simulation clock (the interaction)
///   trigger:column  the event's value of that input column
///   per-module      earliest photon of each module (its offset is stored beside)
struct TimeZero {
    enum class Kind { first, quantile, vertex, trigger, per_module };
    Kind kind = Kind::first;
    double quantile = 0.0;
    std::string column;

    /// Reads the text form above; an error that names what was found and what is possible.
    static TimeZero parse(std::string_view text);
    std::string text() const;
    bool operator==(const TimeZero&) const = default;
};

struct Binning {
    std::int64_t bins = 6400;
    double window = 6400.0;  ///< [ns]
    BinningRule rule = BinningRule::floor;
    Overflow overflow = Overflow::last;
    std::string time_zero = "first";

    void describe(base::Fields& f);
    /// Fails with a sentence when the values do not fit together (`describe` checks the same).
    void check() const;
    /// Number of bins of a histogram (one more with Overflow::extra).
    std::int64_t width() const { return bins + (overflow == Overflow::extra ? 1 : 0); }
    bool operator==(const Binning&) const = default;
};

/// Sparse histograms of the modules hit in a block of events.
struct ModuleCounts {
    std::vector<std::int64_t> event;  ///< Per module: index of its event in the block.
    std::vector<ModuleId> id;
    std::vector<Point> position;  ///< [m]
    std::vector<double>
        time_offset;           ///< Time zero of the module minus the event's first photon [ns].
    std::vector<double> hits;  ///< Sum of weights, photons dropped included.
    std::vector<std::int64_t> offsets{0};  ///< [modules + 1] into bin and count.
    std::vector<std::int32_t> bin;         ///< Ascending within a module.
    std::vector<float> count;              ///< Photons, or summed weights.

    std::int64_t size() const { return static_cast<std::int64_t>(id.size()); }
    /// Bins and counts of one module.
    std::span<const std::int32_t> bins_of(std::int64_t module) const;
    std::span<const float> counts_of(std::int64_t module) const;
};

/// Time zero of event `event` [ns]; for `per_module` the event's first photon. 0 for an event
/// without photons, except with `trigger`. Fails when the trigger time is absent or not a number.
double time_zero_of(const Events& events, std::int64_t event, const TimeZero& rule);

/// Histograms every module hit in `events`. Modules come event by event in the order asked for.
/// Modules are told apart by (string, sensor) and position. Linear in photons; one thread.
/// A module all of whose photons are dropped is listed with an empty histogram.
ModuleCounts bin_photons(const Events& events, const Binning& binning, ModuleOrder order);

}  // namespace hodo::optical
