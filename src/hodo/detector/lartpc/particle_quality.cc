#include "hodo/detector/lartpc/particle_quality.hh"

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"
#include "hodo/base/units.hh"
#include "hodo/detector/lartpc/nearest.hh"
#include "hodo/detector/lartpc/truth.hh"

#include <algorithm>
#include <cmath>
#include <map>

namespace hodo::lartpc {

namespace {

/// A track is straight when so much of its spread lies along one axis.
constexpr double straight = 0.95;

struct Members {
    std::vector<std::size_t> truth, active;  ///< Rows.
};
using Key = std::pair<std::int64_t, std::int64_t>;  // track, particle

std::map<Key, Members> members_of(const ScoredEvent& event) {
    const auto& truth = event.truth;
    const auto key = [&](std::int64_t row) {
        return Key{static_cast<std::int64_t>(truth.value(row, 1)),
                   static_cast<std::int64_t>(truth.value(row, 2))};
    };
    std::map<Key, Members> members;
    for (std::int64_t row = 0; row < truth.size(); ++row) {
        members[key(row)].truth.push_back(static_cast<std::size_t>(row));
    }
    const auto nearest = nearest_rows(truth.voxels, event.voxels);
    for (std::size_t i = 0; i < nearest.size(); ++i) {
        if (nearest[i] >= 0) members[key(nearest[i])].active.push_back(i);
    }
    return members;
}

bool is_track(std::int64_t pdg) {
    const auto kind = std::abs(pdg);
    return kind == 13 || kind == 211 || kind == 2212 || kind == 321;
}

bool is_inside(const Point3& point, const Point3& low, const Point3& high) {
    for (std::size_t d = 0; d < 3; ++d) {
        if (point[d] < low[d] + fiducial_margin || point[d] > high[d] - fiducial_margin) {
            return false;
        }
    }
    return true;
}

class Judge {
  public:
    Judge(const ScoredEvent& event, std::span<const float> charge, const ParticleOptions& options,
          const TrackEnds& ends)
        : event_(event), charge_(charge), options_(options), ends_(ends) {
        fit_.diagonal = std::hypot(options.sides[0], options.sides[1], options.sides[2]);
    }

    void add(EventParticles& result, const Key& key, const Members& members) const {
        if (std::ssize(members.active) < least_active || std::ssize(members.truth) < least_true) {
            return;
        }
        ParticleQuality particle{.track = key.first, .pdg = key.second};
        particle.all_true = std::ssize(members.truth);
        particle.active = std::ssize(members.active);
        add_curve(particle, members);
        std::vector<Point3> points, kept;
        std::vector<double> value, kept_charge;
        for (const auto row : members.truth) {
            points.push_back(place(event_.truth.voxels[row]));
            value.push_back(event_.truth.value(static_cast<std::int64_t>(row)));
        }
        for (const auto row : members.active) {
            if (!(static_cast<double>(event_.scores[row]) > options_.threshold)) continue;
            kept.push_back(place(event_.voxels[row]));
            kept_charge.push_back(static_cast<double>(charge_[row]));
        }
        particle.direction = principal_axis(points);
        if (std::ssize(kept) >= least_true) {
            particle.deviation = angle(particle.direction, principal_axis(kept));
            if (is_track(particle.pdg) && particle.direction.explained > straight) {
                const auto truth = fit_track(points, value, fit_);
                if (stops_inside(particle.track, truth, points)) {
                    add_tracks(result, particle.pdg, truth, fit_track(kept, kept_charge, fit_));
                }
            }
        }
        result.particles.push_back(std::move(particle));
    }

  private:
    Point3 place(const Voxel& voxel) const {
        Point3 point{};
        for (std::size_t d = 0; d < 3; ++d) point[d] = (voxel[d] + 0.5) * options_.sides[d];
        return point;
    }

    void add_curve(ParticleQuality& particle, const Members& members) const {
        VoxelImage truth{.voxels = {}, .width = 1, .values = {}};
        std::vector<Voxel> voxels;
        std::vector<float> scores;
        for (const auto row : members.truth) {
            truth.voxels.push_back(event_.truth.voxels[row]);
            truth.values.push_back(event_.truth.value(static_cast<std::int64_t>(row)));
        }
        for (const auto row : members.active) {
            voxels.push_back(event_.voxels[row]);
            scores.push_back(event_.scores[row]);
        }
        // A true voxel is its own nearest one, so all active true voxels of the particle are here.
        for (const float found : truth_at(truth, voxels)) {
            particle.active_true += found > 0 ? 1 : 0;
            particle.value += static_cast<double>(found);
        }
        particle.curve = purity_curve(truth, voxels, scores, options_.purity);
    }

    static double angle(const PrincipalAxis& a, const PrincipalAxis& b) {
        double product = 0;
        for (std::size_t d = 0; d < 3; ++d) product += a.direction[d] * b.direction[d];
        return std::acos(std::min(1.0, std::abs(product))) / units::degree;
    }

    bool stops_inside(std::int64_t track, const TrackFit& fit,
                      std::span<const Point3> points) const {
        if (fit.range.empty()) return false;
        const auto& volume = options_.volume;
        if (const auto end = ends_.find(track); end != ends_.end()) {
            return is_inside(end->second, volume.hall_low, volume.hall_high);
        }
        const auto [first, last] = std::minmax_element(
            points.begin(), points.end(), [](const auto& a, const auto& b) { return a[0] < b[0]; });
        const double drift = volume.high[0] - volume.low[0];
        return (*last)[0] - (*first)[0] < drift - fiducial_margin &&
               is_inside(fit.end, volume.low, volume.high);
    }

    static TrackCharge from_the_end(std::int64_t pdg, const TrackFit& fit) {
        TrackCharge track{.pdg = pdg, .residual_range = {}, .dqdx = fit.dqdx};
        for (const double range : fit.range) {
            track.residual_range.push_back(fit.range.back() - range);
        }
        return track;
    }

    void add_tracks(EventParticles& result, std::int64_t pdg, const TrackFit& truth,
                    const TrackFit& found) const {
        if (found.range.empty()) return;
        result.true_tracks.push_back(from_the_end(pdg, truth));
        result.found_tracks.push_back(from_the_end(pdg, found));
    }

    const ScoredEvent& event_;
    std::span<const float> charge_;
    const ParticleOptions& options_;
    const TrackEnds& ends_;
    TrackFitOptions fit_;
};

}  // namespace

ActiveVolume active_volume(const Detector& detector, std::span<const int> tpcs) {
    HODO_DOOR(!tpcs.empty());
    const auto& first = detector.tpc(tpcs.front());
    ActiveVolume volume{.low = {}, .high = {}, .hall_low = first.low, .hall_high = first.high};
    for (const int tpc : tpcs) {
        const auto& box = detector.tpc(tpc);
        for (std::size_t d = 0; d < 3; ++d) {
            volume.hall_low[d] = std::min(volume.hall_low[d], box.low[d]);
            volume.hall_high[d] = std::max(volume.hall_high[d], box.high[d]);
        }
    }
    for (std::size_t d = 0; d < 3; ++d) {
        volume.low[d] = volume.hall_low[d] - first.low[d];
        volume.high[d] = volume.hall_high[d] - first.low[d];
    }
    // Local x counts from the readout's begin, a while before the particles in time.
    const double shift = detector.drift_speed * detector.simulation_time;
    volume.low[0] = shift;
    volume.high[0] = shift + first.high[0] - first.low[0];
    return volume;
}

EventParticles judge_particles(const ScoredEvent& event, std::span<const float> charge,
                               const ParticleOptions& options, const TrackEnds& ends) {
    HODO_DOOR(charge.size() == event.voxels.size() && event.scores.size() == event.voxels.size());
    EventParticles result;
    if (event.truth.width < 3) return result;
    const Judge judge(event, charge, options, ends);
    for (const auto& [key, members] : members_of(event)) judge.add(result, key, members);
    return result;
}

std::string particle_name(std::int64_t pdg) {
    switch (std::abs(pdg)) {
        case 11:
            return "electron";
        case 13:
            return "muon";
        case 22:
            return "photon";
        case 211:
            return "pion";
        case 2212:
            return "proton";
        default:
            return base::format("PDG {}", std::abs(pdg));
    }
}

}  // namespace hodo::lartpc
