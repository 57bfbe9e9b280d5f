#include "hodo/workflow/lartpc/evaluation.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/workflow/lartpc/inference_files.hh"

#include <algorithm>
#include <cmath>

namespace hodo::lartpc {

namespace {

template <class T>
std::span<const T> rows_of(const std::vector<T>& values, const VoxelCloud& cloud,
                           std::int64_t event) {
    return std::span(values).subspan(
        static_cast<std::size_t>(cloud.begin(event)),
        static_cast<std::size_t>(cloud.end(event) - cloud.begin(event)));
}

std::span<const float> rows_of(std::span<const float> values, const VoxelCloud& cloud,
                               std::int64_t event) {
    return values.subspan(static_cast<std::size_t>(cloud.begin(event)),
                          static_cast<std::size_t>(cloud.end(event) - cloud.begin(event)));
}

/// The charge from the upright wires, which stand in the middle of the planes' order.
std::vector<float> upright_charge(const VoxelCloud& cloud, std::int64_t event) {
    std::vector<float> charge;
    for (auto i = cloud.begin(event); i < cloud.end(event); ++i) {
        const auto row = cloud.row(i);
        charge.push_back(row.size() > 1 ? row[1] : row[0]);
    }
    return charge;
}

/// The TPCs of a file: one, or the digits of joined ones; the beam's where the name tells none.
std::vector<int> tpcs_of(const FileName& name, const Detector& detector) {
    if (!name.tpc) return {detector.first_tpc()};
    const auto digits = name.text.substr(name.tpc_at, name.tpc_length);
    const bool is_joined = digits.size() > 1 && digits.front() == '0';
    if (!is_joined && *name.tpc < std::ssize(detector.tpcs)) return {static_cast<int>(*name.tpc)};
    std::vector<int> tpcs;
    for (const char digit : digits) tpcs.push_back(digit - '0');
    return tpcs;
}

/// Numbers of merged voxels.
VoxelCounts merged_counts(const ScoredEvent& event, Downsampling factors) {
    VoxelImage active{
        .voxels = {event.voxels.begin(), event.voxels.end()}, .width = 1, .values = {}};
    active.values.resize(active.voxels.size());
    const auto merged = merge_truth(active, factors);
    const auto truth = merge_truth(event.truth, factors);
    const std::vector<float> scores(merged.voxels.size());
    return count_voxels({truth, merged.voxels, scores});
}

}  // namespace

std::vector<JudgedFile> judged_files(const std::vector<std::string>& inference,
                                     const std::vector<std::string>& truth,
                                     const std::vector<std::string>& ghosts, std::int64_t epoch) {
    const auto outputs = inference_by_xy(inference, epoch);
    HODO_CHECK(!outputs.empty(), "{}: no outputs of epoch {}; choose another --epoch",
               inference.front(), epoch);
    std::int64_t last = 0;
    for (const auto& [name, output] : outputs) last = std::max(last, output.first);
    std::map<std::string, base::Path> xy;
    for (const auto& file : files_of_product(truth, "xy")) xy[file.filename().string()] = file;
    const auto scores = ghosts.empty() ? InferenceByXy{} : inference_by_xy(ghosts, -1);
    std::vector<JudgedFile> files;
    for (const auto& [name, output] : outputs) {
        if (output.first != last) continue;
        const auto partner = xy.find(name);
        HODO_CHECK(partner != xy.end(),
                   "{}: its voxels, {}, are not among the files of 'truth'; name their folder with "
                   "--truth",
                   output.second, name);
        JudgedFile file{output.second, partner->second, {}};
        if (!ghosts.empty()) {
            const auto kept = scores.find(name);
            HODO_CHECK(kept != scores.end(), "{}: the folder of 'ghosts' has no scores for it",
                       output.second);
            file.ghosts = kept->second.second;
        }
        files.push_back(std::move(file));
    }
    return files;
}

VoxelImage truth_of(const TiledBatch& batch, std::int64_t event, std::string_view origin) {
    if (!batch.truth.empty()) return batch.truth[static_cast<std::size_t>(event)];
    HODO_CHECK(batch.has_truth,
               "{}: has no truth (neither Y_truth nor Y), so nothing can be judged", origin);
    VoxelImage image{.voxels = {}, .width = 1, .values = {}};
    const auto& cloud = batch.cloud;
    for (auto i = cloud.begin(event); i < cloud.end(event); ++i) {
        const auto value = cloud.truth[static_cast<std::size_t>(i)];
        if (!(value > 0)) continue;
        image.voxels.push_back(cloud.voxels[static_cast<std::size_t>(i)]);
        image.values.push_back(static_cast<double>(value));
    }
    return image;
}

// ---- scores ---------------------------------------------------------------------------------

void GhostEvaluation::add(const FileName& name, const TiledBatch& batch,
                          std::span<const float> scores, std::span<const TrackEnds> ends) {
    HODO_DOOR(std::ssize(scores) == batch.cloud.size());
    HODO_DOOR(ends.empty() || std::ssize(ends) == batch.cloud.events());
    for (std::int64_t event = 0; event < batch.cloud.events(); ++event) {
        add_event(name, batch, scores, event,
                  ends.empty() ? TrackEnds{} : ends[static_cast<std::size_t>(event)]);
    }
}

void GhostEvaluation::add_event(const FileName& name, const TiledBatch& batch,
                                std::span<const float> scores, std::int64_t number,
                                const TrackEnds& ends) {
    const auto& cloud = batch.cloud;
    const auto truth = truth_above(truth_of(batch, number, name.text), options_.truth_threshold);
    const ScoredEvent event{truth, rows_of(cloud.voxels, cloud, number),
                            rows_of(scores, cloud, number)};
    confusion_ += lartpc::confusion(event, options_.threshold);
    add_scores(scores_, event);
    if (truth.size() == 0) {
        ++without_truth_;
        return;
    }
    for (const auto& [pdg, counts] : confusion_by_particle(event, options_.threshold)) {
        by_name_[particle_name(pdg)] += counts;
    }
    add_distances(distances_, event, options_.threshold);
    JudgedEvent judged{.file = name.index,
                       .batch = name.batch.value_or(0),
                       .tpc = name.tpc.value_or(0),
                       .number = number,
                       .counts = count_voxels(event),
                       .merged_counts = merged_counts(event, options_.merge),
                       .curves = {}};
    const PurityOptions active{.set = TruthSet::active};
    const auto curve = [&](CurveKind kind) -> PurityCurve& {
        return judged.curves[static_cast<std::size_t>(kind)];
    };
    curve(CurveKind::active) = purity_curve(truth, event.voxels, event.scores, active);
    curve(CurveKind::all) = purity_curve(truth, event.voxels, event.scores);
    curve(CurveKind::weighted) =
        purity_curve(truth, event.voxels, event.scores,
                     {TruthSet::active, Weighting::charge, Comparison::at_least});
    curve(CurveKind::merged) =
        merged_purity_curve(truth, event.voxels, event.scores, options_.merge,
                            {TruthSet::active, Weighting::number, Comparison::at_least});
    events_.push_back(std::move(judged));
    for (auto& [segment, quality] : segment_quality(event, active)) {
        segments_[segment].push_back(std::move(quality));
    }
    const auto charge = upright_charge(cloud, number);
    auto found = judge_particles(
        event, charge,
        {.threshold = options_.threshold,
         .sides = options_.sides,
         .purity = active,
         .volume = active_volume(options_.detector, tpcs_of(name, options_.detector))},
        ends);
    for (auto& particle : found.particles) {
        particles_.push_back({name.index, number, std::move(particle)});
    }
    std::move(found.true_tracks.begin(), found.true_tracks.end(), std::back_inserter(true_tracks_));
    std::move(found.found_tracks.begin(), found.found_tracks.end(),
              std::back_inserter(found_tracks_));
    const auto values = truth_at(truth, event.voxels);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!(values[i] > 0 && static_cast<double>(event.scores[i]) > options_.threshold)) continue;
        true_sum_ += static_cast<double>(values[i]);
        charge_sum_ += static_cast<double>(charge[i]);
    }
}

PurityCurve GhostEvaluation::mean(CurveKind kind) const {
    std::vector<PurityCurve> curves;
    for (const auto& event : events_) {
        curves.push_back(event.curves[static_cast<std::size_t>(kind)]);
    }
    return mean_curve(curves);
}

std::map<std::int64_t, PurityCurve> GhostEvaluation::by_tpc() const {
    std::map<std::int64_t, std::vector<PurityCurve>> curves;
    for (const auto& event : events_) curves[event.tpc].push_back(event.curves.front());
    std::map<std::int64_t, PurityCurve> means;
    for (const auto& [tpc, of_tpc] : curves) means[tpc] = mean_curve(of_tpc);
    return means;
}

std::map<Segment, SegmentQuality> GhostEvaluation::by_segment() const {
    std::map<Segment, SegmentQuality> means;
    for (const auto& [segment, qualities] : segments_) {
        std::vector<PurityCurve> curves;
        SegmentQuality mean;
        const auto n = static_cast<double>(qualities.size());
        for (const auto& quality : qualities) {
            curves.push_back(quality.curve);
            mean.counts.all_true += quality.counts.all_true / n;
            mean.counts.active_true += quality.counts.active_true / n;
            mean.counts.ghosts += quality.counts.ghosts / n;
        }
        mean.curve = mean_curve(curves);
        means[segment] = std::move(mean);
    }
    return means;
}

std::map<std::string, PurityCurve> GhostEvaluation::by_particle() const {
    std::map<std::string, std::vector<PurityCurve>> curves;
    for (const auto& particle : particles_) {
        curves[particle_name(particle.quality.pdg)].push_back(particle.quality.curve);
    }
    std::map<std::string, PurityCurve> means;
    for (const auto& [name, of_name] : curves) means[name] = mean_curve(of_name);
    return means;
}

VoxelCounts GhostEvaluation::mean_counts(CurveKind kind) const {
    VoxelCounts mean;
    const auto n = static_cast<double>(std::max<std::size_t>(1, events_.size()));
    for (const auto& event : events_) {
        const auto& counts = kind == CurveKind::merged ? event.merged_counts : event.counts;
        mean.all_true += counts.all_true / n;
        mean.active_true += counts.active_true / n;
        mean.ghosts += counts.ghosts / n;
    }
    return mean;
}

double GhostEvaluation::ghosts_per_true() const {
    const auto mean = mean_counts();
    return mean.active_true > 0 ? mean.ghosts / mean.active_true : 0;
}

std::vector<TrackCharge> GhostEvaluation::found_tracks() const {
    auto tracks = found_tracks_;
    const double factor = charge_sum_ > 0 ? true_sum_ / charge_sum_ : 1;
    for (auto& track : tracks) {
        for (double& value : track.dqdx) value *= factor;
    }
    return tracks;
}

// ---- charges --------------------------------------------------------------------------------

void ChargeEvaluation::add(const TiledBatch& batch, std::span<const float> charges,
                           std::span<const float> kept) {
    const auto& cloud = batch.cloud;
    HODO_DOOR(std::ssize(charges) == cloud.size() && std::ssize(cloud.truth) == cloud.size());
    for (std::int64_t event = 0; event < cloud.events(); ++event) {
        std::vector<float> truth, predicted;
        double true_sum = 0, sum = 0;
        for (auto i = static_cast<std::size_t>(cloud.begin(event));
             i < static_cast<std::size_t>(cloud.end(event)); ++i) {
            if (!kept.empty() && !(static_cast<double>(kept[i]) > options_.threshold)) continue;
            truth.push_back(
                static_cast<float>(static_cast<double>(cloud.truth[i]) * options_.scale));
            predicted.push_back(charges[i]);
            true_sum += static_cast<double>(truth.back());
            sum += static_cast<double>(charges[i]);
        }
        quality_.add(truth, predicted);
        sums_.emplace_back(true_sum, sum);
    }
}

}  // namespace hodo::lartpc
