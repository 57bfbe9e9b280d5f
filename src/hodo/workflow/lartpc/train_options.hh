#pragma once
/// Options of the verb `train`.

#include "hodo/base/fields.hh"
#include "hodo/train/journal.hh"
#include "hodo/train/learner.hh"
#include "hodo/train/order.hh"
#include "hodo/train/plan.hh"
#include "hodo/train/ranks_options.hh"
#include "hodo/workflow/lartpc/data_options.hh"
#include "hodo/workflow/lartpc/model_options.hh"

#include <cstdint>
#include <string>
#include <vector>

namespace hodo::lartpc {

struct TrainOptions {
    TrainOptions();

    std::string output = "runs/lartpc";
    std::string weights;
    bool transfer = false;
    bool optimizer_state = false;
    std::int64_t start_epoch = 0;
    std::int64_t resume_from = -1;
    std::string replay;
    std::uint64_t seed = 1;
    DataOptions data;
    ModelOptions model;
    LossOptions loss;
    std::vector<std::string> metrics;
    StoreInferenceOptions store_inference;
    bool epoch_files = true;
    train::FeedOptions feed;
    train::LearnerOptions learner;
    train::Plan plan;
    train::JournalOptions journal;
    train::RanksOptions ranks;

    void describe(base::Fields& f);
    /// What the network answers: `data.target`, by the kind of network and loss where automatic.
    Target target() const;
    /// `metrics`, or where none is named BinAccuracy as "acc" if labels are learnt.
    std::vector<Metric> judged_by() const;
};

}  // namespace hodo::lartpc
