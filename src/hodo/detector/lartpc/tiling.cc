#include "hodo/detector/lartpc/tiling.hh"

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <mutex>
#include <span>

namespace hodo::lartpc {

namespace {

/// Consecutive firing bands of one plane, and the lower left corners (z, y) of the pixels that may
/// touch them.
struct Strip {
    int first = 0, last = 0;
    CornerRange corners;  ///< Along s.
    /// As far as the plane restricts it, z lies between z_low + y z_slope and z_high + y z_slope.
    double z_low = 0, z_high = 0, z_slope = 0;
};

using Strips = std::array<const Strip*, planes_per_face>;  ///< One of each plane.

/// A coordinate as a linear function of the perpendicular coordinates of two planes.
struct Combination {
    bool exists = false;  ///< Not so for parallel planes.
    double a = 0, b = 0;

    CornerRange range(const CornerRange& s_a, const CornerRange& s_b) const {
        const auto [low_a, high_a] = std::minmax({a * s_a.low, a * s_a.high});
        const auto [low_b, high_b] = std::minmax({b * s_b.low, b * s_b.high});
        return {low_a + low_b, high_a + high_b};
    }
};

double determinant(const PlaneBands& a, const PlaneBands& b) {
    return a.cosine() * b.sine() - a.sine() * b.cosine();
}

constexpr double parallel = 1e-9;

/// y of a point as a combination of its two perpendicular coordinates.
Combination height_from(const PlaneBands& a, const PlaneBands& b) {
    const double d = determinant(a, b);
    if (std::abs(d) < parallel) return {};
    return {true, -b.cosine() / d, a.cosine() / d};
}

/// The perpendicular coordinate of plane c from those of a and b.
Combination third_from(const PlaneBands& a, const PlaneBands& b, const PlaneBands& c) {
    const double d = determinant(a, b);
    if (std::abs(d) < parallel) return {};
    return {true, determinant(c, b) / d, determinant(a, c) / d};
}

struct ActivePixel {
    std::int16_t z = 0, y = 0;
    std::array<PixelShare, planes_per_face> shares;
};

/// Where a channel's wires are.
struct Place {
    std::int8_t plane = 0;
    std::int16_t band = 0;
};

/// What all threads share: which bands each channel has, and the border bands inside the box.
struct Wiring {
    explicit Wiring(const PixelGrid& grid) {
        std::vector<std::vector<Place>> of_channel(static_cast<std::size_t>(grid.channels()));
        for (int k = 0; k < planes_per_face; ++k) {
            const auto& plane = grid.plane(k);
            for (int band = 0; band < plane.wires(); ++band) {
                const int channel = plane.channel(band);
                HODO_DOOR(channel >= 0 && channel < grid.channels());
                of_channel[static_cast<std::size_t>(channel)].push_back(
                    {static_cast<std::int8_t>(k), static_cast<std::int16_t>(band)});
            }
            auto& slots = slot[static_cast<std::size_t>(k)];
            for (int band = -1; band <= plane.wires() + 1; ++band) {
                const int channel = band <= plane.wires() ? plane.channel(band) : no_channel;
                slots.push_back(
                    static_cast<std::int16_t>(channel >= 0 ? channel : grid.channels()));
            }
            border[static_cast<std::size_t>(k)] = {meets_box(grid, plane, -1),
                                                   meets_box(grid, plane, plane.wires())};
        }
        starts.push_back(0);
        for (const auto& found : of_channel) {
            places.insert(places.end(), found.begin(), found.end());
            starts.push_back(static_cast<std::int32_t>(places.size()));
        }
    }

    static bool meets_box(const PixelGrid& grid, const PlaneBands& plane, int band) {
        const auto range = plane.corners(band, band);
        const double z = grid.pixels_z() - 1, y = grid.pixels_y() - 1;
        const auto [low, high] = std::minmax(
            {0.0, z * plane.cosine(), y * plane.sine(), z * plane.cosine() + y * plane.sine()});
        return range.low < high && range.high > low;
    }

    std::vector<std::int32_t> starts;
    std::vector<Place> places;  ///< Of channel c: [starts[c], starts[c + 1]).
    /// By band + 1: the channel, or one beyond the last where there is none.
    std::array<std::vector<std::int16_t>, planes_per_face> slot;
    std::array<std::array<bool, 2>, planes_per_face> border;
};

/// Tiles one tick after the other; everything is allocated once.
class TickTiler {
  public:
    TickTiler(const PixelGrid& grid, const TilingOptions& options, const Wiring& wiring)
        : grid_(grid),
          options_(options),
          wiring_(wiring),
          third_(third_from(grid.plane(0), grid.plane(1), grid.plane(2))),
          height_{height_from(grid.plane(0), grid.plane(1)),
                  height_from(grid.plane(0), grid.plane(2)),
                  height_from(grid.plane(1), grid.plane(2))},
          sample_(slots()),
          covered_(slots()),
          density_(slots()) {
        for (int k = 0; k < planes_per_face; ++k) {
            fired_[index(k)].resize(static_cast<std::size_t>(grid.plane(k).wires() + 2 + 63) / 64);
        }
    }

    /// Finds the active pixels of a tick and the charge density of every channel.
    void tile(std::span<const std::int16_t> channels, std::span<const double> samples) {
        pixels_.clear();
        if (!find_strips(channels, samples)) return;
        for (const auto& a : strips_[0]) {
            for (const auto& b : strips_[1]) meet(a, b);
        }
        if (!pixels_.empty()) spread(channels, samples);
    }

    const std::vector<ActivePixel>& pixels() const { return pixels_; }
    /// The charge of a pixel from plane k.
    double charge(const ActivePixel& pixel, int k) const {
        const auto share = pixel.shares[index(k)];
        const auto* slot = wiring_.slot[index(k)].data() + share.band + 1;
        return density_[index(slot[0])] * share.lower +
               density_[index(slot[1])] * (whole_share - share.lower);
    }

  private:
    static std::size_t index(int i) { return static_cast<std::size_t>(i); }
    std::size_t slots() const { return index(grid_.channels() + 1); }

    /// False when some plane has no firing band.
    bool find_strips(std::span<const std::int16_t> channels, std::span<const double> samples) {
        for (auto& words : fired_) std::fill(words.begin(), words.end(), 0);
        for (std::size_t i = 0; i < channels.size(); ++i) {
            if (!(samples[i] > options_.threshold)) continue;
            const auto channel = index(channels[i]);
            const auto end = index(wiring_.starts[channel + 1]);
            for (auto p = index(wiring_.starts[channel]); p < end; ++p) {
                set(wiring_.places[p].plane, wiring_.places[p].band);
            }
        }
        for (int k = 0; k < planes_per_face; ++k) {
            if (options_.border == Border::active) {
                if (wiring_.border[index(k)][0]) set(k, -1);
                if (wiring_.border[index(k)][1]) set(k, grid_.plane(k).wires());
            }
            if (!collect_strips(k)) return false;
        }
        return true;
    }

    void set(int k, int band) {
        fired_[index(k)][index(band + 1) / 64] |= std::uint64_t{1} << (index(band + 1) % 64);
    }

    bool collect_strips(int k) {
        auto& strips = strips_[index(k)];
        strips.clear();
        const auto& words = fired_[index(k)];
        for (std::size_t word = 0; word < words.size(); ++word) {
            for (auto bits = words[word]; bits != 0; bits &= bits - 1) {
                const int band = static_cast<int>(word * 64) + std::countr_zero(bits) - 1;
                if (!strips.empty() && strips.back().last == band - 1) {
                    strips.back().last = band;
                } else {
                    strips.push_back({.first = band, .last = band, .corners = {}});
                }
            }
        }
        for (auto& strip : strips) place(strip, grid_.plane(k));
        return !strips.empty();
    }

    void place(Strip& strip, const PlaneBands& plane) const {
        strip.corners = plane.corners(strip.first, strip.last);
        if (plane.cosine() == 0) {
            strip.z_high = grid_.pixels_z();
            return;
        }
        strip.z_low = strip.corners.low / plane.cosine();
        strip.z_high = strip.corners.high / plane.cosine();
        strip.z_slope = -plane.sine() / plane.cosine();
    }

    /// All strips of the third plane that meet two of the others.
    void meet(const Strip& a, const Strip& b) {
        const auto& others = strips_[2];
        if (!third_.exists) {
            for (const auto& c : others) visit({&a, &b, &c});
            return;
        }
        const auto range = third_.range(a.corners, b.corners);
        auto c = std::partition_point(others.begin(), others.end(), [&](const Strip& strip) {
            return strip.corners.high < range.low;
        });
        for (; c != others.end() && c->corners.low <= range.high; ++c) visit({&a, &b, &*c});
    }

    /// The pixels inside three strips.
    void visit(const Strips& strips) {
        double low = 0, high = grid_.pixels_y() - 1;
        constexpr std::array<std::array<std::size_t, 2>, 3> pairs{{{0, 1}, {0, 2}, {1, 2}}};
        for (std::size_t p = 0; p < pairs.size(); ++p) {
            if (!height_[p].exists) continue;
            const auto range =
                height_[p].range(strips[pairs[p][0]]->corners, strips[pairs[p][1]]->corners);
            low = std::max(low, range.low);
            high = std::min(high, range.high);
        }
        for (int k = 0; k < planes_per_face; ++k) {
            // A plane whose s is y or -y tells nothing about z and all about y.
            if (grid_.plane(k).cosine() != 0) continue;
            const auto& corners = strips[index(k)]->corners;
            const double sine = grid_.plane(k).sine();
            const auto [first, last] = std::minmax({corners.low * sine, corners.high * sine});
            low = std::max(low, first);
            high = std::min(high, last);
        }
        if (low > high) return;
        for (int y = static_cast<int>(low); y <= static_cast<int>(high); ++y) row(strips, y);
    }

    void row(const Strips& strips, int y) {
        double low = 0, high = grid_.pixels_z() - 1;
        for (const auto* strip : strips) {
            low = std::max(low, strip->z_low + y * strip->z_slope);
            high = std::min(high, strip->z_high + y * strip->z_slope);
        }
        if (low > high) return;
        for (int z = static_cast<int>(low); z <= static_cast<int>(high); ++z) add(strips, z, y);
    }

    /// The exact test: some share of the pixel lies in each strip.
    void add(const Strips& strips, int z, int y) {
        ActivePixel pixel{static_cast<std::int16_t>(z), static_cast<std::int16_t>(y), {}};
        for (int k = 0; k < planes_per_face; ++k) {
            const auto& strip = *strips[index(k)];
            const auto share = grid_.plane(k).share(z, y);
            const int band = share.band;
            const bool has_lower = share.lower > 0 && band >= strip.first && band <= strip.last;
            const bool has_upper =
                share.lower < whole_share && band + 1 >= strip.first && band + 1 <= strip.last;
            if (!has_lower && !has_upper) return;
            pixel.shares[index(k)] = share;
        }
        pixels_.push_back(pixel);
    }

    void spread(std::span<const std::int16_t> channels, std::span<const double> samples) {
        std::fill(sample_.begin(), sample_.end(), 0.0);
        std::fill(covered_.begin(), covered_.end(), 0);
        for (std::size_t i = 0; i < channels.size(); ++i) sample_[index(channels[i])] = samples[i];
        for (const auto& pixel : pixels_) {
            for (int k = 0; k < planes_per_face; ++k) {
                const auto share = pixel.shares[index(k)];
                const auto* slot = wiring_.slot[index(k)].data() + share.band + 1;
                covered_[index(slot[0])] += share.lower;
                covered_[index(slot[1])] += whole_share - share.lower;
            }
        }
        for (std::size_t slot = 0; slot + 1 < covered_.size(); ++slot) {
            density_[slot] =
                covered_[slot] > 0 ? sample_[slot] / static_cast<double>(covered_[slot]) : 0.0;
        }
    }

    const PixelGrid& grid_;
    const TilingOptions& options_;
    const Wiring& wiring_;
    Combination third_;
    std::array<Combination, 3> height_;
    std::array<std::vector<std::uint64_t>, planes_per_face> fired_;
    std::array<std::vector<Strip>, planes_per_face> strips_;
    std::vector<ActivePixel> pixels_;
    std::vector<double> sample_;
    std::vector<std::int64_t> covered_;  ///< Thousandths of pixels.
    std::vector<double> density_;        ///< Charge per thousandth; 0 where there is no channel.
};

/// Sums the pixels of one slice of ticks into coarse voxels.
class SliceSum {
  public:
    SliceSum(const PixelGrid& grid, Downsampling factors)
        : columns_((grid.pixels_z() + factors.z - 1) / factors.z),
          row_(static_cast<std::size_t>(grid.pixels_y())),
          column_(static_cast<std::size_t>(grid.pixels_z())),
          cell_(static_cast<std::size_t>(columns_) *
                    static_cast<std::size_t>((grid.pixels_y() + factors.y - 1) / factors.y),
                empty) {
        for (std::size_t y = 0; y < row_.size(); ++y) {
            row_[y] = static_cast<int>(y) / factors.y * columns_;
        }
        for (std::size_t z = 0; z < column_.size(); ++z) {
            column_[z] = static_cast<int>(z) / factors.z;
        }
    }

    void add(const TickTiler& tick) {
        for (const auto& pixel : tick.pixels()) {
            const int place = row_[static_cast<std::size_t>(pixel.y)] +
                              column_[static_cast<std::size_t>(pixel.z)];
            auto& cell = cell_[static_cast<std::size_t>(place)];
            if (cell == empty) {
                cell = static_cast<std::int32_t>(sums_.size());
                sums_.push_back({place, {}});
            }
            auto& charge = sums_[static_cast<std::size_t>(cell)].charge;
            for (int k = 0; k < planes_per_face; ++k) {
                charge[static_cast<std::size_t>(k)] += tick.charge(pixel, k);
            }
        }
    }

    /// Appends the voxels in order of y and z and begins anew.
    void flush(int slice, TiledEvent& event) {
        std::sort(sums_.begin(), sums_.end(),
                  [](const Sum& a, const Sum& b) { return a.place < b.place; });
        for (const auto& sum : sums_) {
            event.voxels.push_back({slice, sum.place / columns_, sum.place % columns_});
            event.charge.push_back(sum.charge);
            cell_[static_cast<std::size_t>(sum.place)] = empty;
        }
        sums_.clear();
    }

  private:
    struct Sum {
        int place = 0;
        std::array<double, planes_per_face> charge{};
    };
    static constexpr std::int32_t empty = -1;
    int columns_;
    std::vector<int> row_, column_;  ///< Contribution of y and z to the place.
    std::vector<std::int32_t> cell_;
    std::vector<Sum> sums_;
};

/// Fewer slices than this are not worth a thread's scratch memory.
constexpr std::int64_t slices_per_thread = 16;

TiledEvent joined(const std::map<std::int64_t, TiledEvent>& parts) {
    TiledEvent event;
    std::size_t size = 0;
    for (const auto& [first, part] : parts) size += part.voxels.size();
    event.voxels.reserve(size);
    event.charge.reserve(size);
    for (const auto& [first, part] : parts) {
        event.voxels.insert(event.voxels.end(), part.voxels.begin(), part.voxels.end());
        event.charge.insert(event.charge.end(), part.charge.begin(), part.charge.end());
    }
    return event;
}

}  // namespace

Tiler::Tiler(PixelGrid grid, TilingOptions options) : grid_(std::move(grid)), options_(options) {}

TiledEvent Tiler::tile(const WireSignals& signals, Downsampling factors) const {
    HODO_DOOR(factors.x > 0 && factors.y > 0 && factors.z > 0);
    HODO_CHECK(signals.channels == grid_.channels(),
               "an event has {} channels where the detector has {}; check the detector and the "
               "file",
               signals.channels, grid_.channels());
    HODO_CHECK(signals.ticks() % factors.x == 0,
               "an event of {} ticks cannot be merged {} by {}; choose a factor that divides it",
               signals.ticks(), factors.x, factors.x);
    const Wiring wiring(grid_);
    std::map<std::int64_t, TiledEvent> parts;
    std::mutex lock;
    base::parallel_for(
        signals.ticks() / factors.x, slices_per_thread, [&](std::int64_t begin, std::int64_t end) {
            TickTiler tick(grid_, options_, wiring);
            SliceSum sum(grid_, factors);
            TiledEvent part;
            const std::span channels(signals.channel);
            const std::span values(signals.value);
            for (auto slice = begin; slice < end; ++slice) {
                for (auto t = slice * factors.x; t < (slice + 1) * factors.x; ++t) {
                    const auto first = static_cast<std::size_t>(signals.starts[std::size_t(t)]);
                    const auto last = static_cast<std::size_t>(signals.starts[std::size_t(t) + 1]);
                    if (first == last) continue;
                    tick.tile(channels.subspan(first, last - first),
                              values.subspan(first, last - first));
                    sum.add(tick);
                }
                sum.flush(static_cast<int>(slice), part);
            }
            const std::scoped_lock guard(lock);
            parts.emplace(begin, std::move(part));
        });
    return joined(parts);
}

TiledEvent downsample(const TiledEvent& event, Downsampling factors) {
    HODO_DOOR(factors.x > 0 && factors.y > 0 && factors.z > 0);
    std::vector<std::pair<Voxel, std::size_t>> order;
    order.reserve(event.voxels.size());
    for (std::size_t i = 0; i < event.voxels.size(); ++i) {
        const auto& v = event.voxels[i];
        order.push_back({{v[0] / factors.x, v[1] / factors.y, v[2] / factors.z}, i});
    }
    std::sort(order.begin(), order.end());
    TiledEvent coarse;
    for (const auto& [voxel, source] : order) {
        if (coarse.voxels.empty() || coarse.voxels.back() != voxel) {
            coarse.voxels.push_back(voxel);
            coarse.charge.push_back({});
        }
        for (std::size_t k = 0; k < planes_per_face; ++k) {
            coarse.charge.back()[k] += event.charge[source][k];
        }
    }
    return coarse;
}

}  // namespace hodo::lartpc
