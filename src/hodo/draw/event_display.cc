#include "hodo/draw/event_display.hh"

#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/draw/detail/assets.hh"
#include "hodo/draw/html.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/json.hh"

namespace hodo::draw {
namespace {

io::Json modules_json(const std::vector<EventDisplay::Module>& modules) {
    std::vector<float> positions;
    io::Json strings = io::Json::list(), sensors = io::Json::list();
    for (const auto& module : modules) {
        HODO_CHECK(std::isfinite(module.x) && std::isfinite(module.y) && std::isfinite(module.z),
                   "module {}/{} has a position that is not finite, so it cannot be drawn; check "
                   "the detector's geometry",
                   module.string, module.sensor);
        for (const double value : {module.x, module.y, module.z}) {
            positions.push_back(static_cast<float>(value));
        }
        strings.push(module.string);
        sensors.push(module.sensor);
    }
    io::Json json = io::Json::object();
    json["count"] = static_cast<std::int64_t>(modules.size());
    json["positions"] = base64_floats(positions);
    json["strings"] = std::move(strings);
    json["sensors"] = std::move(sensors);
    return json;
}

io::Json point_json(const std::array<double, 3>& point) {
    return io::Json::List{point[0], point[1], point[2]};
}

io::Json tracks_json(const EventDisplay::Event& event, double first) {
    io::Json list = io::Json::list();
    for (const auto& track : event.tracks) {
        io::Json json = io::Json::object();
        json["from"] = point_json(track.from);
        json["to"] = point_json(track.to);
        json["start"] = track.start - first;
        json["end"] = track.end - first;
        json["energy"] = track.energy;
        json["label"] = track.label;
        list.push(std::move(json));
    }
    return list;
}

/// Times are packed relative to the first hit, so that 32 bits resolve far less than 1 ns.
io::Json event_json(const EventDisplay::Event& event, std::size_t modules) {
    double first = std::numeric_limits<double>::infinity();
    for (const auto& hit : event.hits) first = std::min(first, hit.time);
    if (!std::isfinite(first)) first = 0.0;
    std::vector<float> packed;
    packed.reserve(3 * event.hits.size());
    for (const auto& hit : event.hits) {
        HODO_CHECK(hit.module >= 0 && hit.module < static_cast<std::int64_t>(modules),
                   "event '{}' has a hit on module {} of {}, which does not exist; check the "
                   "detector's geometry",
                   event.title, hit.module, modules);
        HODO_CHECK(
            std::isfinite(hit.time) && std::isfinite(hit.charge),
            "event '{}' has a hit of time {} ns and charge {}, which cannot be drawn; remove "
            "it",
            event.title, hit.time, hit.charge);
        packed.push_back(static_cast<float>(hit.module));
        packed.push_back(static_cast<float>(hit.time - first));
        packed.push_back(static_cast<float>(hit.charge));
    }
    io::Json json = io::Json::object();
    json["title"] = event.title;
    json["first"] = first;
    json["count"] = static_cast<std::int64_t>(event.hits.size());
    json["hits"] = base64_floats(packed);
    json["tracks"] = tracks_json(event, first);
    io::Json facts = io::Json::list();
    for (const auto& [name, value] : event.facts) facts.push(io::Json::List{name, value});
    json["facts"] = std::move(facts);
    return json;
}

}  // namespace

std::string event_display_html(const EventDisplay& display) {
    io::Json json = io::Json::object();
    json["title"] = display.title;
    json["charge_unit"] = display.charge_unit;
    json["words"] = io::Json::object();
    json["words"]["module"] = display.words.module;
    json["words"]["string"] = display.words.string;
    json["words"]["sensor"] = display.words.sensor;
    json["words"]["light"] = display.words.light;
    json["words"]["time"] = display.words.time;
    json["words"]["time_unit"] = display.words.time_unit;
    json["words"]["axes"] = io::Json::List(display.words.axes.begin(), display.words.axes.end());
    json["time_unit"] = display.time_unit;
    json["modules"] = modules_json(display.modules);
    json["modules"]["dots"] = display.dots == EventDisplay::Dots::shown;
    json["modules"]["spacing"] = display.spacing;
    io::Json events = io::Json::list();
    for (const auto& event : display.events) {
        events.push(event_json(event, display.modules.size()));
    }
    json["events"] = std::move(events);
    std::string body(detail::asset("event_display.html"));
    body += "<script type=\"application/json\" id=\"display\">" + script_json(json) + "</script>";
    std::vector<std::string> scripts;
    for (const char* name :
         {"event_camera.js", "event_scene.js", "event_data.js", "event_page.js"}) {
        scripts.emplace_back(detail::asset(name));
    }
    return html_page({.title = display.title,
                      .style = std::string(detail::asset("event_display.css")),
                      .body = std::move(body),
                      .scripts = std::move(scripts)});
}

void save_event_display(const base::Path& path, const EventDisplay& display) {
    io::write_text(path, event_display_html(display));
}

}  // namespace hodo::draw
