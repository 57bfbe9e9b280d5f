#include "hodo/detector/lartpc/readout.hh"

#include "hodo/detector/lartpc/argon.hh"
#include "hodo/detector/lartpc/volumes.hh"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

namespace hodo::lartpc {

namespace {

constexpr double reach = 4;          // Gaussians end after so many deviations
constexpr double mm2_per_us = 1e-4;  // of 1 cm2/s
constexpr double least_width = 1e-3;
constexpr double quiet = 0.3;  // signals below this many noise deviations make no region

double normal_integral(double x) {
    return 0.5 * std::erfc(-x * std::numbers::sqrt2 / 2);
}

/// Integrals of a Gaussian over consecutive cells.
struct Spread {
    int first = 0;
    std::vector<double> part;

    /// Cells are [edge(i), edge(i + 1)); those from `low` to `high`.
    template <class Edge>
    void fill(double centre, double width, int low, int high, Edge edge) {
        first = low;
        part.clear();
        double below = normal_integral((edge(low) - centre) / width);
        for (int i = low; i <= high; ++i) {
            const double above = normal_integral((edge(i + 1) - centre) / width);
            part.push_back(above - below);
            below = above;
        }
    }
};

/// The charge on every channel and tick.
class Anode {
  public:
    Anode(const PixelGrid& grid, int ticks)
        : grid_(grid),
          ticks_(ticks),
          charge_(static_cast<std::size_t>(grid.channels()) * static_cast<std::size_t>(ticks)) {}

    /// Spreads `charge` at local (z, y) [pixels] and a tick; widths in pixels and ticks. Returns
    /// what the wires of each plane collected.
    std::array<double, planes_per_face> add(double charge, double z, double y, double tick,
                                            double across, double along) {
        time_.fill(tick, along, std::max(0, static_cast<int>(std::floor(tick - reach * along))),
                   std::min(ticks_ - 1, static_cast<int>(tick + reach * along)),
                   [](int t) { return static_cast<double>(t); });
        std::array<double, planes_per_face> collected{};
        for (int k = 0; k < planes_per_face; ++k) {
            const auto& plane = grid_.plane(k);
            const double s = plane.perpendicular(z, y);
            band_.fill(s, across, std::max(-1, plane.band_at(s - reach * across)),
                       std::min(plane.wires(), plane.band_at(s + reach * across)),
                       [&](int band) { return plane.boundary(band); });
            for (std::size_t b = 0; b < band_.part.size(); ++b) {
                const int channel = plane.channel(band_.first + static_cast<int>(b));
                if (channel < 0) continue;
                auto* row = charge_.data() +
                            static_cast<std::size_t>(channel) * static_cast<std::size_t>(ticks_) +
                            time_.first;
                const double on_wire = charge * band_.part[b];
                for (std::size_t t = 0; t < time_.part.size(); ++t) {
                    row[t] += static_cast<float>(on_wire * time_.part[t]);
                    collected[static_cast<std::size_t>(k)] += on_wire * time_.part[t];
                }
            }
        }
        return collected;
    }

    std::span<float> channel(int number) {
        return std::span(charge_).subspan(
            static_cast<std::size_t>(number) * static_cast<std::size_t>(ticks_),
            static_cast<std::size_t>(ticks_));
    }

  private:
    const PixelGrid& grid_;
    int ticks_;
    std::vector<float> charge_;  ///< [channel, tick]
    Spread time_, band_;
};

struct Region {
    int begin, end;
};

/// Ticks around signals; regions that touch are one.
std::vector<Region> regions_of(std::span<const float> samples, double least, int padding) {
    std::vector<Region> regions;
    const int ticks = static_cast<int>(samples.size());
    for (int t = 0; t < ticks; ++t) {
        if (!(samples[static_cast<std::size_t>(t)] > least)) continue;
        const int begin = std::max(0, t - padding), end = std::min(ticks, t + padding + 1);
        if (!regions.empty() && begin <= regions.back().end) {
            regions.back().end = end;
        } else {
            regions.push_back({begin, end});
        }
    }
    return regions;
}

/// The noise of every channel: planes whose wires are tilted see currents that charges induce.
std::vector<double> channel_noise(const PixelGrid& grid, const ReadoutOptions& options) {
    std::vector<double> noise(static_cast<std::size_t>(grid.channels()), options.noise);
    for (int k = 0; k < planes_per_face; ++k) {
        const auto& plane = grid.plane(k);
        if (plane.sine() == 0) continue;
        for (int wire = 0; wire < plane.wires(); ++wire) {
            noise[static_cast<std::size_t>(plane.channel(wire))] = options.induction_noise;
        }
    }
    return noise;
}

/// Whether a channel of a TPC shows nothing.
bool is_dead(const ReadoutOptions& options, int tpc, int channel) {
    const auto stream = base::Random(0, "lartpc dead channels", static_cast<std::uint64_t>(tpc));
    return stream.child("channel", static_cast<std::uint64_t>(channel)).uniform() < options.dead;
}

/// A bump of noise alone, just above the threshold.
void add_fake(std::span<float> samples, double noise, const ReadoutOptions& options,
              base::Random& random) {
    const auto at = static_cast<int>(random.below(samples.size()));
    const double height = noise * (options.threshold + random.exponential());
    const double width = std::max(least_width, options.filter);
    for (int t = std::max(0, at - 5); t < std::min(static_cast<int>(samples.size()), at + 6); ++t) {
        const double x = (t - at) / width;
        samples[static_cast<std::size_t>(t)] += static_cast<float>(height * std::exp(-x * x / 2));
    }
}

/// Adds noise to the regions of a channel and forgets the rest.
void keep_regions(std::span<float> samples, double noise, const ReadoutOptions& options,
                  base::Random random) {
    for (auto fakes = random.poisson(options.fake_regions); fakes > 0; --fakes) {
        add_fake(samples, noise, options, random);
    }
    const double least = std::max(1e-9, quiet * noise);
    int cleared = 0;
    for (const auto& region : regions_of(samples, least, options.padding)) {
        std::fill(samples.begin() + cleared, samples.begin() + region.begin, 0.0F);
        double largest = 0;
        for (int t = region.begin; t < region.end; ++t) {
            auto& sample = samples[static_cast<std::size_t>(t)];
            if (noise > 0) sample += static_cast<float>(noise * random.normal());
            largest = std::max(largest, static_cast<double>(sample));
        }
        cleared = region.end;
        if (largest > options.threshold * noise) continue;
        std::fill(samples.begin() + region.begin, samples.begin() + region.end, 0.0F);
    }
    std::fill(samples.begin() + cleared, samples.end(), 0.0F);
}

/// Sums values per voxel, track and particle.
class TruthSum {
  public:
    void add(const Voxel& voxel, const Deposit& deposit, double value) {
        sums_[{voxel, deposit.track, deposit.pdg}] += value;
    }
    VoxelImage image() const {
        VoxelImage image{.voxels = {}, .width = 3, .values = {}};
        for (const auto& [key, value] : sums_) {
            image.voxels.push_back(key.voxel);
            image.values.insert(image.values.end(), {value, static_cast<double>(key.track),
                                                     static_cast<double>(key.pdg)});
        }
        return image;
    }

  private:
    struct Key {
        Voxel voxel;
        int track, pdg;
        auto operator<=>(const Key&) const = default;
    };
    std::map<Key, double> sums_;
};

WireSignals transposed(Anode& anode, int channels, int ticks) {
    std::vector<std::int64_t> count(static_cast<std::size_t>(ticks) + 1);
    for (int c = 0; c < channels; ++c) {
        const auto samples = anode.channel(c);
        for (std::size_t t = 0; t < samples.size(); ++t) count[t + 1] += samples[t] != 0 ? 1 : 0;
    }
    for (std::size_t t = 1; t < count.size(); ++t) count[t] += count[t - 1];
    WireSignals signals{.channels = channels, .starts = count, .channel = {}, .value = {}};
    signals.channel.resize(static_cast<std::size_t>(count.back()));
    signals.value.resize(signals.channel.size());
    for (int c = 0; c < channels; ++c) {
        const auto samples = anode.channel(c);
        for (std::size_t t = 0; t < samples.size(); ++t) {
            if (samples[t] == 0) continue;
            const auto place = static_cast<std::size_t>(count[t]++);
            signals.channel[place] = static_cast<std::int16_t>(c);
            signals.value[place] = samples[t];
        }
    }
    return signals;
}

}  // namespace

void ReadoutOptions::describe(base::Fields& f) {
    f("lifetime", lifetime, "of drifting electrons [us]").above(0);
    f("longitudinal", longitudinal, "diffusion along the drift [cm2/s]").at_least(0);
    f("transverse", transverse, "diffusion across the drift [cm2/s]").at_least(0);
    f("filter", filter, "width of the deconvolution's filter [ticks]").at_least(0);
    f("electrons_per_count", electrons_per_count, "charge of one count in a sample").above(0);
    f("noise", noise, "deviation of samples of upright wires in regions with signal [counts]")
        .at_least(0);
    f("induction_noise", induction_noise, "the same of tilted wires [counts]").at_least(0);
    f("threshold", threshold, "a region is kept when a sample exceeds this many deviations")
        .at_least(0);
    f("padding", padding, "ticks kept on either side of a signal").between(0, 100);
    f("fake_regions", fake_regions, "regions of noise alone per channel").at_least(0);
    f("dead", dead, "part of the channels that show nothing, the same ones in all events")
        .between(0, 1);
}

TpcEvent read_out(std::span<const Deposit> deposits, const Detector& detector, int tpc,
                  const ReadoutOptions& options, const base::Random& random, int ticks) {
    const PixelGrid grid(detector, detector.tpc(tpc).face);
    Anode anode(grid, ticks);
    TpcEvent event;
    TruthSum energy, electrons, seen;
    for (const auto& deposit : deposits) {
        const auto local = local_point(detector, tpc, deposit.position, deposit.time);
        if (!local || (*local)[0] >= ticks * detector.drift_per_tick()) continue;
        const double drift =
            (*local)[0] / detector.drift_speed - deposit.time - detector.simulation_time;
        const double loss = deposit.energy / std::max(least_width, deposit.length) * 10;
        const double freed = deposit.energy / argon::work_per_electron * argon::recombination(loss);
        const auto voxel = voxel_at(detector, *local);
        energy.add(voxel, deposit, deposit.energy);
        electrons.add(voxel, deposit, freed);
        const double arriving = freed * std::exp(-drift / options.lifetime);
        event.arrived += arriving;
        const double along =
            std::sqrt(2 * options.longitudinal * mm2_per_us * drift) / detector.drift_per_tick();
        const double across =
            std::sqrt(2 * options.transverse * mm2_per_us * drift) / detector.pixel;
        const auto collected =
            anode.add(arriving / options.electrons_per_count, (*local)[2] / detector.pixel,
                      (*local)[1] / detector.pixel, (*local)[0] / detector.drift_per_tick(),
                      std::max(least_width, across),
                      std::max(least_width, std::hypot(along, options.filter)));
        double planes = 0;
        for (std::size_t k = 0; k < collected.size(); ++k) {
            event.collected[k] += collected[k] * options.electrons_per_count;
            planes += collected[k] * options.electrons_per_count / arriving;
        }
        if (planes > 0) seen.add(voxel, deposit, deposit.energy * planes);
    }
    const auto noise = channel_noise(grid, options);
    for (int c = 0; c < grid.channels(); ++c) {
        const auto samples = anode.channel(c);
        if (is_dead(options, tpc, c)) {
            std::fill(samples.begin(), samples.end(), 0.0F);
            continue;
        }
        keep_regions(samples, noise[static_cast<std::size_t>(c)], options,
                     random.child("channel", static_cast<std::uint64_t>(c)));
    }
    event.signals = transposed(anode, grid.channels(), ticks);
    event.energy = energy.image();
    event.electrons = electrons.image();
    event.seen = seen.image();
    return event;
}

}  // namespace hodo::lartpc
