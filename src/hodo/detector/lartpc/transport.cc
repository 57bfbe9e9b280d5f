#include "hodo/detector/lartpc/transport.hh"

#include "hodo/detector/lartpc/argon.hh"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hodo::lartpc {

namespace {

using argon::electron_mass;

// Energies in MeV, lengths in cm.
constexpr double soft_limit = 0.01;   // collisions below are part of the mean loss
constexpr double delta_limit = 1.0;   // collisions above become electrons
constexpr double photon_limit = 1.0;  // radiated photons below are left on the spot
constexpr double longest_step = 0.1, shortest_step = 0.005;
constexpr double loss_per_step = 0.1;  // of the kinetic energy
constexpr double electron_end = 0.2, heavy_end = 0.3, photon_end = 0.05;
constexpr double mm_per_cm = 10;
constexpr int photon_pdg = 22;
constexpr double speed_of_light = 299.792458;  // [mm/ns] x 1e3 = [mm/us] below
constexpr double mm_per_us = speed_of_light * 1e3;
constexpr double muon_lifetime = 2.197,
                 captured_lifetime = 0.57;  // [us]; in argon, arXiv:1007.2925
constexpr double free_decay_of_captured = 0.26;
constexpr double muon_from_pion = 4.1;  // kinetic energy of the muon of a pion at rest
constexpr double pi0_mass = 134.977;
constexpr double lost_to_neutrons = 0.3;

double mass_of(int pdg) {
    switch (std::abs(pdg)) {
        case 11:
            return electron_mass;
        case 13:
            return argon::muon_mass;
        case 211:
            return argon::pion_mass;
        default:
            return argon::proton_mass;
    }
}

void move(Particle& particle, double step) {
    for (std::size_t d = 0; d < 3; ++d) {
        particle.position[d] += particle.direction[d] * step * mm_per_cm;
    }
    particle.time += step * mm_per_cm / mm_per_us;
}

}  // namespace

bool World::contains(const Point3& point) const {
    for (std::size_t d = 0; d < 3; ++d) {
        if (point[d] < low[d] || point[d] > high[d]) return false;
    }
    return true;
}

Point3 turned(const Point3& u, double theta, double phi) {
    const double s = std::sin(theta), c = std::cos(theta);
    const double a = s * std::cos(phi), b = s * std::sin(phi);
    const double across = std::hypot(u[0], u[1]);
    if (across < 1e-9) return {a, b, u[2] > 0 ? c : -c};
    Point3 v{u[0] * c + (u[0] * u[2] * a - u[1] * b) / across,
             u[1] * c + (u[1] * u[2] * a + u[0] * b) / across, u[2] * c - across * a};
    const double norm = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    for (double& component : v) component /= norm;
    return v;
}

void Transport::follow(const Particle& primary) {
    add(primary, true);
    while (!waiting_.empty()) {
        const auto particle = waiting_.back();
        waiting_.pop_back();
        follow_one(particle);
    }
}

void Transport::add(Particle particle, bool is_new_track) {
    if (is_new_track) {
        particle.track = next_track++;
        tracks_.push_back({particle.track, particle.pdg, 0, particle.position, particle.position});
    }
    waiting_.push_back(particle);
}

Point3 Transport::isotropic() {
    return turned({0, 0, 1}, std::acos(random_.uniform(-1, 1)),
                  random_.uniform(0, 2 * std::numbers::pi));
}

void Transport::leave(const Particle& particle, double energy, double length) {
    if (energy <= 0) return;
    deposits_.push_back({particle.position, particle.time, energy, length * mm_per_cm,
                         particle.track, particle.pdg});
    for (auto track = tracks_.rbegin(); track != tracks_.rend(); ++track) {
        if (track->track != particle.track) continue;
        ++track->points;
        // Electrons that a track knocks out are followed after it and do not end it.
        if (particle.pdg == track->pdg || track->pdg == photon_pdg) track->end = particle.position;
        break;
    }
}

void Transport::follow_one(Particle particle) {
    const int kind = std::abs(particle.pdg);
    if (kind == 22) return follow_photon(particle);
    if (kind == 11) return follow_electron(particle);
    follow_heavy(particle, mass_of(particle.pdg));
}

double Transport::ionize(Particle& particle, double mass, double step) {
    move(particle, step / 2);
    double local = argon::energy_loss(mass, particle.kinetic, soft_limit) * step;
    double lost = local;
    const double upper = argon::largest_transfer(mass, particle.kinetic);
    const auto hits =
        random_.poisson(argon::collisions(mass, particle.kinetic, soft_limit, upper) * step);
    for (std::int64_t i = 0; i < hits; ++i) {
        const double u = random_.uniform();
        const double transfer = 1 / ((1 - u) / soft_limit + u / upper);
        // The spectrum falls a little faster than 1/T^2.
        if (random_.uniform() < transfer / upper * 0.5) continue;
        if (lost + transfer >= particle.kinetic) continue;
        lost += transfer;
        if (transfer < delta_limit) {
            local += transfer;
            continue;
        }
        const double cosine = std::sqrt(transfer / (transfer + 2 * electron_mass));
        auto electron = particle;
        electron.pdg = 11;
        electron.kinetic = transfer;
        electron.direction = turned(particle.direction, std::acos(std::min(1.0, cosine)),
                                    random_.uniform(0, 2 * std::numbers::pi));
        add(electron, false);
    }
    lost = std::min(lost, particle.kinetic);
    leave(particle, std::min(local, lost), step);
    move(particle, step / 2);
    particle.kinetic -= lost;
    return lost;
}

void Transport::scatter(Particle& particle, double mass, double step) {
    // Highland's formula, PDG review 2022, section 34.3.
    const double total = particle.kinetic + mass;
    const double beta_momentum = particle.kinetic * (particle.kinetic + 2 * mass) / total;
    const double x = step / argon::radiation_length;
    const double width =
        13.6 / beta_momentum * std::sqrt(x) * std::max(0.5, 1 + 0.038 * std::log(x));
    const double theta =
        std::min(std::numbers::pi, width * std::numbers::sqrt2 * std::sqrt(random_.exponential()));
    particle.direction =
        turned(particle.direction, theta, random_.uniform(0, 2 * std::numbers::pi));
}

void Transport::follow_heavy(Particle& particle, double mass) {
    const bool is_hadron = mass != argon::muon_mass;
    while (particle.kinetic > heavy_end) {
        if (!world_.contains(particle.position)) return;
        const double loss = argon::energy_loss(mass, particle.kinetic, delta_limit);
        const double step =
            std::clamp(loss_per_step * particle.kinetic / loss, shortest_step, longest_step);
        if (is_hadron && random_.uniform() < step / argon::interaction_length) {
            return break_nucleus(particle);
        }
        ionize(particle, mass, step);
        if (particle.kinetic > heavy_end) scatter(particle, mass, step);
    }
    leave(particle, particle.kinetic, shortest_step);
    stop(particle);
}

void Transport::follow_electron(Particle& particle) {
    while (particle.kinetic > electron_end) {
        if (!world_.contains(particle.position)) return;
        const double loss = argon::energy_loss(electron_mass, particle.kinetic, delta_limit);
        const double step =
            std::clamp(loss_per_step * particle.kinetic / loss, shortest_step, longest_step);
        radiate(particle, step);
        if (particle.kinetic <= electron_end) break;
        ionize(particle, electron_mass, step);
        if (particle.kinetic > electron_end) scatter(particle, electron_mass, step);
    }
    leave(particle, std::max(0.0, particle.kinetic), longest_step / 2);
}

void Transport::radiate(Particle& electron, double step) {
    const double energy = electron.kinetic;
    // Soft photons: the mean of y dN/dy = (4/3 - 4/3 y + y^2) step / X0 below the limit.
    const double least = std::min(1.0, photon_limit / energy);
    const double soft = step / argon::radiation_length * energy * 4.0 / 3.0 * least *
                        (1 - least / 2 + least * least / 4);
    electron.kinetic -= soft;
    leave(electron, soft, step);
    if (least >= 1) return;
    const double number =
        step / argon::radiation_length *
        (-4.0 / 3.0 * std::log(least) - 4.0 / 3.0 * (1 - least) + 0.5 * (1 - least * least));
    for (auto i = random_.poisson(number); i > 0; --i) {
        double y = 1;
        do {
            y = std::pow(least, random_.uniform());
        } while (random_.uniform() > 1 - y + 0.75 * y * y);
        const double photon_energy = y * energy;
        if (photon_energy >= electron.kinetic) continue;
        electron.kinetic -= photon_energy;
        auto photon = electron;
        photon.pdg = 22;
        photon.kinetic = photon_energy;
        add(photon, false);
    }
}

void Transport::follow_photon(Particle& photon) {
    while (photon.kinetic > photon_end) {
        const double pair = argon::pair_length(photon.kinetic);
        const double compton = argon::compton_length(photon.kinetic);
        const double rate = 1 / pair + 1 / compton;
        move(photon, random_.exponential() / rate);
        if (!world_.contains(photon.position)) return;
        if (random_.uniform() < 1 / pair / rate) return make_pair(photon);
        scatter_photon(photon);
    }
    auto electron = photon;
    electron.pdg = 11;
    leave(electron, photon.kinetic, shortest_step);
}

void Transport::make_pair(const Particle& photon) {
    const double available = photon.kinetic - 2 * electron_mass, part = random_.uniform();
    for (const double fraction : {part, 1 - part}) {
        auto electron = photon;
        electron.pdg = fraction == part ? 11 : -11;
        electron.kinetic = std::max(0.0, available * fraction);
        const double angle = std::min(0.5, electron_mass / (electron.kinetic + electron_mass));
        electron.direction = turned(photon.direction, angle * random_.exponential(),
                                    random_.uniform(0, 2 * std::numbers::pi));
        add(electron, false);
    }
}

void Transport::scatter_photon(Particle& photon) {
    // Klein and Nishina's spectrum of the scattered photon, by acceptance.
    const double k = photon.kinetic / electron_mass, least = 1 / (1 + 2 * k);
    double ratio = 1, cosine = 1;
    do {
        ratio = random_.uniform(least, 1);
        cosine = 1 - (1 / ratio - 1) / k;
    } while (random_.uniform() * (1 / least + least) > ratio + 1 / ratio - (1 - cosine * cosine));
    const double phi = random_.uniform(0, 2 * std::numbers::pi);
    auto electron = photon;
    electron.pdg = 11;
    electron.kinetic = photon.kinetic * (1 - ratio);
    const double theta = std::atan2(1.0, (1 + k) * std::tan(std::acos(cosine) / 2) + 1e-12);
    electron.direction = turned(photon.direction, theta, phi + std::numbers::pi);
    add(electron, false);
    photon.kinetic *= ratio;
    photon.direction = turned(photon.direction, std::acos(std::clamp(cosine, -1.0, 1.0)), phi);
}

void Transport::stop(const Particle& particle) {
    const int kind = std::abs(particle.pdg);
    if (kind == 2212 || (kind == 211 && particle.pdg < 0)) return;
    auto muon = particle;
    if (kind == 211) leave(muon, muon_from_pion, shortest_step);
    const bool is_captured = particle.pdg == 13;
    if (is_captured && random_.uniform() > free_decay_of_captured) return;
    muon.time += random_.exponential() * (is_captured ? captured_lifetime : muon_lifetime);
    // Michel's spectrum: dN/dx = 2 x^2 (3 - 2 x), x = E / E_max.
    double x = 0;
    do {
        x = random_.uniform();
    } while (random_.uniform() > x * x * (3 - 2 * x));
    muon.pdg = particle.pdg > 0 && kind == 13 ? 11 : -11;
    muon.kinetic = x * argon::muon_mass / 2;
    muon.direction = isotropic();
    add(muon, true);
}

void Transport::break_nucleus(const Particle& particle) {
    double available = particle.kinetic * (1 - lost_to_neutrons);
    const auto count = 2 + random_.below(3);
    for (std::uint64_t i = 0; i < count && available > 5; ++i) {
        const double part = available * random_.uniform(0.2, 0.7);
        available -= part;
        auto child = particle;
        const double choice = random_.uniform();
        child.pdg = choice < 0.5 ? 2212 : choice < 0.65 ? 211 : choice < 0.8 ? -211 : 111;
        if (child.pdg != 2212 && part < pi0_mass + 50) child.pdg = 2212;
        const auto kick = isotropic();
        const double ahead = std::min(2.0, std::sqrt(part / 200));
        double norm = 0;
        for (std::size_t d = 0; d < 3; ++d) {
            child.direction[d] = particle.direction[d] * ahead + kick[d];
            norm += child.direction[d] * child.direction[d];
        }
        for (double& component : child.direction) component /= std::sqrt(norm);
        child.kinetic = child.pdg == 2212 ? part : part - pi0_mass;
        if (child.pdg != 111) {
            add(child, true);
            continue;
        }
        const double energy = child.kinetic + pi0_mass, share = random_.uniform(0.1, 0.9);
        const double opening = pi0_mass / energy / std::sqrt(share * (1 - share));
        const double phi = random_.uniform(0, 2 * std::numbers::pi);
        for (const double fraction : {share, 1 - share}) {
            auto photon = child;
            photon.pdg = 22;
            photon.kinetic = energy * fraction;
            photon.direction = turned(child.direction, std::min(1.5, opening * (1 - fraction)),
                                      fraction == share ? phi : phi + std::numbers::pi);
            add(photon, true);
        }
    }
}

}  // namespace hodo::lartpc
