#include "hodo/workflow/lartpc/inference_files.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/json.hh"
#include "hodo/io/npz.hh"

#include <algorithm>

namespace hodo::lartpc {

namespace {

FileName name_of(const base::Path& file, std::string_view product) {
    const auto name = parse_file_name(file.filename().string());
    HODO_CHECK(name && name->product == product,
               "{}: is not named like a file of product '{}' "
               "('batch0-reco_BeamCosmic_001_{}-TPC1'); rename it",
               file, product, product);
    return *name;
}

std::string with_extension(const std::string& name, const char* extension) {
    return base::Path(name).replace_extension(extension).string();
}

}  // namespace

std::string inference_name(const base::Path& xy, std::int64_t epoch) {
    return base::format("epoch{}-{}", epoch,
                        with_extension(name_of(xy, "xy").with_product("yinf"), ".npy"));
}

std::string xy_name(const base::Path& yinf) {
    const auto name = with_extension(name_of(yinf, "yinf").with_product("xy"), ".npz");
    const auto dash = name.find('-');
    return name.starts_with("epoch") && dash != std::string::npos ? name.substr(dash + 1) : name;
}

void write_inference(const base::Path& file, std::span<const float> values) {
    io::write_npy(file, io::make_array(values, {1, std::ssize(values), 1}));
}

std::vector<float> read_inference(const base::Path& file) {
    return inference_values(io::read_npy(file), file.string());
}

std::vector<float> inference_values(const io::Array& array, std::string_view origin) {
    auto shape = array.shape;
    if (shape.size() == 3 && shape.front() == 1) shape.erase(shape.begin());
    if (shape.size() == 2 && shape.back() == 1) shape.pop_back();
    HODO_CHECK(shape.size() == 1,
               "{}: an output of a network has one value per voxel, shape [1, n, 1], but this has "
               "another; check the file",
               origin);
    return array.floats();
}

InferenceByXy inference_by_xy(const std::vector<std::string>& inputs, std::int64_t epoch) {
    InferenceByXy files;
    for (const auto& file : files_of_product(inputs, "yinf")) {
        if (file.extension() != ".npy") continue;
        const auto number = parse_file_name(file.filename().string())->epoch.value_or(0);
        if (epoch >= 0 && number != epoch) continue;
        auto& place = files[xy_name(file)];
        if (place.second.empty() || number > place.first) place = {number, file};
    }
    return files;
}

std::pair<std::string, std::string> detector_fact(const std::string& option) {
    return {"detector", fact_of_detector(detector_of(option))};
}

void write_facts(const base::Path& file, const io::KeyValues& facts) {
    auto noted = io::Json::object();
    for (const auto& [key, value] : facts) noted[key] = value;
    io::write_text(file, noted.dump(2) + "\n");
}

void note_facts(const base::Path& file, const io::KeyValues& facts) {
    if (!std::filesystem::exists(file)) return write_facts(file, facts);
    const auto noted = io::Json::parse(io::read_text(file), file.string());
    for (const auto& [key, value] : facts) {
        const auto before = noted.has(key) ? noted.at(key).text() : std::string("not noted");
        HODO_CHECK(before == value,
                   "{}: the files there were made with {} {}, not {}; choose another output, or "
                   "--overwrite it",
                   file.parent_path(), key, before, value);
    }
}

}  // namespace hodo::lartpc
