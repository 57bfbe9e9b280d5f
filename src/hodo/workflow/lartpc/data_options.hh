#pragma once
/// Which xy files a training reads, and what is done to them.

#include "hodo/base/fields.hh"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::lartpc {

/// Lists that may differ between the folders of `data_path`: one list for all, or one per folder.
using PerPath = std::vector<std::vector<std::int64_t>>;

/// What a network should answer for a voxel. `automatic` is what the network's kind asks for: a
/// label for ghosts, the value for charges.
enum class Target { automatic, label, value };
constexpr auto names(Target) {
    return std::array<std::string_view, 3>{"automatic", "label", "value"};
}

/// Gaussian noise on the three charges of a voxel.
struct NoiseOptions {
    double mean = 0.0, sd = 0.0;

    void describe(base::Fields& f);
    bool is_on() const { return mean != 0.0 || sd != 0.0; }
};

/// Changes between file and network, in this order: limits, noise, rounding, segments; truth is
/// scaled before labels are made of it.
struct TransformOptions {
    PerPath coord_lim;                     ///< Per column of X: [low, high), or empty.
    std::vector<std::int64_t> z_segments;  ///< Upper bounds, ascending.
    NoiseOptions noise;
    std::int64_t round = -1;    ///< Decimals of the charges; -1: as they are.
    std::vector<double> scale;  ///< Factor on truth: none, one, or one per path.

    void describe(base::Fields& f);
};

struct DataOptions {
    std::vector<std::string> data_path;
    PerPath train_i, inference_i;
    PerPath tpcs;
    double held_out = 0.1;
    Target target = Target::automatic;
    double threshold = 0.001;
    TransformOptions transforms;

    void describe(base::Fields& f);
    /// Features of a voxel: three charges and the segments.
    std::int64_t width() const { return 3 + std::int64_t(transforms.z_segments.size()); }
};

/// Which outputs of the validation files a training keeps (inference_files.hh).
struct StoreInferenceOptions {
    bool store = false;
    std::int64_t every_epoch = 1, every_sample = 1;
    std::string folder = "inference";  ///< In the run directory.

    void describe(base::Fields& f);
    /// Whether the output of file number `sample` is kept after epoch `epoch`.
    bool wants(std::int64_t epoch, std::int64_t sample) const {
        return store && epoch % every_epoch == 0 && sample % every_sample == 0;
    }
};

/// `text` with $NAME and ${NAME} replaced by the environment's values; unknown names stay.
std::string expand_variables(std::string_view text);

}  // namespace hodo::lartpc
