/// The verb `view`: voxels of tiled files, wire planes of parsed ones, as one HTML page.

#include "hodo/base/count.hh"
#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/draw/report.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/options.hh"
#include "hodo/workflow/lartpc/pictures.hh"
#include "hodo/workflow/lartpc/verbs.hh"
#include "hodo/workflow/output.hh"

#include <algorithm>

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

}  // namespace

bool recognises_events(const base::Path& file) {
    if (file.extension() != ".npz") return false;
    const auto name = parse_file_name(file.filename().string());
    return name && (name->product == "xy" || name->product == "wire" || name->product == "hit");
}

void run_view(const workflow::Job& job) {
    const auto options = job.config.as<ViewOptions>();
    HODO_CHECK(!options.input.empty() && !options.output.empty(),
               "input and output are needed; write 'hodo lartpc view INPUT OUTPUT'");
    const base::Path input = options.input;
    HODO_CHECK(recognises_events(input),
               "{}: its name tells neither wires, hits nor voxels ('..._xy-TPC1.npz'), so it "
               "cannot be shown",
               input);
    workflow::claim_file(options.output, job.existing);
    const auto name = parse_file_name(input.filename().string()).value();
    if (name.product == "xy") {
        view_voxels(options, name.text);
    } else {
        view_wires(options, name);
    }
}

}  // namespace hodo::lartpc
