#pragma once
/// Options of the lartpc verbs.

#include "hodo/base/fields.hh"
#include "hodo/detector/lartpc/detector_table.hh"
#include "hodo/detector/lartpc/event_charges.hh"
#include "hodo/detector/lartpc/pilarnet.hh"
#include "hodo/detector/lartpc/simulate.hh"
#include "hodo/detector/lartpc/tiling.hh"
#include "hodo/detector/lartpc/validate.hh"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::lartpc {

/// What `prepare` tiles: deconvolved wires, hits, or pixels that it saved before.
enum class Source { wire, hit, pixel };
constexpr auto names(Source) {
    return std::array<std::string_view, 3>{"wire", "hit", "pixel"};
}

constexpr auto names(Border) {
    return std::array<std::string_view, 2>{"active", "inactive"};
}

/// Order of the three charges of a voxel: by angle, which differs between faces, or by name.
enum class PlaneOrder { angle, uvx };
constexpr auto names(PlaneOrder) {
    return std::array<std::string_view, 2>{"angle", "uvx"};
}

constexpr auto names(ChargeMethod) {
    return std::array<std::string_view, 2>{"lasso", "ols"};
}

struct SimulateOptions {
    std::string output;
    std::string detector{built_in_detector};
    SimulationOptions simulation;

    void describe(base::Fields& f);
};

struct ValidateOptions {
    std::string output;
    std::string detector{built_in_detector};
    ValidationOptions validation;

    void describe(base::Fields& f);
};

struct PrepareOptions {
    std::vector<std::string> input;
    std::string output;
    std::string detector{built_in_detector};
    Source source = Source::wire;
    std::vector<std::string> truth{"energy", "depo", "depoElectron"};
    std::vector<std::int64_t> tpcs;
    std::vector<std::int64_t> downsample{8, 4, 4};
    std::vector<std::int64_t> coarse_truth;
    std::int64_t batch_size = 0;
    bool save_pix = false;
    double threshold = 0.001;
    Border border = Border::active;
    PlaneOrder plane_order = PlaneOrder::angle;
    std::vector<std::int64_t> box{0, 0};

    void describe(base::Fields& f);
};

struct JoinOptions {
    std::string input, output, inference;
    std::string detector{built_in_detector};
    std::vector<std::int64_t> tpcs{1, 5, 9};
    std::vector<std::int64_t> downsample{8, 4, 4};
    std::vector<std::int64_t> coarse_truth;

    void describe(base::Fields& f);
};

struct ApplyOptions {
    std::vector<std::string> input;
    std::string output, weights;
    std::vector<std::int64_t> tpcs;
    std::int64_t epoch = -1;
    double threshold = -1;
    std::vector<std::int64_t> z_segments;
    std::int64_t round = -1;
    std::int64_t voxels = 200'000;

    void describe(base::Fields& f);
};

struct SolveOptions {
    std::vector<std::string> input;
    std::string output, parsed, inference;
    std::string detector{built_in_detector};
    Source source = Source::wire;  ///< Wires or hits.
    double threshold = 0.35;
    ChargeMethod method = ChargeMethod::lasso;
    double alpha = 1e-4;
    std::vector<std::int64_t> tpcs;
    std::int64_t epoch = -1;
    std::vector<std::int64_t> downsample{8, 4, 4};

    void describe(base::Fields& f);
};

struct InfoOptions {
    std::vector<std::string> input;
    bool json = false;
    PilarnetOptions pilarnet;

    void describe(base::Fields& f);
};

struct ViewOptions {
    std::string input, output, inference;
    std::string detector{built_in_detector};
    std::vector<std::int64_t> downsample{8, 4, 4};
    double threshold = 0.35;
    std::int64_t first = 0, events = 5;

    void describe(base::Fields& f);
};

/// Three factors as a `Downsampling`; an error that names `key` otherwise.
Downsampling downsampling_of(const std::vector<std::int64_t>& factors, std::string_view key);

}  // namespace hodo::lartpc
