#include "hodo/detector/optical/simulate.hh"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/base/units.hh"

namespace hodo::optical {

namespace {

/// Modules where fewer photons than this are expected are left out.
constexpr double negligible_mean = 1e-4;
/// Losses of a muon below this energy are part of its photons per metre [GeV].
constexpr double smallest_visible_loss = 0.5;
constexpr std::int64_t hadrons = -2000001006;

Point along(const Point& origin, const Point& direction, double distance) {
    return {origin[0] + distance * direction[0], origin[1] + distance * direction[1],
            origin[2] + distance * direction[2]};
}

double energy_of(const SimulationOptions& o, double u) {
    const double exponent = 1.0 - o.spectral_index;
    if (std::abs(exponent) < 1e-9) return o.energy_min * std::pow(o.energy_max / o.energy_min, u);
    const double low = std::pow(o.energy_min, exponent), high = std::pow(o.energy_max, exponent);
    return std::pow(low + u * (high - low), 1.0 / exponent);
}

/// The distance at which `mean` (decreasing) falls below the negligible: by bisection in log r.
template <class Mean>
double reach_of(Mean&& mean) {
    double low = 0.1, high = 5000.0;
    if (mean(low) < negligible_mean) return 0.0;
    for (int k = 0; k < 20; ++k) {
        const double middle = std::sqrt(low * high);
        (mean(middle) < negligible_mean ? high : low) = middle;
    }
    return high;
}

}  // namespace

/// One event in the making.
class EventSimulator::OneEvent {
  public:
    OneEvent(const EventSimulator& simulator, base::Random& random)
        : sim_(simulator),
          o_(simulator.options_),
          light_(simulator.light_),
          random_(random),
          until_next_(random.exponential()) {}

    void generate_cascade(const Point& start, const Point& direction, double energy,
                          CascadeKind kind) {
        direction_ = direction;
        add_cascade(start, 0.0, energy, kind, 1);
        events_.offsets = {0, static_cast<std::int64_t>(events_.time.size())};
    }
    void generate_track(const MuonTrack& track) {
        direction_ = track.direction;
        add_track_light(track, 1);
        events_.offsets = {0, static_cast<std::int64_t>(events_.time.size())};
    }
    void generate() {
        draw_neutrino();
        add_final_state();
        add_noise();
        events_.offsets = {0, static_cast<std::int64_t>(events_.time.size())};
        events_.truth = {std::move(truth_)};
    }
    std::int64_t light() const { return light_photons_; }
    Events take() { return std::move(events_); }

  private:
    void draw_neutrino() {
        interaction_ = o_.interaction;
        if (interaction_ == Interaction::mixed) {
            interaction_ = static_cast<Interaction>(random_.below(3));
        }
        const double sign = random_.uniform() < o_.antineutrinos ? -1 : 1;
        const std::int64_t flavour = interaction_ == Interaction::nue_cc ? 12 : 14;
        Particle& neutrino = truth_.initial;
        neutrino.type = static_cast<std::int64_t>(sign) * flavour;
        neutrino.energy = energy_of(o_, random_.uniform());
        const double low = std::cos(o_.zenith_max * units::degree);
        const double high = std::cos(o_.zenith_min * units::degree);
        neutrino.zenith = std::acos(std::clamp(random_.uniform(low, high), -1.0, 1.0));
        neutrino.azimuth = random_.uniform(o_.azimuth_min, o_.azimuth_max) * units::degree;
        direction_ = travel_direction(neutrino.zenith, neutrino.azimuth);
        // Mean inelasticity 1/3 and a preference for small y; x enters nothing else.
        const double u = random_.uniform(), w = random_.uniform();
        truth_.bjorken_y = u * u;
        truth_.bjorken_x = w * w;
        truth_.interaction = interaction_ == Interaction::nc ? 2 : 1;
        neutrino.position = draw_vertex(neutrino.energy * (1 - truth_.bjorken_y));
    }

    Point draw_vertex(double lepton_energy) {
        const double radius =
            std::max(1.0, sim_.radius_ + o_.padding) * std::sqrt(random_.uniform());
        const double angle = random_.uniform(0, 2 * std::numbers::pi);
        const double half = std::max(1.0, sim_.half_height_ + o_.padding);
        const Point inside{sim_.centre_[0] + radius * std::cos(angle),
                           sim_.centre_[1] + radius * std::sin(angle),
                           sim_.centre_[2] + random_.uniform(-half, half)};
        const double back = random_.uniform();
        if (interaction_ != Interaction::numu_cc) return inside;
        const double most = std::min(o_.upstream, mean_muon_range(light_.medium(), lepton_energy));
        return along(inside, direction_, -back * most);
    }

    void add_final_state() {
        const Particle& neutrino = truth_.initial;
        Particle lepton = neutrino, blob = neutrino;
        lepton.parent = blob.parent = 0;
        lepton.energy = neutrino.energy * (1 - truth_.bjorken_y);
        blob.energy = neutrino.energy * truth_.bjorken_y;
        blob.type = hadrons;
        if (interaction_ != Interaction::nc) lepton.type += neutrino.type > 0 ? -1 : 1;
        truth_.final_state = {lepton, blob};
        constexpr std::int64_t lepton_index = 1, blob_index = 2;
        if (interaction_ == Interaction::numu_cc) {
            add_muon(lepton, lepton_index);
        } else if (interaction_ == Interaction::nue_cc) {
            add_cascade(lepton.position, 0.0, lepton.energy, CascadeKind::electromagnetic,
                        lepton_index);
        }
        add_cascade(blob.position, 0.0, blob.energy, CascadeKind::hadronic, blob_index);
    }

    /// Calls `visit(module)` for every module within `reach` of a point.
    template <class Visit>
    void for_modules_near(const Point& point, double reach, Visit&& visit) const {
        for (const String& string : sim_.strings_) {
            const double dx = string.x - point[0], dy = string.y - point[1];
            const double left = reach * reach - dx * dx - dy * dy;
            if (left < 0) continue;
            const double span = std::sqrt(left);
            auto place = std::lower_bound(string.modules.begin(), string.modules.end(),
                                          std::pair(point[2] - span, std::int32_t{-1}));
            for (; place != string.modules.end() && place->first <= point[2] + span; ++place) {
                visit(place->second);
            }
        }
    }

    void add_cascade(const Point& start, double time, double energy, CascadeKind kind,
                     std::int64_t source) {
        const double photons = light_.cascade_photons(energy, kind);
        const double depth = light_.cascade_depth(energy);
        const Point centre = along(start, direction_, depth);
        const double emitted = time + depth / constants::speed_of_light;
        const double reach = reach_of([&](double r) { return light_.cascade_bound(photons, r); });
        const double slowness = light_.medium().group_index / constants::speed_of_light;
        for_modules_near(centre, reach, [&](std::int32_t module) {
            const Point& place = position(module);
            const Point d{place[0] - centre[0], place[1] - centre[1], place[2] - centre[2]};
            const double r = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
            const double projected =
                d[0] * direction_[0] + d[1] * direction_[1] + d[2] * direction_[2];
            const double mean = light_.cascade_mean(photons, r, r > 0 ? projected / r : 1.0);
            add_photons(module, mean, emitted + r * slowness, light_.cascade_residual(r), source);
        });
    }

    void add_muon(const Particle& muon, std::int64_t source) {
        const double far =
            2 * (sim_.radius_ + sim_.half_height_ + std::abs(o_.padding) + 500) + o_.upstream;
        const MuonTrack track = propagate_muon(light_.medium(), muon.position, direction_, 0.0,
                                               muon.energy, far, random_);
        add_track_light(track, source);
        for (const MuonTrack::Loss& loss : track.losses) {
            if (loss.energy < smallest_visible_loss) continue;
            add_cascade(along(track.origin, direction_, loss.distance),
                        loss.distance / constants::speed_of_light, loss.energy,
                        CascadeKind::electromagnetic, source);
        }
    }

    void add_track_light(const MuonTrack& track, std::int64_t source) {
        const double continuous = muon_losses(light_.medium()).continuous;
        const double brightest = light_.photons_per_metre(track.energy);
        const double reach = reach_of([&](double r) { return light_.track_mean(brightest, r); });
        const double sine = light_.medium().cherenkov_sine();
        const double cotangent = light_.medium().cherenkov_cosine() / sine;
        const double slowness = light_.medium().group_index / constants::speed_of_light;
        const auto count = static_cast<std::int32_t>(sim_.geometry_.modules.size());
        for (std::int32_t module = 0; module < count; ++module) {
            const Point& place = position(module);
            const Point d{place[0] - track.origin[0], place[1] - track.origin[1],
                          place[2] - track.origin[2]};
            const double l = d[0] * direction_[0] + d[1] * direction_[1] + d[2] * direction_[2];
            const double r2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2] - l * l;
            if (r2 > reach * reach) continue;
            const double r = std::sqrt(std::max(0.0, r2));
            const double emission = l - r * cotangent;
            if (emission < 0 || emission > track.length) continue;
            const double energy = track.energy_at(emission, continuous);
            const double mean = light_.track_mean(light_.photons_per_metre(energy), r);
            const double time =
                track.start_time + emission / constants::speed_of_light + r / sine * slowness;
            add_photons(module, mean, time, light_.track_residual(r), source);
        }
    }

    void add_photons(std::int32_t module, double mean, double geometric_time,
                     const ResidualLaw& law, std::int64_t source) {
        if (mean < negligible_mean) return;
        const std::int64_t count = std::min(photons_of(mean), o_.max_photons_per_module);
        for (std::int64_t k = 0; k < count; ++k) {
            add_photon(module, geometric_time + random_.gamma(law.shape) / law.rate, source);
        }
        light_photons_ += count;
    }

    /// Poisson number of the given mean. Small means share one Poisson process: `until_next_` is
    /// how much mean is left until its next photon, so most dark modules cost no random number.
    std::int64_t photons_of(double mean) {
        if (mean > 1.0) return random_.poisson(mean);
        std::int64_t count = 0;
        for (until_next_ -= mean; until_next_ <= 0; until_next_ += random_.exponential()) ++count;
        return count;
    }

    void add_photon(std::int32_t module, double time, std::int64_t source) {
        const ModulePlace& place = sim_.geometry_.modules[static_cast<std::size_t>(module)];
        events_.time.push_back(time);
        events_.x.push_back(place.position[0]);
        events_.y.push_back(place.position[1]);
        events_.z.push_back(place.position[2]);
        events_.string.push_back(place.id.string);
        events_.sensor.push_back(place.id.sensor);
        events_.source.push_back(source);
    }

    void add_noise() {
        const auto modules = sim_.geometry_.modules.size();
        const double mean =
            static_cast<double>(modules) * o_.noise_rate * units::hertz * o_.noise_window;
        const std::int64_t count = random_.poisson(mean);
        if (count == 0) return;
        const double first = events_.time.empty()
                                 ? 0.0
                                 : *std::min_element(events_.time.begin(), events_.time.end());
        constexpr double before = 1000.0;
        for (std::int64_t k = 0; k < count; ++k) {
            const auto module = static_cast<std::int32_t>(random_.below(modules));
            add_photon(module, first - before + o_.noise_window * random_.uniform(), 0);
        }
    }

    const Point& position(std::int32_t module) const {
        return sim_.geometry_.modules[static_cast<std::size_t>(module)].position;
    }

    const EventSimulator& sim_;
    const SimulationOptions& o_;
    const Light& light_;
    base::Random& random_;
    double until_next_;
    Interaction interaction_ = Interaction::nc;
    Point direction_{};
    Truth truth_;
    Events events_;
    std::int64_t light_photons_ = 0;
};

namespace {

Geometry chosen_geometry(const SimulationOptions& options) {
    if (options.geometry_file.empty()) return built_in_geometry(options.geometry);
    return read_geo(options.geometry_file);
}

double effective_area(const Geometry& geometry, double efficiency) {
    constexpr double usual_radius = 0.165;  // [m], a 13-inch sphere
    const double radius = geometry.module_radius > 0 ? geometry.module_radius : usual_radius;
    return std::numbers::pi * radius * radius * efficiency;
}

}  // namespace

EventSimulator::EventSimulator(SimulationOptions options)
    : EventSimulator(options, chosen_geometry(options)) {}

EventSimulator::EventSimulator(SimulationOptions options, Geometry geometry)
    : options_(std::move(options)),
      geometry_(std::move(geometry)),
      light_(medium_named(geometry_.medium), effective_area(geometry_, options_.efficiency)) {
    std::int32_t number = 0;
    Point low = geometry_.modules.front().position, high = low;
    for (const ModulePlace& module : geometry_.modules) {
        const Point& p = module.position;
        const auto same_place = [&](const String& s) { return s.x == p[0] && s.y == p[1]; };
        auto string = std::find_if(strings_.begin(), strings_.end(), same_place);
        if (string == strings_.end()) string = strings_.insert(string, {p[0], p[1], {}});
        string->modules.emplace_back(p[2], number++);
        for (std::size_t k = 0; k < 3; ++k) {
            low[k] = std::min(low[k], p[k]);
            high[k] = std::max(high[k], p[k]);
        }
    }
    for (String& string : strings_) std::sort(string.modules.begin(), string.modules.end());
    for (std::size_t k = 0; k < 3; ++k) centre_[k] = 0.5 * (low[k] + high[k]);
    half_height_ = 0.5 * (high[2] - low[2]);
    for (const String& string : strings_) {
        radius_ = std::max(radius_, std::hypot(string.x - centre_[0], string.y - centre_[1]));
    }
}

Events EventSimulator::cascade_light(const Point& start, const Point& direction, double energy,
                                     CascadeKind kind, base::Random& random) const {
    OneEvent one(*this, random);
    one.generate_cascade(start, direction, energy, kind);
    return one.take();
}

Events EventSimulator::track_light(const MuonTrack& track, base::Random& random) const {
    OneEvent one(*this, random);
    one.generate_track(track);
    return one.take();
}

Events EventSimulator::simulate(std::int64_t first, std::int64_t count) const {
    HODO_DOOR(first >= 0 && count >= 0);
    std::vector<Events> single(static_cast<std::size_t>(count));
    base::parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; ++k) {
            const base::Random event(options_.seed, "optical event",
                                     static_cast<std::uint64_t>(first + k));
            constexpr std::uint64_t most_attempts = 1000;
            for (std::uint64_t attempt = 0;; ++attempt) {
                base::Random random = event.child("attempt", attempt);
                OneEvent one(*this, random);
                one.generate();
                HODO_CHECK(attempt < most_attempts || one.light() >= options_.min_photons,
                           "event {}: none of {} trials gave {} photons; lower min_photons or "
                           "raise the energy",
                           first + k, most_attempts, options_.min_photons);
                if (one.light() < options_.min_photons) continue;
                single[static_cast<std::size_t>(k)] = one.take();
                break;
            }
        }
    });
    Events events;
    for (std::int64_t k = 0; k < count; ++k) {
        events.append(single[static_cast<std::size_t>(k)], 0);
        single[static_cast<std::size_t>(k)] = {};
        events.file.push_back(0);
        events.row.push_back(first + k);
    }
    return events;
}

}  // namespace hodo::optical
