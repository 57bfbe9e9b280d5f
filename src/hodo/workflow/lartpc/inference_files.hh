#pragma once
/// A network's output for the voxels of an xy file, as the published code keeps it ("yinf").
///
/// `epoch<E>-<name of the xy file, xy replaced by yinf>.npy`: float32 [1, n, 1], one value per row
/// of X in its order.

#include "hodo/base/fields.hh"
#include "hodo/base/text.hh"
#include "hodo/detector/lartpc/detector_table.hh"
#include "hodo/io/array.hh"
#include "hodo/io/table.hh"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hodo::lartpc {

/// "epoch24-batch0-reco_BeamCosmic_001_yinf-TPC1.npy" for that epoch and
/// "batch0-reco_BeamCosmic_001_xy-TPC1.npz". An error when `xy` has not the name of an xy file.
std::string inference_name(const base::Path& xy, std::int64_t epoch);

/// The name of the xy file that `yinf` belongs to; an error when it has not the name of one.
std::string xy_name(const base::Path& yinf);

/// Writes `values`, one per voxel, whole or not at all.
void write_inference(const base::Path& file, std::span<const float> values);

/// One value per voxel. Shapes [1, n, 1], [n, 1] and [n] are taken.
std::vector<float> read_inference(const base::Path& file);
std::vector<float> inference_values(const io::Array& array, std::string_view origin);

/// Outputs and their epoch, by the name of the xy file that they belong to.
using InferenceByXy = std::map<std::string, std::pair<std::int64_t, base::Path>>;

/// The yinf files of `inputs` (files, folders, or patterns) of an epoch; -1: the last of each.
InferenceByXy inference_by_xy(const std::vector<std::string>& inputs, std::int64_t epoch);

/// Options as text, but for those of `left_out`.
template <class Options>
io::KeyValues option_facts(Options options, std::initializer_list<std::string_view> left_out) {
    base::FieldList fields;
    options.describe(fields);
    io::KeyValues facts;
    for (const auto& entry : fields.entries()) {
        if (std::find(left_out.begin(), left_out.end(), entry.path) == left_out.end()) {
            facts.emplace_back(entry.path, entry.value);
        }
    }
    return facts;
}

/// What tells the detector of an option apart, to be noted among facts.
std::pair<std::string, std::string> detector_fact(const std::string& option);

/// Writes `facts` to `file` as JSON.
void write_facts(const base::Path& file, const io::KeyValues& facts);
/// Notes in `file`, JSON beside the outputs, what decides them, or finds that it is the same as
/// what is noted; an error when outputs of another network or other options are there.
void note_facts(const base::Path& file, const io::KeyValues& facts);

}  // namespace hodo::lartpc
