#pragma once
/// Scores by particle: which voxels belong to whom, curves, directions and charge per length.

#include "hodo/detector/lartpc/ghost_quality.hh"
#include "hodo/detector/lartpc/track_fit.hh"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hodo::lartpc {

/// A particle with less is not judged on its own.
inline constexpr std::int64_t least_active = 50, least_true = 20;

/// A particle of one event. Active voxels belong to the particle of the nearest true voxel.
struct ParticleQuality {
    std::int64_t track = 0, pdg = 0;
    std::int64_t all_true = 0;     ///< True voxels.
    std::int64_t active = 0;       ///< Active voxels that belong to it.
    std::int64_t active_true = 0;  ///< Active true voxels among them.
    double value = 0;              ///< Sum of the true values of its active true voxels.
    PurityCurve curve;             ///< Of its active voxels.
    PrincipalAxis direction;       ///< Of its true voxels [mm].
    /// Angle between that axis and the one of the voxels kept [degree]; nothing with fewer than
    /// `least_true` of them.
    std::optional<double> deviation;
};

/// Charge per length along a stopping track, against what is left of it [mm].
struct TrackCharge {
    std::int64_t pdg = 0;
    std::vector<double> residual_range, dqdx;
};

/// A track stops inside when its end lies so far from every face of the active volume [mm].
inline constexpr double fiducial_margin = 80;

/// An active volume, seen in the frame of its voxels and in the hall [mm]. In x the first is that
/// of particles in time: what enters at another time is shifted along the drift.
struct ActiveVolume {
    Point3 low{}, high{};
    Point3 hall_low{}, hall_high{};
};
/// Of one TPC, or of several that were joined in the frame of the first.
ActiveVolume active_volume(const Detector& detector, std::span<const int> tpcs);

/// Where tracks truly end [mm in the hall], by their number.
using TrackEnds = std::map<std::int64_t, Point3>;

struct ParticleOptions {
    double threshold = 0.35;   ///< Of the score, for directions and charges.
    Point3 sides{6.26, 8, 8};  ///< Of a voxel [mm].
    PurityOptions purity;
    ActiveVolume volume;  ///< Tracks that stop in it have their charge per length told.
};

/// What is known of an event's particles. The truth needs columns for track and particle.
struct EventParticles {
    std::vector<ParticleQuality> particles;
    std::vector<TrackCharge> true_tracks, found_tracks;  ///< The same particles in both.
};
/// `charge` is what the track's charge is made of, one per voxel of the event. A track stops inside
/// when `ends` says so; where `ends` does not know it, when its last voxels do and it does not
/// cross the whole drift. That cannot tell a particle out of time that leaves through the anode or
/// the cathode from one that stops.
EventParticles judge_particles(const ScoredEvent& event, std::span<const float> charge,
                               const ParticleOptions& options, const TrackEnds& ends = {});

/// "muon", "electron", ... for either sign; "PDG 321" for others.
std::string particle_name(std::int64_t pdg);

}  // namespace hodo::lartpc
