#include "hodo/workflow/lartpc/model_options.hh"

#include <algorithm>
#include <cmath>

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"

namespace hodo::lartpc {

namespace {

/// The shape of a kernel [cells, 1, in, out].
const std::vector<std::int64_t>& kernel(const workflow::ShapeBook& book, const std::string& name) {
    return book.shape(name, 4);
}

/// The integer whose power `power` is `cells`, or 0.
std::int64_t root(std::int64_t cells, int power) {
    const auto size = std::llround(std::pow(static_cast<double>(cells), 1.0 / power));
    std::int64_t product = 1;
    for (int i = 0; i < power; ++i) product *= size;
    return product == cells ? size : 0;
}

void infer_levels(const workflow::ShapeBook& book, std::string_view origin, ModelOptions& options) {
    std::string level = "sparseModel.2";
    const auto table = "." + std::to_string(2 * options.reps) + ".1";
    options.n_2d = 0;
    for (options.n_strides = 1;; ++options.n_strides, level += table + ".2") {
        const auto cells = kernel(book, level + ".0.1.1.weight")[0];
        const auto flat = root(cells, 2), deep = root(cells, 3);
        // 64 cells may be 8 x 8 or 4 x 4 x 4; submanifold kernels are odd.
        const bool is_flat = deep == 0 || deep % 2 == 0;
        HODO_CHECK((is_flat ? flat : deep) > 0,
                   "{}: a kernel of {} cells is neither a square nor a cube; choose another file",
                   origin, cells);
        options.conv_kernel = is_flat ? flat : deep;
        if (is_flat && options.conv_kernel > 1) options.n_2d = options.n_strides;
        if (!book.has(level + table + ".1.weight")) return;
        const auto down = kernel(book, level + table + ".1.weight")[0];
        if (options.n_2d == options.n_strides) {
            options.downsample.assign(2, root(down, 2));
        } else {
            if (options.n_2d == 0) options.downsample = {2, 2};
            const auto size = options.downsample[0] * options.downsample[0];
            HODO_CHECK(size > 0 && down % size == 0,
                       "{}: a filter of {} cells is not one of this network; name the options of "
                       "the model",
                       origin, down);
            options.downsample_t.assign(2, down / size);
        }
    }
}

}  // namespace

void ModelOptions::describe(base::Fields& f) {
    f("name", name, "what the network tells: true or ghost, or the charge of each voxel");
    f("spatial_size", spatial_size, "voxels in x, y and z; empty: no limit").at_least(1);
    f("beyond", beyond,
      "voxels beyond spatial_size count, or vanish from the coarse levels as in the published "
      "code");
    f("n_channels", n_channels, "features of a voxel on the first level").at_least(1);
    f("n_strides", n_strides, "levels").between(1, 12);
    f("n_2d", n_2d, "levels without reach along the drift, from the first on").at_least(0);
    f("n_input_features", n_input_features, "numbers of a voxel that the network reads")
        .at_least(1);
    f("reps", reps, "residual blocks before and after each deeper level").at_least(1);
    f("conv_kernel", conv_kernel, "size of kernels").at_least(1);
    f("downsample", downsample, "filter and stride from level to level in y and z").at_least(1);
    f("downsample_t", downsample_t, "the same along the drift (published default: [4, 4])")
        .at_least(1);
    f("momentum", momentum, "weight of the old value in running statistics").between(0, 1);
    f("hidden_layers", hidden_layers, "cellnet_charge: hidden layers of the head").between(0, 64);
    f("freeze", freeze, "learn the head only; running statistics still move");
    f.rule(conv_kernel % 2 == 1, "conv_kernel must be odd");
    f.rule(downsample.size() == 2, "downsample needs two numbers: [filter, stride]");
    f.rule(downsample_t.size() == 2, "downsample_t needs two numbers: [filter, stride]");
    f.rule(spatial_size.empty() || spatial_size.size() == 3,
           "spatial_size needs three numbers: [x, y, z]");
    f.rule(beyond == Beyond::keep || !spatial_size.empty(),
           "beyond 'drop' needs a spatial_size to be beyond of");
}

ModelOptions infer_model(const std::vector<workflow::NamedShape>& tensors,
                         std::string_view origin) {
    const workflow::ShapeBook book(tensors, origin, "a sparse network of this workflow");
    ModelOptions options;
    const auto start = kernel(book, "sparseModel.1.weight");
    options.n_input_features = start[2];
    options.n_channels = start[3];
    // Blocks of the first level before the way down: the way down leads to more channels.
    options.reps = 1;
    const auto first_kernel = [&] {
        return base::format("sparseModel.2.{}.1.1.weight", 2 * options.reps);
    };
    while (book.has(first_kernel()) && kernel(book, first_kernel())[3] == options.n_channels) {
        ++options.reps;
    }
    infer_levels(book, origin, options);
    if (book.has("linear.weight")) return options;
    options.name = NetworkKind::cellnet_charge;
    options.hidden_layers = 0;
    while (book.has(base::format("linear.{}.weight", 2 * options.hidden_layers + 2))) {
        ++options.hidden_layers;
    }
    book.shape(base::format("linear.{}.weight", 2 * options.hidden_layers), 2);
    return options;
}

std::optional<LossKind> loss_of_name(std::string_view name) {
    if (name == "WeightedBCELoss") return LossKind::charge_weighted_bce;
    const auto known = names(LossKind{});
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) return std::nullopt;
    return static_cast<LossKind>(found - known.begin());
}

void LossOptions::describe(base::Fields& f) {
    f("name", name, "what is minimised");
    f("l1_lambda", l1_lambda, "BCEL1Loss: weight of the mean magnitude of the output").at_least(0);
    f("negative_weight", negative_weight,
      "ChargeWeightedBCELoss: weight of ghosts; true voxels weigh their charge")
        .at_least(0);
    f("positive_weight", positive_weight,
      "LabelWeightedBCELoss: weight of true voxels; ghosts weigh 1")
        .at_least(0);
    f("downsample", downsample, "DownsampleMSELoss: voxels in x, y and z that make a cell")
        .at_least(1);
    f("weight", weight, "DownsampleMSELoss: weight of the cells' term").at_least(0);
    f("beta", beta, "SmoothL1Loss and HuberLoss: where the square ends").above(0);
    f.rule(downsample.size() == 3, "downsample needs three factors: [x, y, z]");
}

std::vector<Metric> parse_metrics(const std::vector<std::string>& texts) {
    const auto known = names(MetricKind{});
    std::vector<Metric> metrics;
    for (const auto& text : texts) {
        const auto sign = text.find('=');
        const auto kind = sign == std::string::npos ? text : text.substr(sign + 1);
        const auto found = std::find(known.begin(), known.end(), kind);
        HODO_CHECK(found != known.end() && sign != 0,
                   "metrics: '{}' is not a metric; write NAME=Accuracy or NAME=BinAccuracy, such "
                   "as acc=BinAccuracy",
                   text);
        metrics.push_back({sign == std::string::npos ? "acc" : text.substr(0, sign),
                           static_cast<MetricKind>(found - known.begin())});
    }
    return metrics;
}

}  // namespace hodo::lartpc
