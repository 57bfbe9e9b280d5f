/// The verb `view`: voxels of tiled files and of users, wire planes of parsed ones, as one HTML
/// page.

#include "hodo/base/count.hh"
#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/detector/lartpc/pilarnet.hh"
#include "hodo/draw/report.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/options.hh"
#include "hodo/workflow/lartpc/pictures.hh"
#include "hodo/workflow/lartpc/verbs.hh"
#include "hodo/workflow/output.hh"

#include <algorithm>
#include <optional>

namespace hodo::lartpc {

namespace {

void view_voxels(const ViewOptions& options, const std::string& title) {
    const auto batch = read_xy(options.input);
    std::vector<float> scores;
    if (!options.inference.empty()) {
        scores = read_inference(options.inference);
        HODO_CHECK(std::ssize(scores) == batch.cloud.size(),
                   "{}: has {} values for the {} voxels of {}; it belongs to another file",
                   options.inference, scores.size(), batch.cloud.size(), options.input);
    }
    const auto scale = voxel_scale(detector_of(options.detector),
                                   downsampling_of(options.downsample, "downsample"));
    const auto display = options.inference.empty()
                             ? voxel_display(batch, scale, options.first, options.events, title)
                             : scored_display(batch, scale, scores, options.threshold,
                                              options.first, options.events, title);
    HODO_CHECK(!display.events.empty(),
               "{}: has no event from number {} on; choose a smaller "
               "--first",
               options.input, options.first);
    draw::save_event_display(options.output, display);
    base::say("wrote {}: {}", options.output, base::counted(std::ssize(display.events), "scenes"));
}

void view_wires(const ViewOptions& options, const FileName& name) {
    const ParsedFile file(options.input);
    const auto last = std::min(file.events(), options.first + options.events);
    HODO_CHECK(options.first < last,
               "{}: has {} events, none from number {} on; choose a smaller "
               "--first",
               options.input, file.events(), options.first);
    const auto detector = detector_of(options.detector);
    const auto tpc = name.tpc.value_or(detector.first_tpc());
    HODO_CHECK(tpc < std::ssize(detector.tpcs), "{}: there is no TPC {} in {}", options.input, tpc,
               detector.name);
    const auto& face = detector.face_of(tpc);
    draw::Report report(name.text);
    for (auto event = options.first; event < last; ++event) {
        const auto signals = file.signals(event);
        HODO_CHECK(signals.ticks() > 0,
                   "{}: event {} has no ticks, so there is nothing to see; choose others with "
                   "--first and --events",
                   options.input, event);
        report.section(base::format("Event {}", event),
                       base::format("{} samples that are not zero in {} ticks.",
                                    base::with_thousands(signals.size()), signals.ticks()));
        report.figure("Samples of the three planes, summed in cells of wires and ticks.",
                      plane_figure(signals, face));
    }
    report.save(options.output);
    base::say("wrote {}: {}", options.output, base::counted(last - options.first, "events"));
}

bool is_hdf5(const base::Path& file) {
    return file.extension() == ".h5" || file.extension() == ".hdf5";
}

/// Voxels of users: PILArNet-M or an archive of one event.
VoxelCloud users_voxels(const ViewOptions& options) {
    const base::Path input = options.input;
    std::optional<PilarnetFile> pilarnet;
    if (is_hdf5(input)) pilarnet.emplace(input);
    const auto events = pilarnet ? pilarnet->events() : 1;
    HODO_CHECK(options.first < events,
               "{}: has {} events, none from number {} on; choose a smaller --first", input, events,
               options.first);
    if (!pilarnet) return read_voxel_npz(input).cloud;
    return pilarnet->read(options.first, std::min(options.events, events - options.first), {});
}

bool has_name_of_events(const base::Path& file) {
    const auto name = parse_file_name(file.filename().string());
    return file.extension() == ".npz" && name &&
           (name->product == "xy" || name->product == "wire" || name->product == "hit");
}

}  // namespace

bool recognises_events(const base::Path& file) {
    if (has_name_of_events(file)) return true;
    try {
        return is_hdf5(file) ? is_pilarnet(file) : is_voxel_archive(file);
    } catch (const base::Error&) {
        return false;  // a damaged file of whatever kind
    }
}

void run_view(const workflow::Job& job) {
    const auto options = job.config.as<ViewOptions>();
    HODO_CHECK(!options.input.empty() && !options.output.empty(),
               "input and output are needed; write 'hodo lartpc view INPUT OUTPUT'");
    const base::Path input = options.input;
    HODO_CHECK(has_name_of_events(input) || is_hdf5(input) || is_voxel_archive(input),
               "{}: its name tells neither wires, hits nor voxels ('..._xy-TPC1.npz'), so it "
               "cannot be shown",
               input);
    if (!has_name_of_events(input)) {
        HODO_CHECK(options.inference.empty(), "{}: outputs are shown beside xy files only",
                   options.inference);
        const auto cloud = users_voxels(options);
        workflow::claim_file(options.output, job.existing);
        draw::save_event_display(options.output,
                                 energy_display(cloud, options.first, input.filename().string()));
        base::say("wrote {}: {} scenes", options.output, cloud.events());
        return;
    }
    workflow::claim_file(options.output, job.existing);
    const auto name = parse_file_name(input.filename().string()).value();
    if (name.product == "xy") {
        view_voxels(options, name.text);
    } else {
        view_wires(options, name);
    }
}

}  // namespace hodo::lartpc
