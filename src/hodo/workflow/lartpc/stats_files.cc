#include "hodo/workflow/lartpc/stats_files.hh"

#include "hodo/io/npz_archive.hh"

namespace hodo::lartpc {

namespace {

io::Array number(double value) {
    return io::make_array(std::span<const double>(&value, 1), {});
}

io::Array row(const std::vector<double>& values) {
    return io::make_array(values);
}

std::vector<io::Array> segment_arrays(const SegmentQuality& quality) {
    return {row(quality.curve.purity), row(quality.curve.sensitivity),
            number(quality.counts.all_true), number(quality.counts.active_true),
            number(quality.counts.ghosts)};
}

io::Array event_array(const JudgedEvent& event) {
    std::vector<double> values{static_cast<double>(event.file), static_cast<double>(event.number),
                               event.counts.all_true, event.counts.active_true,
                               event.counts.ghosts};
    const auto& curve = event.curves.front();
    values.insert(values.end(), curve.purity.begin(), curve.purity.end());
    values.insert(values.end(), curve.sensitivity.begin(), curve.sensitivity.end());
    return row(values);
}

std::vector<io::Array> particle_arrays(const JudgedParticle& particle) {
    const auto& quality = particle.quality;
    const std::vector<double> who{static_cast<double>(quality.track),
                                  static_cast<double>(quality.pdg),
                                  static_cast<double>(quality.all_true),
                                  quality.direction.theta(),
                                  quality.direction.phi(),
                                  quality.value};
    return {row(who),
            row(quality.curve.purity),
            row(quality.curve.sensitivity),
            number(static_cast<double>(quality.active)),
            number(static_cast<double>(quality.all_true)),
            number(static_cast<double>(quality.active_true)),
            number(quality.value),
            number(static_cast<double>(particle.file)),
            number(static_cast<double>(particle.event))};
}

void add_details(io::NpzWriter& writer, const GhostEvaluation& ghosts) {
    std::int64_t place = 0;
    for (const auto& particle : ghosts.particles()) {
        writer.add_objects(base::format("arr_{}", place++), particle_arrays(particle));
    }
    for (const auto& [segment, quality] : ghosts.by_segment()) {
        writer.add_objects(base::format("{}_{}", segment.first, segment.second),
                           segment_arrays(quality));
    }
    std::vector<io::Array> events;
    for (const auto& event : ghosts.events()) events.push_back(event_array(event));
    writer.add_objects("event_stats", events);
}

}  // namespace

std::string stats_file_name(const StatsName& name, CurveKind kind, const GhostEvaluation& ghosts) {
    auto text = base::format("epoch{}", name.epoch);
    if (!name.type.empty()) text += "-" + name.type;
    if (name.tpc >= 0) text += base::format("-tpc{}", name.tpc);
    text += base::format("_stats-thres{:.2f}", ghosts.options().truth_threshold);
    if (kind == CurveKind::all) text += "-comptrue";
    if (kind == CurveKind::weighted) text += "-weighted";
    if (kind == CurveKind::merged) {
        const auto& merge = ghosts.options().merge;
        text += base::format("-downsample({}, {}, {})", merge.x, merge.y, merge.z);
    }
    text += base::format("-N{}", ghosts.events().size());
    if (!name.tag.empty()) text += "-" + name.tag;
    return text + ".npz";
}

std::vector<base::Path> write_stats(const base::Path& folder, const StatsName& name,
                                    const GhostEvaluation& ghosts) {
    std::filesystem::create_directories(folder);
    std::vector<base::Path> files;
    for (const auto kind :
         {CurveKind::active, CurveKind::all, CurveKind::weighted, CurveKind::merged}) {
        const auto file = folder / stats_file_name(name, kind, ghosts);
        const auto curve = ghosts.mean(kind);
        const auto counts = ghosts.mean_counts(kind);
        io::NpzWriter writer(file);
        writer.add("xs", row(curve.purity));
        writer.add("ys", row(curve.sensitivity));
        writer.add("thresholds", row(curve.thresholds));
        writer.add("n_T", number(counts.all_true));
        writer.add("n_TP_naive", number(counts.active_true));
        writer.add("n_FP_naive", number(counts.ghosts));
        if (kind == CurveKind::active) add_details(writer, ghosts);
        writer.commit();
        files.push_back(file);
    }
    return files;
}

}  // namespace hodo::lartpc
