/// The verb `info`: what files hold.

#include "hodo/workflow/lartpc/info.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/options.hh"
#include "hodo/workflow/lartpc/verbs.hh"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace hodo::lartpc {

namespace {

double ratio(double a, double b) {
    return b > 0 ? a / b : 0.0;
}

void add_truth(io::Json& facts, const TiledBatch& batch) {
    const auto& truth = batch.cloud.truth;
    const auto active = std::count_if(truth.begin(), truth.end(), [](float y) { return y > 0; });
    facts["true"] = static_cast<std::int64_t>(active);
    facts["ghosts per true"] = ratio(double(batch.cloud.size() - active), double(active));
    std::int64_t all = 0;
    double sum = 0;
    for (const auto& image : batch.truth) {
        for (std::int64_t i = 0; i < image.size(); ++i) {
            all += image.value(i) > 0 ? 1 : 0;
            sum += image.value(i);
        }
    }
    if (batch.truth.empty()) return;
    facts["share of truth that is active"] = ratio(double(active), double(all));
    facts["sum of truth"] = sum;
}

io::Json xy_facts(const base::Path& file) {
    const auto batch = read_xy(file);
    const auto& cloud = batch.cloud;
    auto facts = io::Json::object();
    facts["events"] = cloud.events();
    facts["voxels"] = cloud.size();
    Voxel extent{};
    for (const auto& voxel : cloud.voxels) {
        for (std::size_t k = 0; k < 3; ++k) extent[k] = std::max(extent[k], voxel[k] + 1);
    }
    facts["extent"] = io::Json::list();
    for (const auto size : extent) facts["extent"].push(std::int64_t{size});
    facts["mean charges"] = io::Json::list();
    for (int k = 0; k < cloud.width; ++k) {
        double sum = 0;
        for (std::int64_t i = 0; i < cloud.size(); ++i) sum += double(cloud.row(i)[std::size_t(k)]);
        facts["mean charges"].push(ratio(sum, double(cloud.size())));
    }
    if (batch.has_truth) add_truth(facts, batch);
    return facts;
}

io::Json pixel_facts(const base::Path& file) {
    const auto events = read_pixels(file);
    auto facts = io::Json::object();
    facts["events"] = std::ssize(events);
    std::int64_t pixels = 0;
    for (const auto& event : events) pixels += std::ssize(event.voxels);
    facts["pixels"] = pixels;
    return facts;
}

io::Json output_facts(const base::Path& file) {
    const auto values = read_inference(file);
    auto facts = io::Json::object();
    facts["voxels"] = std::ssize(values);
    if (values.empty()) return facts;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const auto half = std::count_if(values.begin(), values.end(), [](float v) { return v >= 0.5; });
    facts["smallest"] = double(*low);
    facts["mean"] = std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
    facts["largest"] = double(*high);
    facts["share of 0.5 or more"] = double(half) / double(values.size());
    return facts;
}

io::Json signal_facts(const base::Path& file) {
    const ParsedFile parsed(file);
    auto facts = io::Json::object();
    facts["events"] = parsed.events();
    std::int64_t ticks = 0, channels = 0, samples = 0;
    double sum = 0;
    for (std::int64_t event = 0; event < parsed.events(); ++event) {
        const auto signals = parsed.signals(event);
        ticks = std::max<std::int64_t>(ticks, signals.ticks());
        channels = std::max<std::int64_t>(channels, signals.channels);
        samples += signals.size();
        sum += signals.total();
    }
    facts["ticks"] = ticks;
    facts["channels"] = channels;
    facts["samples"] = samples;
    facts["sum"] = sum;
    return facts;
}

io::Json image_facts(const base::Path& file) {
    const ParsedFile parsed(file);
    auto facts = io::Json::object();
    facts["events"] = parsed.events();
    std::int64_t points = 0;
    double sum = 0;
    for (std::int64_t event = 0; event < parsed.events(); ++event) {
        const auto image = parsed.image(event);
        points += image.size();
        for (std::int64_t i = 0; i < image.size(); ++i) sum += image.value(i);
    }
    facts["points"] = points;
    facts["sum"] = sum;
    return facts;
}

std::string text_of(const io::Json& value) {
    if (value.is_integer()) return base::with_thousands(value.integer());
    if (value.is_number()) return base::format("{:.4g}", value.number());
    std::vector<std::string> items;
    bool are_sizes = true;
    for (const auto& item : value.items()) {
        items.push_back(text_of(item));
        are_sizes &= item.is_integer();
    }
    return base::join(items, are_sizes ? " x " : " ");
}

}  // namespace

io::Json file_facts(const base::Path& file) {
    HODO_CHECK(std::filesystem::is_regular_file(file), "{}: no such file; check the path", file);
    const auto name = parse_file_name(file.filename().string());
    const auto product = name ? name->product : std::string();
    if (product == "xy") return xy_facts(file);
    if (product == "pixel") return pixel_facts(file);
    if (product == "yinf") return output_facts(file);
    if (product == "wire" || product == "hit") return signal_facts(file);
    const std::vector<std::string> images{"energy", "depo", "depoElectron", "spacepoint",
                                          "wirecell"};
    HODO_CHECK(std::find(images.begin(), images.end(), product) != images.end(),
               "{}: its name tells of no events, voxels or outputs ('..._xy-TPC1.npz'), so nothing "
               "is known of it",
               file);
    return image_facts(file);
}

std::string facts_text(const io::Json& facts) {
    std::vector<std::string> parts;
    for (const auto& [key, value] : facts.members()) parts.push_back(key + " " + text_of(value));
    return base::join(parts, ", ");
}

void run_info(const workflow::Job& job) {
    const auto options = job.config.as<InfoOptions>();
    HODO_CHECK(!options.input.empty(), "no file is named; write 'hodo lartpc info FILES'");
    auto all = io::Json::object();
    for (const auto& input : options.input) {
        auto facts = file_facts(input);
        if (options.json) {
            all[input] = std::move(facts);
        } else {
            std::puts((input + ": " + facts_text(facts)).c_str());
        }
    }
    if (options.json) std::puts(all.dump(2).c_str());
}

}  // namespace hodo::lartpc
