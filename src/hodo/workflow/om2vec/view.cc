/// The verb `view`: events as one HTML page that shows them in three dimensions.

#include "hodo/base/count.hh"
#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/detector/optical/files.hh"
#include "hodo/detector/optical/schema.hh"
#include "hodo/workflow/om2vec/event_picture.hh"
#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/om2vec/verbs.hh"
#include "hodo/workflow/output.hh"

#include <algorithm>
#include <optional>

namespace hodo::om2vec {

namespace {

std::optional<std::string> geometry_name(const io::Json& config) {
    if (!config.is_object() || !config.has("detector")) return std::nullopt;
    const auto& detector = config.at("detector");
    if (!detector.is_object() || !detector.has("geo file")) return std::nullopt;
    if (!detector.at("geo file").is_text()) return std::nullopt;
    return detector.at("geo file").text();
}

/// The detector that the file names: a built-in one, a file where it says, or a file of that name
/// beside the events.
std::optional<optical::Geometry> find_geometry(const io::Json& config, const base::Path& events) {
    const auto name = geometry_name(config);
    if (!name) return std::nullopt;
    const auto built_in = names(optical::GeometryChoice{});
    const auto choice = std::find(built_in.begin(), built_in.end(), *name);
    if (choice != built_in.end()) {
        return optical::built_in_geometry(
            static_cast<optical::GeometryChoice>(choice - built_in.begin()));
    }
    const base::Path path = *name;
    for (const auto& file : {path, events.parent_path() / path.filename()}) {
        std::error_code problem;
        if (std::filesystem::is_regular_file(file, problem)) return optical::read_geo(file);
    }
    return std::nullopt;
}

}  // namespace

bool recognises_events(const base::Path& file) {
    std::error_code problem;
    if (!std::filesystem::is_regular_file(file, problem)) return false;
    // What is wrong with a file of these kinds is worth telling, so its errors are not caught.
    const auto extension = file.extension();
    if (extension != ".parquet" && extension != ".db" && extension != ".sqlite") return false;
    optical::event_layout(file);
    return true;
}

void run_view(const workflow::Job& job) {
    const auto options = job.config.as<ViewOptions>();
    HODO_CHECK(!options.input.empty(),
               "no event file is named; write 'hodo om2vec view INPUT OUTPUT'");
    workflow::claim_file(options.output, job.existing);
    const auto files = optical::event_files(options.input);
    optical::EventReader reader(files, {.max_events = 256});
    EventPicture picture(files.front().filename().string(), EventPicture::usual_hits,
                         options.truth_direction);
    const auto geometry = find_geometry(reader.metadata(), files.front());
    if (geometry) picture.add_geometry(*geometry);

    const auto last = options.first + options.events;
    std::int64_t number = 0;
    // Modules come first, so that lines can be cut where the detector ends.
    while (number < last) {
        const auto block = reader.next();
        if (!block) break;
        const auto count = std::min(block->size(), last - number);
        for (std::int64_t event = 0; event < count; ++event) picture.add_modules(*block, event);
        for (std::int64_t event = 0; event < count; ++event) {
            if (number + event < options.first) continue;
            picture.add_event(*block, event, number + event);
        }
        number += block->size();
    }
    const auto shown = std::ssize(picture.display().events);
    HODO_CHECK(shown > 0,
               "{}: has {} events, so there is none from number {} on; choose a smaller "
               "--first",
               options.input, number, options.first);
    draw::save_event_display(options.output, picture.display());
    base::say("wrote {}: {}, {}", options.output, base::counted(shown, "events"),
              base::counted(std::ssize(picture.display().modules), "modules"));
}

}  // namespace hodo::om2vec
