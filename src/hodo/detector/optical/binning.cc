#include "hodo/detector/optical/binning.hh"

#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"

namespace hodo::optical {

namespace {

constexpr std::int32_t lost = -1;

/// min(ceil(r), F-1); needs T = F.
class CeilingRule {
  public:
    explicit CeilingRule(const Binning& b) : last_(static_cast<std::int32_t>(b.bins) - 1) {}
    std::int32_t operator()(double r) const {
        if (!(r < last_)) return last_;
        if (r <= 0) return 0;
        const auto whole = static_cast<std::int32_t>(r);
        return whole + (r > whole ? 1 : 0);
    }

  private:
    std::int32_t last_;
};

/// min(floor(r F / T), F-1) inside the window; the policy outside.
class FloorRule {
  public:
    explicit FloorRule(const Binning& b)
        : bins_(static_cast<double>(b.bins)),
          window_(b.window),
          last_(static_cast<std::int32_t>(b.bins) - 1),
          early_(b.overflow == Overflow::drop ? lost : 0),
          late_(b.overflow == Overflow::drop    ? lost
                : b.overflow == Overflow::extra ? last_ + 1
                                                : last_) {}
    std::int32_t operator()(double r) const {
        if (!(r < window_)) return late_;
        if (r < 0) return early_;
        return std::min(static_cast<std::int32_t>(r * bins_ / window_), last_);
    }

  private:
    double bins_, window_;
    std::int32_t last_, early_, late_;
};

/// The original for any F and T: edges e_k = k T / F; k = smallest k with r <= e_k; the number k
/// itself is then histogrammed over the edges; photons with r >= T go to the last bin.
class LiteralRule {
  public:
    explicit LiteralRule(const Binning& b)
        : step_(b.window / static_cast<double>(b.bins)),
          last_(static_cast<std::int32_t>(b.bins) - 1) {
        const auto bins = static_cast<std::size_t>(b.bins);
        edges_.resize(bins + 1);
        for (std::size_t k = 0; k < bins; ++k) edges_[k] = static_cast<double>(k) * step_;
        edges_[bins] = b.window;
        bin_of_.resize(bins + 1);
        for (std::size_t k = 0; k <= bins; ++k) bin_of_[k] = second_pass(static_cast<double>(k));
    }
    std::int32_t operator()(double r) const {
        if (!(r < edges_.back())) return last_;
        if (r <= 0) return bin_of_[0];
        auto k = static_cast<std::size_t>(r / step_);  // right up to rounding
        while (k > 0 && r <= edges_[k - 1]) --k;
        while (r > edges_[k]) ++k;
        return bin_of_[k];
    }

  private:
    std::int32_t second_pass(double index) const {
        if (index > edges_.back()) return lost;
        const auto above = std::upper_bound(edges_.begin(), edges_.end(), index);
        return std::min(static_cast<std::int32_t>(above - edges_.begin()) - 1, last_);
    }
    double step_;
    std::int32_t last_;
    std::vector<double> edges_;
    std::vector<std::int32_t> bin_of_;
};

/// Collects the bins of one module's photons into ascending (bin, count) pairs.
class Histogrammer {
  public:
    explicit Histogrammer(std::int64_t width) : dense_(static_cast<std::size_t>(width), 0) {}

    void clear() {
        bins_.clear();
        weights_.clear();
    }
    void add(std::int32_t bin) {
        if (bin != lost) bins_.push_back(bin);
    }
    void add(std::int32_t bin, double weight) {
        if (bin == lost) return;
        bins_.push_back(bin);
        weights_.push_back(weight);
    }
    void write_to(ModuleCounts& out) {
        if (!weights_.empty()) {
            write_weighted(out);
        } else if (bins_.size() > 128) {
            write_dense(out);
        } else {
            write_sorted(out);
        }
    }

  private:
    void write_sorted(ModuleCounts& out) {
        std::sort(bins_.begin(), bins_.end());
        for (std::size_t i = 0; i < bins_.size();) {
            std::size_t j = i + 1;
            while (j < bins_.size() && bins_[j] == bins_[i]) ++j;
            out.bin.push_back(bins_[i]);
            out.count.push_back(static_cast<float>(j - i));
            i = j;
        }
    }
    void write_dense(ModuleCounts& out) {
        const auto [low, high] = std::minmax_element(bins_.begin(), bins_.end());
        const std::int32_t first = *low, last = *high;
        for (const std::int32_t bin : bins_) ++dense_[static_cast<std::size_t>(bin)];
        for (std::int32_t bin = first; bin <= last; ++bin) {
            auto& count = dense_[static_cast<std::size_t>(bin)];
            if (count == 0) continue;
            out.bin.push_back(bin);
            out.count.push_back(static_cast<float>(count));
            count = 0;
        }
    }
    /// Weights of a bin are added in the order of the photons.
    void write_weighted(ModuleCounts& out) {
        order_.resize(bins_.size());
        for (std::size_t i = 0; i < order_.size(); ++i) {
            order_[i] = (static_cast<std::uint64_t>(bins_[i]) << 32) | i;
        }
        std::sort(order_.begin(), order_.end());
        for (std::size_t i = 0; i < order_.size();) {
            const std::uint64_t bin = order_[i] >> 32;
            double sum = 0;
            for (; i < order_.size() && order_[i] >> 32 == bin; ++i) {
                sum += weights_[order_[i] & 0xFFFFFFFFU];
            }
            out.bin.push_back(static_cast<std::int32_t>(bin));
            out.count.push_back(static_cast<float>(sum));
        }
    }

    std::vector<std::int32_t> bins_;
    std::vector<double> weights_;
    std::vector<std::uint64_t> order_;
    std::vector<std::int32_t> dense_;  ///< Zero between modules.
};

struct EventTimes {
    double first = 0;  ///< The event's earliest photon.
    double zero = 0;
    bool per_module = false;
};

template <class Rule>
void bin_module(const Events& events, std::span<const std::int64_t> photons,
                const EventTimes& times, const Rule& rule, Histogrammer& histogram,
                ModuleCounts& out) {
    double zero = times.zero;
    if (times.per_module) {
        zero = events.time[static_cast<std::size_t>(photons.front())];
        for (const auto p : photons)
            zero = std::min(zero, events.time[static_cast<std::size_t>(p)]);
    }
    histogram.clear();
    double hits = static_cast<double>(photons.size());
    if (events.weight.empty()) {
        for (const auto p : photons) {
            histogram.add(rule(events.time[static_cast<std::size_t>(p)] - zero));
        }
    } else {
        hits = 0;
        for (const auto p : photons) {
            const auto i = static_cast<std::size_t>(p);
            histogram.add(rule(events.time[i] - zero), events.weight[i]);
            hits += events.weight[i];
        }
    }
    histogram.write_to(out);
    out.offsets.push_back(static_cast<std::int64_t>(out.bin.size()));
    out.time_offset.push_back(zero - times.first);
    out.hits.push_back(hits);
}

template <class Rule>
ModuleCounts bin_with(const Events& events, const Binning& binning, ModuleOrder order) {
    const Rule rule(binning);
    const TimeZero time_zero = TimeZero::parse(binning.time_zero);
    Histogrammer histogram(binning.width());
    PhotonGrouper grouper;
    ModuleCounts out;
    for (std::int64_t event = 0; event < events.size(); ++event) {
        grouper.group(events, event, order);
        if (grouper.modules().empty()) continue;
        EventTimes times;
        times.first = time_zero_of(events, event, TimeZero{});
        times.zero = time_zero.kind == TimeZero::Kind::first
                         ? times.first
                         : time_zero_of(events, event, time_zero);
        times.per_module = time_zero.kind == TimeZero::Kind::per_module;
        for (const auto& module : grouper.modules()) {
            out.event.push_back(event);
            out.id.push_back(module.id);
            out.position.push_back(module.position);
            bin_module(events, grouper.photons(module), times, rule, histogram, out);
        }
    }
    return out;
}

template <class T>
std::span<const T> part(const std::vector<T>& values, const std::vector<std::int64_t>& offsets,
                        std::int64_t module) {
    const auto m = static_cast<std::size_t>(module);
    return std::span(values).subspan(static_cast<std::size_t>(offsets[m]),
                                     static_cast<std::size_t>(offsets[m + 1] - offsets[m]));
}

constexpr std::string_view width_rule =
    "binning 'om2vec' needs as many bins as the window has ns (with other widths the original "
    "loses photons); use 'floor', or 'om2vec-literal' to reproduce the original";
constexpr std::string_view overflow_rule =
    "overflow 'drop' and 'extra' need binning 'floor'; the rules of the original keep late photons "
    "in the last bin";

bool width_fits(const Binning& b) {
    return b.rule != BinningRule::om2vec || static_cast<double>(b.bins) == b.window;
}
bool overflow_fits(const Binning& b) {
    return b.rule == BinningRule::floor || b.overflow == Overflow::last;
}

}  // namespace

void Binning::describe(base::Fields& f) {
    f("bins", bins, "number of time bins").between(1, 1'000'000);
    f("window", window, "length of the time window [ns]").above(0);
    f("rule", rule, "how a time becomes a bin");
    f("overflow", overflow, "where photons after the window go (rule floor)");
    f("time_zero", time_zero,
      "time zero of an event: first, quantile:q, vertex, trigger:column or per-module");
    f.rule(width_fits(*this), width_rule);
    f.rule(overflow_fits(*this), overflow_rule);
}

void Binning::check() const {
    HODO_CHECK(bins >= 1 && bins <= 1'000'000,
               "binning: the number of bins is {}; it must be from 1 to 1,000,000", bins);
    HODO_CHECK(window > 0 && std::isfinite(window),
               "binning: the window is {} ns; it must be larger than 0", window);
    HODO_CHECK(width_fits(*this), "{} (here {} bins, {} ns)", width_rule, bins, window);
    HODO_CHECK(overflow_fits(*this), "{}", overflow_rule);
    TimeZero::parse(time_zero);
}

std::span<const std::int32_t> ModuleCounts::bins_of(std::int64_t module) const {
    return part(bin, offsets, module);
}

std::span<const float> ModuleCounts::counts_of(std::int64_t module) const {
    return part(count, offsets, module);
}

ModuleCounts bin_photons(const Events& events, const Binning& binning, ModuleOrder order) {
    binning.check();
    switch (binning.rule) {
        case BinningRule::om2vec:
            return bin_with<CeilingRule>(events, binning, order);
        case BinningRule::om2vec_literal:
            return bin_with<LiteralRule>(events, binning, order);
        case BinningRule::floor:
            break;
    }
    return bin_with<FloorRule>(events, binning, order);
}

}  // namespace hodo::optical
