/// The numbers of an evaluation as JSON.

#include "hodo/workflow/lartpc/evaluation.hh"

namespace hodo::lartpc {

namespace {

io::Json numbers(const std::vector<double>& values) {
    auto list = io::Json::list();
    for (const double value : values) list.push(value);
    return list;
}

template <class Counts>
io::Json counts_list(const Counts& counts) {
    auto list = io::Json::list();
    for (const auto count : counts) list.push(count);
    return list;
}

io::Json curve_json(const PurityCurve& curve) {
    auto json = io::Json::object();
    json["area"] = curve.area();
    if (!curve.purity.empty()) {
        const auto best = curve.best();
        json["best_threshold"] = curve.thresholds[best];
        json["best_purity"] = curve.purity[best];
        json["best_efficiency"] = curve.sensitivity[best];
    }
    json["purity"] = numbers(curve.purity);
    json["efficiency"] = numbers(curve.sensitivity);
    return json;
}

io::Json voxels_json(const VoxelCounts& counts) {
    auto json = io::Json::object();
    json["true"] = counts.all_true;
    json["true_and_active"] = counts.active_true;
    json["ghosts"] = counts.ghosts;
    return json;
}

io::Json confusion_json(const Confusion& counts) {
    auto json = io::Json::object();
    json["true_kept"] = counts.true_kept;
    json["true_lost"] = counts.true_lost;
    json["true_not_active"] = counts.not_active;
    json["ghosts_kept"] = counts.ghosts_kept;
    json["ghosts_removed"] = counts.ghosts_removed;
    json["efficiency"] = counts.efficiency();
    json["purity"] = counts.purity();
    json["accuracy"] = counts.accuracy();
    return json;
}

io::Json particle_json(const JudgedParticle& particle) {
    const auto& quality = particle.quality;
    auto json = io::Json::object();
    json["file"] = particle.file;
    json["event"] = particle.event;
    json["track"] = quality.track;
    json["pdg"] = quality.pdg;
    json["true"] = quality.all_true;
    json["active"] = quality.active;
    json["true_and_active"] = quality.active_true;
    json["value"] = quality.value;
    json["area"] = quality.curve.area();
    json["theta"] = quality.direction.theta();
    json["phi"] = quality.direction.phi();
    json["straightness"] = quality.direction.explained;
    json["deviation"] = quality.deviation ? io::Json(*quality.deviation) : io::Json();
    return json;
}

io::Json tracks_json(const std::vector<TrackCharge>& tracks) {
    auto list = io::Json::list();
    for (const auto& track : tracks) {
        auto json = io::Json::object();
        json["pdg"] = track.pdg;
        json["residual_range_mm"] = numbers(track.residual_range);
        json["dqdx_per_mm"] = numbers(track.dqdx);
        list.push(std::move(json));
    }
    return list;
}

}  // namespace

io::Json GhostEvaluation::json() const {
    auto json = io::Json::object();
    json["events"] = static_cast<std::int64_t>(events_.size());
    json["events_without_truth"] = without_truth_;
    json["threshold"] = options_.threshold;
    json["truth_threshold"] = options_.truth_threshold;
    json["voxels_per_event"] = voxels_json(mean_counts());
    json["ghosts_per_true_voxel"] = ghosts_per_true();
    for (std::size_t kind = 0; kind < curve_names.size(); ++kind) {
        json["curves"][curve_names[kind]] = curve_json(mean(static_cast<CurveKind>(kind)));
    }
    for (const auto& [tpc, curve] : by_tpc()) {
        json["tpcs"][base::format("{}", tpc)] = curve_json(curve);
    }
    for (const auto& [segment, quality] : by_segment()) {
        auto& place = json["segments"][base::format("{}_{}", segment.first, segment.second)];
        place = curve_json(quality.curve);
        place["voxels_per_event"] = voxels_json(quality.counts);
    }
    for (const auto& [name, curve] : by_particle()) json["particles"][name] = curve_json(curve);
    json["confusion"] = confusion_json(confusion_);
    for (const auto& [name, counts] : by_name_) {
        json["true_voxels_by_particle"][name] = confusion_json(counts);
    }
    json["scores"]["true"] = counts_list(scores_.of_true);
    json["scores"]["ghosts"] = counts_list(scores_.of_ghosts);
    json["distances"]["kept_ghosts"] = counts_list(distances_.of_ghosts);
    json["distances"]["lost_true"] = counts_list(distances_.of_true);
    auto list = io::Json::list();
    for (const auto& particle : particles_) list.push(particle_json(particle));
    json["particle_list"] = std::move(list);
    json["tracks"]["true"] = tracks_json(true_tracks_);
    json["tracks"]["found"] = tracks_json(found_tracks());
    return json;
}

io::Json ChargeEvaluation::json() const {
    auto json = io::Json::object();
    json["voxels"] = quality_.voxels();
    json["mean_error"] = quality_.mean_error();
    json["deviation"] = quality_.deviation();
    json["mean_on_ghosts"] = quality_.mean_on_ghosts();
    json["sum_ratio"] = quality_.sum_ratio();
    auto bins = io::Json::list();
    for (const auto& bin : quality_.bins()) {
        auto entry = io::Json::object();
        entry["low"] = bin.low;
        entry["high"] = bin.high;
        entry["voxels"] = bin.voxels;
        entry["bias"] = bin.bias;
        entry["width"] = bin.width;
        bins.push(std::move(entry));
    }
    json["bins"] = std::move(bins);
    auto events = io::Json::list();
    for (const auto& [truth, predicted] : sums_) {
        auto entry = io::Json::object();
        entry["true"] = truth;
        entry["predicted"] = predicted;
        events.push(std::move(entry));
    }
    json["events"] = std::move(events);
    return json;
}

}  // namespace hodo::lartpc
