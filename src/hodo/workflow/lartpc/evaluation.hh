#pragma once
/// Outputs of networks beside the truth, file by file: what `report` shows and writes.
///
/// One file of voxels and its outputs are in memory at a time; what is kept of it are curves,
/// counts and particles.

#include "hodo/base/text.hh"
#include "hodo/detector/lartpc/charge_quality.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/detector/lartpc/geometry.hh"
#include "hodo/detector/lartpc/ghost_quality.hh"
#include "hodo/detector/lartpc/particle_quality.hh"
#include "hodo/io/json.hh"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hodo::lartpc {

/// Outputs and the xy file that they belong to.
struct JudgedFile {
    base::Path inference, xy;
    base::Path ghosts;  ///< Scores of a ghost network for the same voxels, or empty.
};

/// The yinf files of the epoch (-1: the last one) with their xy files. `ghosts` are yinf files of
/// any epoch, the last one counts. An error names the file that has no partner.
std::vector<JudgedFile> judged_files(const std::vector<std::string>& inference,
                                     const std::vector<std::string>& truth,
                                     const std::vector<std::string>& ghosts, std::int64_t epoch);

struct JudgementOptions {
    double threshold = 0.35;      ///< Of the score.
    double truth_threshold = 0;   ///< Least value of a true voxel.
    Downsampling merge{2, 2, 2};  ///< Of the merged curve.
    Point3 sides{6.26, 8, 8};     ///< Of a voxel [mm].
    double scale = 1;             ///< On the truth, for charges.
    Detector detector = protodune_sp();
};

/// The curves of section "efficiency and purity".
enum class CurveKind { active, all, weighted, merged };
inline constexpr std::array<std::string_view, 4> curve_names{"active", "all", "weighted", "merged"};

/// One event of a file.
struct JudgedEvent {
    std::int64_t file = 0;  ///< Index in the file's name.
    std::int64_t batch = 0, tpc = 0, number = 0;
    VoxelCounts counts, merged_counts;
    std::array<PurityCurve, curve_names.size()> curves;
};

struct JudgedParticle {
    std::int64_t file = 0, event = 0;
    ParticleQuality quality;
};

/// What scores are worth.
class GhostEvaluation {
  public:
    explicit GhostEvaluation(const JudgementOptions& options) : options_(options) {}

    /// Judges all events of a file. Events without true voxels are counted, and left out of curves.
    /// `ends` are the true ends of each event's tracks, or empty.
    void add(const FileName& name, const TiledBatch& batch, std::span<const float> scores,
             std::span<const TrackEnds> ends = {});

    PurityCurve mean(CurveKind kind) const;
    /// The mean of the curve `active` by TPC, segment, kind of particle.
    std::map<std::int64_t, PurityCurve> by_tpc() const;
    std::map<Segment, SegmentQuality> by_segment() const;
    std::map<std::string, PurityCurve> by_particle() const;
    VoxelCounts mean_counts(CurveKind kind = CurveKind::active) const;
    double ghosts_per_true() const;
    io::Json json() const;

    const JudgementOptions& options() const { return options_; }
    const std::vector<JudgedEvent>& events() const { return events_; }
    const std::vector<JudgedParticle>& particles() const { return particles_; }
    const Confusion& confusion() const { return confusion_; }
    /// True voxels by name of their particle.
    const std::map<std::string, Confusion>& confusion_by_name() const { return by_name_; }
    const ScoreHistogram& scores() const { return scores_; }
    const ErrorDistances& distances() const { return distances_; }
    const std::vector<TrackCharge>& true_tracks() const { return true_tracks_; }
    /// With charges in the unit of the truth: scaled so that kept true voxels have its sum.
    std::vector<TrackCharge> found_tracks() const;
    std::int64_t without_truth() const { return without_truth_; }

  private:
    void add_event(const FileName& name, const TiledBatch& batch, std::span<const float> scores,
                   std::int64_t event, const TrackEnds& ends);

    JudgementOptions options_;
    std::vector<JudgedEvent> events_;
    std::vector<JudgedParticle> particles_;
    std::map<Segment, std::vector<SegmentQuality>> segments_;
    Confusion confusion_;
    std::map<std::string, Confusion> by_name_;
    ScoreHistogram scores_;
    ErrorDistances distances_;
    std::vector<TrackCharge> true_tracks_, found_tracks_;
    double true_sum_ = 0, charge_sum_ = 0;  ///< Over kept true voxels.
    std::int64_t without_truth_ = 0;
};

/// What predicted charges are worth.
class ChargeEvaluation {
  public:
    explicit ChargeEvaluation(const JudgementOptions& options) : options_(options) {}

    /// `kept` are scores of a ghost network: voxels above the threshold are judged; empty: all.
    void add(const TiledBatch& batch, std::span<const float> charges, std::span<const float> kept);

    const ChargeQuality& quality() const { return quality_; }
    /// Sums of an event's voxels: true and predicted.
    const std::vector<std::pair<double, double>>& event_sums() const { return sums_; }
    io::Json json() const;

  private:
    JudgementOptions options_;
    ChargeQuality quality_;
    std::vector<std::pair<double, double>> sums_;
};

/// True voxels of an event, from Y_truth or else from Y. An error when the file has no truth.
VoxelImage truth_of(const TiledBatch& batch, std::int64_t event, std::string_view origin);

}  // namespace hodo::lartpc
