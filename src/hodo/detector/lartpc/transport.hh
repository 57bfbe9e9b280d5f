#pragma once
/// Particles in liquid argon as chains of small energy deposits.
///
/// Muons, charged pions and protons lose energy by ionization, in steps of at most a millimetre
/// with single collisions above 10 keV drawn from their spectrum, and scatter; those above 1 MeV
/// become electrons of their own. Electrons radiate photons, photons make pairs or scatter, so
/// that showers grow by themselves. Pions and protons may break up nuclei; muons and pions that
/// stop may give a decay electron. Simplifications: docs/physics/lartpc.md.

#include "hodo/base/random.hh"
#include "hodo/detector/lartpc/geometry.hh"

#include <cstdint>
#include <vector>

namespace hodo::lartpc {

/// A particle to be followed.
struct Particle {
    int pdg = 13;
    Point3 position{};   ///< [mm]
    Point3 direction{};  ///< Unit vector.
    double kinetic = 0;  ///< [MeV]
    double time = 0;     ///< [us]
    int track = 1;
};

/// Energy left along a short piece of a track.
struct Deposit {
    Point3 position{};  ///< [mm]
    double time = 0;    ///< [us]
    double energy = 0;  ///< [MeV]
    double length = 0;  ///< [mm]
    int track = 0, pdg = 0;
};

/// Where particles are followed.
struct World {
    Point3 low{}, high{};  ///< [mm]
    bool contains(const Point3& point) const;
};

/// One track as it went.
struct TrackSummary {
    int track = 0, pdg = 0;
    std::int64_t points = 0;
    Point3 start{}, end{};
};

/// Follows a particle and all that it makes. New tracks are numbered from `next_track` on.
class Transport {
  public:
    Transport(const World& world, base::Random random) : world_(world), random_(random) {}

    void follow(const Particle& primary);
    const std::vector<Deposit>& deposits() const { return deposits_; }
    const std::vector<TrackSummary>& tracks() const { return tracks_; }
    int next_track = 1;

  private:
    void follow_one(Particle particle);
    void follow_heavy(Particle& particle, double mass);
    void follow_electron(Particle& particle);
    void follow_photon(Particle& particle);
    /// Ionization along one step; the particle is moved. Returns what it lost [MeV].
    double ionize(Particle& particle, double mass, double step);
    void radiate(Particle& electron, double step);
    void scatter(Particle& particle, double mass, double step);
    void make_pair(const Particle& photon);
    void scatter_photon(Particle& photon);
    void stop(const Particle& particle);
    void break_nucleus(const Particle& particle);
    void leave(const Particle& particle, double energy, double length);
    void add(Particle particle, bool is_new_track);
    Point3 isotropic();

    World world_;
    base::Random random_;
    std::vector<Particle> waiting_;
    std::vector<Deposit> deposits_;
    std::vector<TrackSummary> tracks_;
};

/// `direction` turned by angle `theta` around azimuth `phi`.
Point3 turned(const Point3& direction, double theta, double phi);

}  // namespace hodo::lartpc
