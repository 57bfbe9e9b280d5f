/// The verb `info`: what files hold.

#include "hodo/workflow/lartpc/info.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/detector/lartpc/pilarnet.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/options.hh"
#include "hodo/workflow/lartpc/verbs.hh"

#include <algorithm>
#include <cstdio>
#include <map>
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

/// Largest x, y and z, each plus one.
void grow(Voxel& extent, const std::vector<Voxel>& voxels) {
    for (const auto& voxel : voxels) {
        for (std::size_t k = 0; k < 3; ++k) extent[k] = std::max(extent[k], voxel[k] + 1);
    }
}

io::Json list_of(const Voxel& extent) {
    auto sizes = io::Json::list();
    for (const auto size : extent) sizes.push(std::int64_t{size});
    return sizes;
}

/// What clouds whose first number is an energy hold, added up event by event.
class EnergyFacts {
  public:
    void add(const VoxelCloud& cloud) {
        events_ += cloud.events();
        voxels_ += cloud.size();
        for (std::int64_t i = 0; i < cloud.size(); ++i) energy_ += double(cloud.row(i)[0]);
        grow(extent_, cloud.voxels);
        for (const auto one : cloud.semantic) ++semantic_[one];
        for (const auto one : cloud.particle) ++particle_[one];
    }
    void put(io::Json& facts) const {
        facts["events"] = events_;
        facts["voxels"] = voxels_;
        facts["extent"] = list_of(extent_);
        facts["energy"] = energy_;
        if (!semantic_.empty()) facts["semantic"] = counts_of(semantic_);
        if (!particle_.empty()) facts["particle"] = counts_of(particle_);
    }

  private:
    using Counts = std::map<std::int32_t, std::int64_t>;
    static io::Json counts_of(const Counts& counts) {
        auto all = io::Json::object();
        for (const auto& [one, count] : counts) all[std::to_string(one)] = count;
        return all;
    }
    std::int64_t events_ = 0, voxels_ = 0;
    Voxel extent_{};
    double energy_ = 0;
    Counts semantic_, particle_;
};

io::Json pilarnet_facts(const base::Path& path, const PilarnetOptions& options) {
    const PilarnetFile file(path);
    EnergyFacts kept;
    for (std::int64_t event = 0; event < file.events(); ++event) {
        kept.add(file.read(event, 1, options));
    }
    auto facts = io::Json::object();
    facts["version"] = std::int64_t{file.version()};
    facts["events in the file"] = file.events();
    kept.put(facts);
    return facts;
}

io::Json archive_facts(const base::Path& file) {
    const auto archive = read_voxel_npz(file);
    auto facts = io::Json::object();
    if (!archive.label.empty()) facts["label"] = archive.label;
    EnergyFacts all;
    all.add(archive.cloud);
    all.put(facts);
    return facts;
}

io::Json xy_facts(const base::Path& file) {
    const auto batch = read_xy(file);
    const auto& cloud = batch.cloud;
    auto facts = io::Json::object();
    facts["events"] = cloud.events();
    facts["voxels"] = cloud.size();
    Voxel extent{};
    grow(extent, cloud.voxels);
    facts["extent"] = list_of(extent);
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

/// A particle is a row of numbers.
io::Json particle_facts(const base::Path& file) {
    const ParsedFile parsed(file);
    auto facts = io::Json::object();
    facts["events"] = parsed.events();
    std::int64_t particles = 0;
    for (std::int64_t event = 0; event < parsed.events(); ++event) {
        const auto rows = parsed.array(event);
        particles += rows.shape.empty() ? 0 : rows.shape.front();
    }
    facts["particles"] = particles;
    return facts;
}

std::string text_of(const io::Json& value) {
    if (value.is_text()) return value.text();
    if (value.is_object()) {
        std::vector<std::string> counts;
        for (const auto& [key, count] : value.members())
            counts.push_back(key + ": " + text_of(count));
        return "(" + base::join(counts, ", ") + ")";
    }
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

io::Json file_facts(const base::Path& file, const PilarnetOptions& options) {
    HODO_CHECK(!std::filesystem::is_directory(file),
               "{}: is a folder; name its files, for example '{}/*.npz'", file, file);
    HODO_CHECK(std::filesystem::is_regular_file(file), "{}: no such file; check the path", file);
    if (file.extension() == ".h5" || file.extension() == ".hdf5") {
        return pilarnet_facts(file, options);
    }
    const auto name = parse_file_name(file.filename().string());
    const auto product = name ? name->product : std::string();
    if (product == "xy") return xy_facts(file);
    if (product == "pixel") return pixel_facts(file);
    if (product == "yinf") return output_facts(file);
    if (product == "wire" || product == "hit") return signal_facts(file);
    if (product == "mcparticle") return particle_facts(file);
    const std::vector<std::string> images{"energy", "depo", "depoElectron", "spacepoint",
                                          "wirecell"};
    if (product.empty() && is_voxel_archive(file)) return archive_facts(file);
    HODO_CHECK(
        std::find(images.begin(), images.end(), product) != images.end(),
        "{}: its name tells of no events, voxels or outputs (like '..._xy-TPC1.npz'), so its "
        "arrays are unknown; name parsed, pixel, xy or yinf files",
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
        auto facts = file_facts(input, options.pilarnet);
        if (options.json) {
            all[input] = std::move(facts);
        } else {
            std::puts((input + ": " + facts_text(facts)).c_str());
        }
    }
    if (options.json) std::puts(all.dump(2).c_str());
}

}  // namespace hodo::lartpc
