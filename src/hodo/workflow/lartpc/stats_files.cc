#include "hodo/workflow/lartpc/stats_files.hh"

#include <array>
#include <span>

#include "hodo/io/npz_archive.hh"

namespace hodo::lartpc {

namespace {

constexpr std::int64_t event_columns = 7;

io::Array number(double value) {
    return io::make_array(std::span<const double>(&value, 1), {});
}

io::Array row(const std::vector<double>& values) {
    return io::make_array(values);
}

using Values = std::vector<io::ObjectValue>;

Values segment_values(const SegmentQuality& quality) {
    return {{row(quality.curve.purity)},
            {row(quality.curve.sensitivity)},
            {quality.counts.all_true},
            {quality.counts.active_true},
            {quality.counts.ghosts}};
}

/// Counts of one event are whole numbers.
std::int64_t whole(double count) {
    return static_cast<std::int64_t>(count);
}

void add_event(Values& values, const JudgedEvent& event) {
    const auto& curve = event.curves.front();
    values.push_back({event.file});
    values.push_back({event.number});
    values.push_back({row(curve.purity)});
    values.push_back({row(curve.sensitivity)});
    values.push_back({whole(event.counts.all_true)});
    values.push_back({whole(event.counts.active_true)});
    values.push_back({whole(event.counts.ghosts)});
}

Values particle_values(const JudgedParticle& particle) {
    const auto& quality = particle.quality;
    const auto& axis = quality.direction;
    const Values direction{{axis.theta()}, {axis.phi()}, {axis.explained}};
    // The published code names beam or cosmics where a file of theirs says so.
    const Values who{{static_cast<double>(quality.track)},
                     {static_cast<double>(quality.pdg)},
                     {quality.all_true},
                     {direction},
                     {},
                     {quality.value}};
    return {{who},
            {row(quality.curve.purity)},
            {row(quality.curve.sensitivity)},
            {quality.active},
            {quality.all_true},
            {quality.active_true},
            {quality.value},
            {particle.file},
            {particle.event}};
}

void add(io::NpzWriter& writer, const std::string& name, const Values& values) {
    const std::int64_t count = std::ssize(values);
    writer.add_values(name, values, std::span(&count, 1));
}

void add_details(io::NpzWriter& writer, const GhostEvaluation& ghosts) {
    std::int64_t place = 0;
    for (const auto& particle : ghosts.particles()) {
        add(writer, base::format("arr_{}", place++), particle_values(particle));
    }
    for (const auto& [segment, quality] : ghosts.by_segment()) {
        add(writer, base::format("{}_{}", segment.first, segment.second), segment_values(quality));
    }
    Values events;
    for (const auto& event : ghosts.events()) add_event(events, event);
    const std::array<std::int64_t, 2> shape{std::ssize(ghosts.events()), event_columns};
    writer.add_values("event_stats", events, shape);
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
