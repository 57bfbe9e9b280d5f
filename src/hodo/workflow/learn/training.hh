#pragma once
/// What the verbs `train` of all workflows do alike: the device of a rank, what a run directory is
/// told, replaying a failed step, and which weights a run leaves to be used.

#include "hodo/base/error.hh"
#include "hodo/base/launch.hh"
#include "hodo/base/log.hh"
#include "hodo/tensor/device.hh"
#include "hodo/train/loop.hh"
#include "hodo/workflow/workflow.hh"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace hodo::workflow {

/// The device that the command line asks for; ranks of one machine take its CUDA devices in turn.
tensor::Device rank_device(const Job& job, const base::Launch& launch);

/// What the journal is told of a run in `folder`; the caller adds inputs and further facts.
train::RunInfo run_info(const Job& job, const std::string& folder, std::uint64_t seed,
                        const train::Ranks& ranks);

/// Prepares the run directory: the first rank does, then the others look at it. All ranks call it.
std::unique_ptr<train::Journal> open_journal(train::RunInfo info,
                                             const train::JournalOptions& options,
                                             train::Ranks& ranks);

/// How a validation set is read: in its order, and all of it.
train::FeedOptions validation_feed(train::FeedOptions training);

/// Prints "<set>_<name> <value>" for every scalar to standard output.
void print_scalars(std::string_view set, const train::Scalars& scalars);

/// Runs the step again that a journal kept in the folder `failure`, and says what it reports.
template <class Batch>
void replay(train::Recipe<Batch>& recipe, train::Feed<Batch>& feed, const base::Path& failure,
            const train::Plan& plan, std::uint64_t seed, const train::Ranks& ranks) {
    HODO_CHECK(ranks.size() == 1, "a step is replayed by a single process; start hodo once");
    const auto step = train::replay(recipe, feed, failure, plan, seed);
    for (const auto& [name, value] : step.scalars.entries()) base::say("{} {}", name, value);
}

/// Calls `save(which)` while the recipe's network has the weights to be used: the average where the
/// learner keeps one ("swa", "ema"), else those of the best validation ("best"), else, without
/// validation, the last ("last"). An average is there only meanwhile; the best weights stay.
template <class Batch>
void export_weights(const train::Journal& journal, train::Recipe<Batch>& recipe,
                    train::Learner& learner, train::AverageKind kind,
                    const std::function<void(std::string_view which)>& save) {
    std::string_view which;
    if (learner.average().count() > 0) {
        const train::AveragedWeights averaged(learner);
        which = kind == train::AverageKind::swa ? "swa" : "ema";
        save(which);
    } else {
        const auto checkpoint = journal.best_checkpoint();
        auto archive = train::Archive::read(checkpoint);
        archive.group("recipe", recipe);
        which = checkpoint.stem() == "best" ? "best" : "last";
        save(which);
    }
    base::say("wrote {} ({} weights)", journal.folder() / "model.safetensors", which);
}

}  // namespace hodo::workflow
