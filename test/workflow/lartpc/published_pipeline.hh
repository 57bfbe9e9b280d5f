#pragma once
/// The recorded run of the published pipeline, whichever of its files are there.

#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/io/npz.hh"
#include "support/reference.hh"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace hodo::test {

inline const base::Path published_pipeline = "lartpc/pipeline";

/// Files of a folder of the run.
inline std::vector<base::Path> published_files(const base::Path& folder,
                                               const std::string& pattern) {
    return reference_files((published_pipeline / folder).string(), pattern);
}

/// The folders of its trainings.
inline std::vector<base::Path> published_run_folders() {
    std::vector<base::Path> runs;
    for (const auto& entry : published_files("run", "*")) {
        if (std::filesystem::is_directory(entry)) runs.push_back("run" / entry.filename());
    }
    return runs;
}

/// Whether a TPC's number in a name stands for several TPCs: 159 for 1, 5 and 9.
inline bool is_joined(std::int64_t tpc) {
    return tpc >= std::ssize(lartpc::protodune_sp().tpcs);
}

/// Its xy files of single TPCs.
inline std::vector<base::Path> published_xy() {
    auto files = published_files("xy", "*_xy-TPC*.npz");
    std::erase_if(files, [](const base::Path& file) {
        return is_joined(lartpc::parse_file_name(file.filename().string()).value().tpc.value());
    });
    return files;
}

/// "batch0-reco_Mu_001_xy-TPC1.npz" was made of "reco_Mu_001_wire-TPC1.npz".
inline std::string parsed_name(const base::Path& xy, std::string_view product) {
    const auto name = lartpc::parse_file_name(xy.filename().string()).value();
    const auto text = name.with_product(product);
    return name.batch ? text.substr(text.find('-') + 1) : text;
}

/// Pixels in z and y that were tiled: those of the small overlap tables; without such, as far as
/// the recorded voxels of 4 x 4 pixels reach, since nothing is active beyond.
inline std::vector<std::int64_t> published_box() {
    const auto tables = reference_files("lartpc", "geom_mini_face*.npz");
    if (!tables.empty()) return io::read_npz(tables.front(), "shape").integers();
    constexpr std::int64_t merged = 4;
    std::vector<std::int64_t> box{merged, merged};
    for (const auto& file : published_xy()) {
        for (const auto& voxel : lartpc::read_xy(file).cloud.voxels) {
            box[0] = std::max(box[0], merged * (voxel[2] + 1));
            box[1] = std::max(box[1], merged * (voxel[1] + 1));
        }
    }
    return box;
}

}  // namespace hodo::test
