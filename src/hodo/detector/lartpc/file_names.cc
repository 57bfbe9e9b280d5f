#include "hodo/detector/lartpc/file_names.hh"

#include "hodo/base/error.hh"

#include <fnmatch.h>
#include <algorithm>
#include <regex>

namespace hodo::lartpc {

namespace {

// Proton and Photon are ours; the others are the published code's.
constexpr const char* file_types = "Mu|Electron|Pion|Proton|Photon|BeamCosmic|protoDUNE";

const std::regex& parts() {
    static const std::regex pattern(
        std::string("(") + file_types +
        ").([0-9]+)."
        "(root|energy|depoElectron|depo|wire|hit|xy|pixel|yinf|mcbeamcosmic|mcparticle|spacepoint|"
        "wirecell|calonosce|calo)(?![A-Za-z0-9_])");
    return pattern;
}

std::optional<std::int64_t> number_after(const std::string& text, const char* pattern,
                                         std::size_t* at, std::size_t* length) {
    std::smatch match;
    if (!std::regex_search(text, match, std::regex(pattern))) return std::nullopt;
    if (at != nullptr) *at = static_cast<std::size_t>(match.position(1));
    if (length != nullptr) *length = static_cast<std::size_t>(match.length(1));
    return base::parse_int(match[1].str());
}

}  // namespace

std::string FileName::with_product(std::string_view other) const {
    auto name = text;
    return name.replace(product_at, product.size(), other);
}

std::string FileName::with_tpcs(std::string_view digits) const {
    auto name = text;
    return tpc ? name.replace(tpc_at, tpc_length, digits) : name;
}

std::optional<FileName> parse_file_name(std::string_view name) {
    constexpr std::size_t longest = 255;  // of a file name
    if (name.size() > longest) return std::nullopt;
    FileName file{.text = std::string(name)};
    const auto first = std::sregex_iterator(file.text.begin(), file.text.end(), parts());
    if (std::distance(first, std::sregex_iterator()) != 1) return std::nullopt;
    const auto index = base::parse_int((*first)[2].str());
    if (!index) return std::nullopt;
    file.type = (*first)[1];
    file.index = *index;
    file.product = (*first)[3];
    file.product_at = static_cast<std::size_t>(first->position(3));
    file.tpc = number_after(file.text, "TPC([0-9]+)[^*0-9]", &file.tpc_at, &file.tpc_length);
    file.batch = number_after(file.text, "batch([0-9]+)", nullptr, nullptr);
    file.epoch = number_after(file.text, "epoch([0-9]+)", nullptr, nullptr);
    return file;
}

std::string parsed_name(const FileName& xy, std::string_view product) {
    return std::regex_replace(xy.with_product(product), std::regex("^(kept-)?(batch[0-9]+-)?"), "");
}

std::string parsed_name_of_all(const FileName& xy, std::string_view product) {
    return std::regex_replace(parsed_name(xy, product), std::regex("-TPC[0-9]+"), "");
}

std::vector<base::Path> files_of_product(const std::vector<std::string>& inputs,
                                         std::string_view product) {
    std::vector<base::Path> files;
    for (const auto& input : inputs) {
        const base::Path path = input;
        const auto before = files.size();
        const auto take = [&](const base::Path& candidate) {
            const auto name = parse_file_name(candidate.filename().string());
            if (name && name->product == product) files.push_back(candidate);
        };
        const auto folder = std::filesystem::is_directory(path) ? path : path.parent_path();
        if (std::filesystem::is_regular_file(path)) {
            take(path);
        } else if (std::filesystem::is_directory(folder.empty() ? "." : folder)) {
            const auto pattern = folder == path ? std::string("*") : path.filename().string();
            for (const auto& entry :
                 std::filesystem::directory_iterator(folder.empty() ? "." : folder)) {
                const auto name = entry.path().filename().string();
                if (entry.is_regular_file() && fnmatch(pattern.c_str(), name.c_str(), 0) == 0) {
                    take(entry.path());
                }
            }
        }
        HODO_CHECK(files.size() > before,
                   "{}: no file of product '{}' (names look like "
                   "'reco_BeamCosmic_001_{}-TPC1.npz', with the types {}); check path and name",
                   input, product, product,
                   std::regex_replace(file_types, std::regex("[|]"), ", "));
    }
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

std::vector<base::Path> files_of_tpcs(const std::vector<std::string>& inputs,
                                      std::string_view product,
                                      const std::vector<std::int64_t>& tpcs) {
    auto files = files_of_product(inputs, product);
    std::erase_if(files, [&](const base::Path& file) {
        const auto tpc = parse_file_name(file.filename().string()).value().tpc;
        return !tpcs.empty() && (!tpc || std::find(tpcs.begin(), tpcs.end(), *tpc) == tpcs.end());
    });
    HODO_CHECK(!files.empty(), "no {} file of the input is of the wanted TPCs; check tpcs",
               product);
    auto sorted = files;
    const auto by_name = [](const auto& a, const auto& b) { return a.filename() < b.filename(); };
    std::sort(sorted.begin(), sorted.end(), by_name);
    const auto twice = std::adjacent_find(
        sorted.begin(), sorted.end(),
        [](const auto& a, const auto& b) { return a.filename() == b.filename(); });
    HODO_CHECK(twice == sorted.end(),
               "{} and {} have the same name, so their outputs would too; give them to two calls "
               "with two outputs",
               *twice, *std::next(twice));
    return files;
}

}  // namespace hodo::lartpc
