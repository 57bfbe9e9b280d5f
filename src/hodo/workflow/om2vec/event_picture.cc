#include "hodo/workflow/om2vec/event_picture.hh"

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"
#include "hodo/base/units.hh"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unordered_map>

namespace hodo::om2vec {

namespace {

/// Of an event with many particles, those with the most energy are drawn.
constexpr std::size_t most_lines = 20;

bool is_muon(const optical::Particle& particle) {
    return std::abs(particle.type) == 13;
}
bool is_tau(const optical::Particle& particle) {
    return std::abs(particle.type) == 15;
}
bool is_neutrino(const optical::Particle& particle) {
    const auto type = std::abs(particle.type);
    return type == 12 || type == 14 || type == 16;
}

std::string energy_text(double energy) {
    if (energy >= 1e6) return base::format("{:.3g} PeV", energy / 1e6);
    if (energy >= 1e3) return base::format("{:.3g} TeV", energy / 1e3);
    return base::format("{:.3g} GeV", energy);
}

std::string time_text(double time) {
    return base::format("{:.4g} ns", time);
}

double degrees(double angle) {
    return angle * 180.0 / std::numbers::pi;
}

optical::Point along(const optical::Point& from, const optical::Point& direction, double length) {
    return {from[0] + length * direction[0], from[1] + length * direction[1],
            from[2] + length * direction[2]};
}

bool is_finite(const optical::Point& point) {
    return std::all_of(point.begin(), point.end(), [](double v) { return std::isfinite(v); });
}

/// Photons of one module within one step of time.
struct Cell {
    double first = 0, charge = 0;
};

/// One cell per (module, step) that has light.
std::unordered_map<std::uint64_t, Cell> cells_of(const optical::Events& events, std::int64_t begin,
                                                 std::int64_t end,
                                                 const std::vector<std::int64_t>& modules,
                                                 double start, double step) {
    std::unordered_map<std::uint64_t, Cell> cells;
    for (auto i = begin; i < end; ++i) {
        const auto photon = static_cast<std::size_t>(i);
        const double time = events.time[photon];
        const auto slot = static_cast<std::uint64_t>((time - start) / step);
        const auto module =
            static_cast<std::uint64_t>(modules[static_cast<std::size_t>(i - begin)]);
        auto [cell, is_new] = cells.try_emplace(module << 40U | slot, Cell{time, 0.0});
        cell->second.first = std::min(cell->second.first, time);
        cell->second.charge += events.weight.empty() ? 1.0 : events.weight[photon];
    }
    return cells;
}

}  // namespace

std::string particle_name(std::int64_t type) {
    static const std::map<std::int64_t, std::string> names{
        {11, "e-"},       {-11, "e+"},      {13, "μ-"},
        {-13, "μ+"},      {15, "τ-"},       {-15, "τ+"},
        {12, "νe"},       {-12, "anti-νe"}, {14, "νμ"},
        {-14, "anti-νμ"}, {16, "ντ"},       {-16, "anti-ντ"},
        {22, "γ"},        {111, "π0"},      {211, "π+"},
        {-211, "π-"},     {2212, "p"},      {2112, "n"},
        {321, "K+"},      {-321, "K-"},     {-2000001006, "hadrons"}};
    const auto name = names.find(type);
    return name == names.end() ? base::format("particle {}", type) : name->second;
}

double muon_range(double energy) {
    constexpr double ionisation = 0.24, radiation = 3.3e-4;
    return std::log1p(std::max(0.0, energy) * radiation / ionisation) / radiation;
}

EventPicture::EventPicture(std::string title, std::int64_t most_hits,
                           optical::TruthDirection truth_direction)
    : most_hits_(most_hits), truth_direction_(truth_direction) {
    HODO_DOOR(most_hits >= 1);
    display_.title = std::move(title);
}

std::int64_t EventPicture::module_at(const optical::Point& position, optical::ModuleId id) {
    std::array<std::int64_t, 3> place{};
    for (std::size_t axis = 0; axis < 3; ++axis) place[axis] = std::llround(100.0 * position[axis]);
    const auto [entry, is_new] = places_.try_emplace(place, std::ssize(display_.modules));
    if (is_new) {
        display_.modules.push_back({position[0], position[1], position[2], id.string, id.sensor});
    }
    return entry->second;
}

void EventPicture::add_geometry(const optical::Geometry& geometry) {
    for (const auto& module : geometry.modules) module_at(module.position, module.id);
}

void EventPicture::add_modules(const optical::Events& events, std::int64_t event) {
    const auto e = static_cast<std::size_t>(event);
    for (auto i = events.offsets[e]; i < events.offsets[e + 1]; ++i) {
        const auto photon = static_cast<std::size_t>(i);
        module_at({events.x[photon], events.y[photon], events.z[photon]}, events.module(i));
    }
}

std::string EventPicture::add_hits(const optical::Events& events, std::int64_t event,
                                   draw::EventDisplay::Event& scene) {
    const auto e = static_cast<std::size_t>(event);
    const auto begin = events.offsets[e], end = events.offsets[e + 1];
    if (begin == end) return {};
    std::vector<std::int64_t> modules;
    for (auto i = begin; i < end; ++i) {
        const auto photon = static_cast<std::size_t>(i);
        modules.push_back(
            module_at({events.x[photon], events.y[photon], events.z[photon]}, events.module(i)));
    }
    const auto [first, last] =
        std::minmax_element(events.time.begin() + begin, events.time.begin() + end);
    const double start = *first, span = *last - *first;
    double step = 1.0;
    auto cells = cells_of(events, begin, end, modules, start, step);
    while (std::ssize(cells) > most_hits_ && step <= span) {
        step *= 2;
        cells = cells_of(events, begin, end, modules, start, step);
    }
    for (const auto& [key, cell] : cells) {
        scene.hits.push_back({static_cast<std::int64_t>(key >> 40U), cell.first, cell.charge});
    }
    std::sort(scene.hits.begin(), scene.hits.end(), [](const auto& a, const auto& b) {
        return std::tie(a.time, a.module) < std::tie(b.time, b.module);
    });
    std::string text;
    if (step > 1.0) text = base::format("in steps of {} ns", step);
    if (std::ssize(scene.hits) > most_hits_) {
        std::stable_sort(scene.hits.begin(), scene.hits.end(),
                         [](const auto& a, const auto& b) { return a.charge > b.charge; });
        scene.hits.resize(static_cast<std::size_t>(most_hits_));
        text += base::format(", the {} brightest modules", most_hits_);
    }
    return text;
}

/// Distance from `vertex` to beyond the farthest module: no line is longer.
double EventPicture::room_around(const optical::Point& vertex) const {
    double farthest = 0;
    for (const auto& m : display_.modules) {
        farthest =
            std::max(farthest, std::hypot(m.x - vertex[0], m.y - vertex[1], m.z - vertex[2]));
    }
    return 1.1 * farthest + 10.0;
}

void EventPicture::add_track(const optical::Particle& particle,
                             draw::EventDisplay::Event& scene) const {
    const auto direction = optical::travel_direction(particle.zenith, particle.azimuth);
    if (!is_finite(particle.position) || !is_finite(direction)) return;
    const double range = is_muon(particle) ? muon_range(particle.energy)
                                           : particle.energy / 1e6 * 50.0;  // Mean flight of a tau.
    const double length = std::min(range, room_around(particle.position));
    scene.tracks.push_back({.from = particle.position,
                            .to = along(particle.position, direction, length),
                            .start = 0.0,
                            .end = length / constants::speed_of_light,
                            .energy = particle.energy,
                            .label = particle_name(particle.type)});
}

void EventPicture::add_cascade(std::span<const optical::Particle> particles,
                               draw::EventDisplay::Event& scene) const {
    optical::Point sum{};
    double energy = 0;
    std::vector<std::string> names;
    for (const auto& particle : particles) {
        const auto direction = optical::travel_direction(particle.zenith, particle.azimuth);
        if (!is_finite(particle.position) || !is_finite(direction)) continue;
        sum = along(sum, direction, particle.energy);
        energy += particle.energy;
        names.push_back(particle_name(particle.type));
    }
    const double norm = std::hypot(sum[0], sum[1], sum[2]);
    if (!(norm > 0)) return;
    if (names.size() > 3) {
        names.resize(3);
        names.emplace_back("...");
    }
    // Depth of a shower's maximum: radiation length 0.39 m, critical energy 0.08 GeV.
    const double length = 0.39 * std::log(std::max(std::numbers::e, energy / 0.08));
    const auto& vertex = particles.front().position;
    scene.tracks.push_back({.from = vertex,
                            .to = along(vertex, sum, length / norm),
                            .start = 0.0,
                            .end = length / constants::speed_of_light,
                            .energy = energy,
                            .label = base::join(names, " + ")});
}

/// Muons and taus are lines; particles that make showers at one place are one cascade.
void EventPicture::add_final_state(std::vector<optical::Particle> particles,
                                   draw::EventDisplay::Event& scene) const {
    std::erase_if(particles, is_neutrino);  // They leave without light.
    std::stable_sort(particles.begin(), particles.end(),
                     [](const auto& a, const auto& b) { return a.energy > b.energy; });
    std::map<optical::Point, std::vector<optical::Particle>> cascades;
    std::size_t lines = 0;
    for (const auto& particle : particles) {
        if (!is_muon(particle) && !is_tau(particle)) {
            const auto& place = particle.position;
            if (!is_finite(place)) continue;
            if (cascades.size() < most_lines || cascades.contains(place)) {
                cascades[place].push_back(particle);
            }
        } else if (++lines <= most_lines) {
            add_track(particle, scene);
        }
    }
    for (const auto& [place, shower] : cascades) add_cascade(shower, scene);
}

void EventPicture::add_truth(const optical::Truth& truth, draw::EventDisplay::Event& scene) const {
    const auto& neutrino = truth.initial;
    const auto direction = optical::neutrino_direction(truth, truth_direction_);
    auto kind = particle_name(neutrino.type);
    if (truth.interaction == 1) kind += ", charged current";
    if (truth.interaction == 2) kind += ", neutral current";
    scene.facts.emplace_back("neutrino", kind);
    scene.facts.emplace_back("energy", energy_text(neutrino.energy));
    if (is_finite(direction)) {
        const double zenith = std::acos(std::clamp(direction[2], -1.0, 1.0));
        const double azimuth = std::atan2(direction[1], direction[0]);
        scene.facts.emplace_back(
            "travels to",
            base::format("zenith {:.1f}°, azimuth {:.1f}°", degrees(zenith),
                         degrees(azimuth < 0 ? azimuth + 2 * std::numbers::pi : azimuth)));
    }
    if (!is_finite(neutrino.position)) return;
    scene.facts.emplace_back("vertex",
                             base::format("{:.0f}, {:.0f}, {:.0f} m", neutrino.position[0],
                                          neutrino.position[1], neutrino.position[2]));
    if (is_finite(direction)) {
        const double length = room_around(neutrino.position);
        scene.tracks.push_back({.from = along(neutrino.position, direction, -length),
                                .to = neutrino.position,
                                .start = -length / constants::speed_of_light,
                                .end = 0.0,
                                .energy = neutrino.energy});
    }
    add_final_state(truth.final_state, scene);
}

void EventPicture::add_event(const optical::Events& events, std::int64_t event,
                             std::int64_t number) {
    draw::EventDisplay::Event scene{.title = base::format("event {}", number)};
    const auto remark = add_hits(events, event, scene);
    if (!events.truth.empty()) add_truth(events.truth[static_cast<std::size_t>(event)], scene);
    if (!remark.empty()) scene.facts.emplace_back("shown", remark);
    if (!scene.hits.empty()) {
        const auto [first, last] =
            std::minmax_element(scene.hits.begin(), scene.hits.end(),
                                [](const auto& a, const auto& b) { return a.time < b.time; });
        scene.facts.emplace_back("first light", time_text(first->time));
        scene.facts.emplace_back("last light", time_text(last->time));
    }
    display_.events.push_back(std::move(scene));
}

}  // namespace hodo::om2vec
