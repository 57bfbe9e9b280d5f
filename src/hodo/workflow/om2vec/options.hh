#pragma once
/// Options of the om2vec verbs.

#include "hodo/base/fields.hh"
#include "hodo/detector/optical/binning.hh"
#include "hodo/detector/optical/schema.hh"
#include "hodo/detector/optical/simulate.hh"
#include "hodo/detector/optical/validate.hh"
#include "hodo/io/weights.hh"
#include "hodo/train/journal.hh"
#include "hodo/train/learner.hh"
#include "hodo/train/order.hh"
#include "hodo/train/plan.hh"
#include "hodo/train/ranks_options.hh"
#include "hodo/workflow/om2vec/beta_schedule.hh"
#include "hodo/workflow/om2vec/model_options.hh"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::om2vec {

/// Behaviour of the published code (arXiv:2410.13148) where ours differs.
enum class Compat { none, om2vec };
constexpr auto names(Compat) {
    return std::array<std::string_view, 2>{"none", "om2vec"};
}

enum class PreparedFormat { shards, om2vec };
constexpr auto names(PreparedFormat) {
    return std::array<std::string_view, 2>{"shards", "om2vec"};
}

/// First and last of the last number in file names, both included.
using Ranges = std::vector<std::vector<std::int64_t>>;

struct SimulateOptions {
    std::string output;
    optical::SimulationOptions simulation;

    void describe(base::Fields& f);
};

struct ValidateOptions {
    std::string output;
    optical::ValidationOptions validation;

    void describe(base::Fields& f);
};

struct PrepareOptions {
    std::vector<std::string> input;
    std::string output;
    PreparedFormat format = PreparedFormat::shards;
    std::int64_t chunk_size = 250'000;
    std::int64_t min_modules = 0;
    optical::Binning binning;
    optical::ReadOptions read;

    void describe(base::Fields& f);
};

/// Training data: events, prepared shards, or the original's chunk files.
struct DataOptions {
    std::vector<std::string> train;
    Ranges train_ranges;
    std::vector<std::string> valid;
    Ranges valid_ranges;
    double valid_fraction = 0.1;
    std::int64_t min_modules = 0;
    optical::Binning binning;
    optical::ReadOptions read;

    void describe(base::Fields& f);
};

struct LossOptions {
    BetaSchedule beta;
    KlReduction kl_reduction = KlReduction::mean;

    void describe(base::Fields& f);
};

/// `test` judges weights on the validation data and stops.
enum class Task { train, test };
constexpr auto names(Task) {
    return std::array<std::string_view, 2>{"train", "test"};
}

struct TrainOptions {
    TrainOptions();

    std::string output = "runs/om2vec";
    Task task = Task::train;
    Compat compat = Compat::none;
    std::string weights;
    io::WeightChoice weight_choice = io::WeightChoice::automatic;
    bool optimizer_state = false;
    std::string replay;
    std::uint64_t seed = 1;
    DataOptions data;
    ModelOptions model;
    LossOptions loss;
    train::FeedOptions feed;
    train::LearnerOptions learner;
    train::Plan plan;
    train::JournalOptions journal;
    train::RanksOptions ranks;

    void describe(base::Fields& f);
    /// With compat om2vec: the published loss (summed divergence, beta falling again after its
    /// peak) and averaging times, whatever the keys say.
    void apply_compat();
};

/// What the verbs that run a trained network have in common.
struct NetworkOptions {
    std::string weights;
    io::WeightChoice weight_choice = io::WeightChoice::automatic;
    tensor::Precision precision = tensor::Precision::float32;

    void describe(base::Fields& f);
};

/// Element type of latents on disk.
enum class LatentType { float32, float64, float16 };
constexpr auto names(LatentType) {
    return std::array<std::string_view, 3>{"float32", "float64", "float16"};
}

/// The output of an encoder, whichever it is.
struct LatentOutput {
    std::string output;
    std::int64_t chunk_size = 5000;
    std::int64_t min_modules = -1;
    bool latents_only = false;
    LatentType dtype = LatentType::float32;
    Compat compat = Compat::none;

    void describe(base::Fields& f);
    /// `min_modules` with its default filled in: 8 with compat om2vec, else 0.
    std::int64_t least_modules() const;
};

struct ApplyOptions {
    std::vector<std::string> input;
    NetworkOptions network;
    LatentOutput latents;
    bool with_logvar = false;
    optical::Binning binning;
    optical::ReadOptions read;

    void describe(base::Fields& f);
};

/// Encoding by summary statistics: no network.
struct SummarizeOptions {
    std::vector<std::string> input;
    LatentOutput latents;
    optical::ReadOptions read;

    void describe(base::Fields& f);
};

/// What `decode` writes for every module.
enum class DecodedForm { times, distribution };
constexpr auto names(DecodedForm) {
    return std::array<std::string_view, 2>{"times", "distribution"};
}

struct DecodeOptions {
    std::vector<std::string> input;
    std::string output;
    NetworkOptions network;
    DecodedForm form = DecodedForm::times;
    std::int64_t photons = 0;
    std::uint64_t seed = 1;

    void describe(base::Fields& f);
};

struct EvaluateOptions {
    std::vector<std::string> input;
    Ranges ranges;
    std::string output;
    NetworkOptions network;
    std::int64_t max_modules = 5000;
    std::int64_t examples = 6;
    std::uint64_t seed = 1;
    optical::Binning binning;
    optical::ReadOptions read;

    void describe(base::Fields& f);
};

struct ViewOptions {
    std::string input, output;
    std::int64_t first = 0, events = 50;
    optical::TruthDirection truth_direction = optical::TruthDirection::final;

    void describe(base::Fields& f);
};

struct ReportOptions {
    std::string run;
    std::string evaluation;
    std::string latents;
    std::string output;

    void describe(base::Fields& f);
};

}  // namespace hodo::om2vec
