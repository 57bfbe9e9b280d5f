#pragma once
/// What is trained and how: the network, its loss, the metrics that judge it.
///
/// The network is a sparse residual U-Net (nn/uresnet.hh) with a dense head: one linear map and a
/// sigmoid tells ghosts from true voxels (`cellnet_binary`); linear maps with ReLU between them
/// regress the charge (`cellnet_charge`). Keys are those of the published configurations in our
/// spelling; losses and metrics have their published names.

#include "hodo/base/fields.hh"
#include "hodo/workflow/network_file.hh"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hodo::lartpc {

enum class NetworkKind { cellnet_binary, cellnet_charge };
constexpr auto names(NetworkKind) {
    return std::array<std::string_view, 2>{"cellnet_binary", "cellnet_charge"};
}

/// What becomes of voxels beyond `spatial_size`: they count like any other, or (as published) those
/// whose cell on a coarse level lies outside vanish from that level without a word.
enum class Beyond { keep, drop };
constexpr auto names(Beyond) {
    return std::array<std::string_view, 2>{"keep", "drop"};
}

struct ModelOptions {
    NetworkKind name = NetworkKind::cellnet_binary;
    std::vector<std::int64_t> spatial_size;  ///< x, y, z; empty: no limit.
    Beyond beyond = Beyond::keep;
    std::int64_t n_channels = 16;
    std::int64_t n_strides = 4;  ///< Levels.
    std::int64_t n_2d = 0;       ///< Levels whose kernels do not reach along the drift.
    std::int64_t n_input_features = 3;
    std::int64_t reps = 2;
    std::int64_t conv_kernel = 3;
    std::vector<std::int64_t> downsample{2, 2};    ///< Filter and stride of y and z.
    std::vector<std::int64_t> downsample_t{2, 2};  ///< The same of the drift (published: 4, 4).
    double momentum = 0.99;                        ///< Weight of the old running statistics.
    std::int64_t hidden_layers = 1;                ///< Of the charge head.
    bool freeze = false;                           ///< Learn the head only.

    void describe(base::Fields& f);
    bool operator==(const ModelOptions&) const = default;
};

/// The options of the network that has these tensors, in the original's names. Filters are taken
/// to be as large as their strides; `momentum`, `spatial_size` and `freeze` leave no trace and keep
/// their defaults. An error names `origin` and what does not fit.
ModelOptions infer_model(const std::vector<workflow::NamedShape>& tensors, std::string_view origin);

enum class LossKind {
    bce,
    mse,
    bce_l1,
    charge_weighted_bce,
    label_weighted_bce,
    downsample_mse,
    l1,
    smooth_l1,
    huber
};
constexpr auto names(LossKind) {
    return std::array<std::string_view, 9>{"BCELoss",
                                           "MSELoss",
                                           "BCEL1Loss",
                                           "ChargeWeightedBCELoss",
                                           "LabelWeightedBCELoss",
                                           "DownsampleMSELoss",
                                           "L1Loss",
                                           "SmoothL1Loss",
                                           "HuberLoss"};
}

/// The kind of a published loss name, aliases (WeightedBCELoss) included.
std::optional<LossKind> loss_of_name(std::string_view name);

struct LossOptions {
    LossKind name = LossKind::bce;
    double l1_lambda = 1.0;
    double negative_weight = 1.0;
    double positive_weight = 1.0;
    std::vector<std::int64_t> downsample{5, 5, 5};
    double weight = 1.0;
    double beta = 1.0;

    void describe(base::Fields& f);
};

enum class MetricKind { accuracy, binary_accuracy };
constexpr auto names(MetricKind) {
    return std::array<std::string_view, 2>{"Accuracy", "BinAccuracy"};
}

/// A metric and the name of its column: "acc=BinAccuracy".
struct Metric {
    std::string column;
    MetricKind kind = MetricKind::binary_accuracy;
};

/// The metrics of a list such as {"acc=BinAccuracy"}; an error names the entry that is not one.
std::vector<Metric> parse_metrics(const std::vector<std::string>& texts);

}  // namespace hodo::lartpc
