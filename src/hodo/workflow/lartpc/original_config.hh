#pragma once
/// Configuration files of the published code (`ghost3d.yaml`, `charge.yaml`, ...), used as they
/// are.
///
/// Keys: trainer, output_dir, store_inference and the groups data, model, loss, optimizer, train
/// and metrics. Defaults are the published code's, which apply to missing keys and differ from ours
/// (`downsample_t` 4, 4).

#include "hodo/base/config.hh"
#include "hodo/workflow/lartpc/data_options.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hodo::lartpc {

/// What such a file says, key by key.
struct OriginalConfig {
    struct Trainer {
        std::string name = "basic", metric, mode = "max", threshold_mode = "rel";
        double factor = 0.1, threshold = 1e-4, min_lr = 0, eps = 1e-8;
        std::int64_t patience = 10, cooldown = 0;
        bool verbose = false;
        void describe(base::Fields& f);
    };
    struct StoreInference {
        std::int64_t every_epoch = 1, every_sample = 1;
        std::string outdir = "inference";
        void describe(base::Fields& f);
    };
    struct Data {
        std::string name = "sparse";
        std::vector<std::string> data_path;
        PerPath train_i, inference_i, tpcs;
        std::int64_t batch_size = 1;
        /// One number, or none where the truth itself is learnt.
        std::vector<double> threshold;
        bool full_y = false, use_dist_sampler_train = true, use_dist_sampler_valid = true;
        TransformOptions transforms;
        void describe(base::Fields& f);
    };
    struct Model {
        std::string name = "cellnet_binary";
        std::vector<std::int64_t> spatial_size, downsample{2, 2}, downsample_t{4, 4};
        std::int64_t channels = 16, strides = 4, flat = 0, inputs = 3, reps = 2, kernel = 3,
                     hidden_layers = 1;
        double momentum = 0.99;
        bool freeze = false;
        void describe(base::Fields& f);
    };
    struct Loss {
        std::string name = "BCELoss", reduction = "mean";
        double l1_lambda = 1, negative_weight = 1, positive_weight = 1, weight = 1, beta = 1;
        std::vector<std::int64_t> downsample{5, 5, 5};
        void describe(base::Fields& f);
    };
    struct Optimizer {
        std::string name = "Adam";
        double lr = 1e-3, eps = 1e-8, weight_decay = -1, momentum = 0;
        std::vector<double> betas{0.9, 0.999};
        void describe(base::Fields& f);
    };
    struct Train {
        std::int64_t n_epochs = 1;
        std::int64_t start_epoch = -1;  ///< -1: not given.
        bool transfer = false;
        void describe(base::Fields& f);
    };

    /// Reads a file; unknown keys are errors with the nearest known key.
    static OriginalConfig read(const base::Config& file);

    Trainer trainer;
    std::string output_dir = ".";
    bool stores_inference = false;
    StoreInference store_inference;
    Data data;
    Model model;
    Loss loss;
    Optimizer optimizer;
    Train train;
    std::vector<std::pair<std::string, std::string>> metrics;  ///< Column and class.
};

/// Whether `file` has the keys of the published code's configurations.
bool is_original_config(const base::Config& file);

/// The section of the verb `train` that means the same; nothing if the file is not one of the
/// published code or the verb is another. A file without `train_i` only evaluates.
std::optional<base::Config> translate_original(const base::Config& file, std::string_view verb);

}  // namespace hodo::lartpc
