#include "hodo/workflow/lartpc/data_options.hh"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace hodo::lartpc {

namespace {

constexpr std::size_t columns_of_x = 7;

/// Every entry is empty or two ascending numbers.
bool are_ranges(const PerPath& ranges) {
    return std::all_of(ranges.begin(), ranges.end(), [](const auto& range) {
        return range.empty() || (range.size() == 2 && range[0] <= range[1]);
    });
}

bool fits(std::size_t entries, std::size_t paths) {
    return entries <= 1 || entries == paths;
}

bool is_word(char c) {
    return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
}

}  // namespace

void NoiseOptions::describe(base::Fields& f) {
    f("mean", mean, "mean of the noise");
    f("sd", sd, "standard deviation of the noise; 0 with mean 0: none").at_least(0);
}

void TransformOptions::describe(base::Fields& f) {
    f("coord_lim", coord_lim,
      "per column of X (x, y, z, event, charges): [low, high) to keep, or [] for all; of training "
      "files only");
    f("z_segments", z_segments,
      "ascending upper bounds in z; each adds a feature that is 1 in its segment");
    f.group("noise", noise, "Gaussian noise on the charges");
    f("round", round, "decimals of the charges; -1: not rounded").between(-1, 9);
    f("scale", scale, "factor on the truth: one, or one per data_path; empty: 1");
    f.rule(coord_lim.size() <= columns_of_x && are_ranges(coord_lim),
           "transforms.coord_lim must have at most 7 entries, each [low, high] or []");
    f.rule(std::is_sorted(z_segments.begin(), z_segments.end()),
           "transforms.z_segments must ascend, for each bound ends the segment before the next");
}

void DataOptions::describe(base::Fields& f) {
    f("data_path", data_path,
      "folders of xy files, or patterns such as 'xy/*TPC1.npz'; $VARIABLES are replaced");
    f("train_i", train_i,
      "[first, last] index of the files to train on, or one such list per data_path ([]: none of "
      "it)");
    f("inference_i", inference_i, "the same for validation and inference");
    f("tpcs", tpcs, "TPCs to take, or one list per data_path; empty: all");
    f("held_out", held_out,
      "fraction of the files kept for validation when neither train_i nor inference_i is given")
        .between(0, 0.9);
    f("target", target,
      "label: whether a voxel is true; value: its true charge or energy; automatic: what the "
      "network needs");
    f("threshold", threshold, "truth above it makes a voxel true (target label)");
    f.group("transforms", transforms, "changes between file and network");
    f.rule(are_ranges(train_i) && are_ranges(inference_i),
           "train_i and inference_i must be [first, last], both included");
    f.rule(fits(train_i.size(), data_path.size()) && fits(inference_i.size(), data_path.size()) &&
               fits(tpcs.size(), data_path.size()) &&
               fits(transforms.scale.size(), data_path.size()),
           "train_i, inference_i, tpcs and transforms.scale must have one entry, or one for each "
           "data_path");
}

void StoreInferenceOptions::describe(base::Fields& f) {
    f("store", store, "keep the outputs of the validation files as yinf files");
    f("every_epoch", every_epoch, "after epochs divisible by this").at_least(1);
    f("every_sample", every_sample, "of files whose number is divisible by this").at_least(1);
    f("folder", folder, "folder for them in the run directory");
}

std::string expand_variables(std::string_view text) {
    std::string expanded;
    for (std::size_t i = 0; i < text.size();) {
        const bool in_braces = text.substr(i).starts_with("${");
        const auto begin = i + (in_braces ? 2 : 1);
        auto end = begin;
        while (end < text.size() && is_word(text[end])) ++end;
        const bool is_closed = !in_braces || (end < text.size() && text[end] == '}');
        const auto after = end + (in_braces && is_closed ? 1 : 0);
        const auto name = std::string(text.substr(std::min(begin, text.size()), end - begin));
        const char* value =
            text[i] == '$' && is_closed && !name.empty() ? std::getenv(name.c_str()) : nullptr;
        if (value == nullptr) {
            expanded += text[i++];
        } else {
            expanded += value;
            i = after;
        }
    }
    return expanded;
}

}  // namespace hodo::lartpc
