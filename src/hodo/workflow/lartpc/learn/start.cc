#include "hodo/workflow/lartpc/learn/start.hh"

#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/json.hh"
#include "hodo/train/checkpoints.hh"
#include "hodo/workflow/lartpc/learn/checkpoints.hh"
#include "hodo/workflow/lartpc/learn/network.hh"

#include <algorithm>

namespace hodo::lartpc {

namespace {

namespace fs = std::filesystem;

std::vector<base::Path> states_of(const base::Path& run) {
    const auto folder = run / "checkpoints";
    if (!fs::is_directory(folder)) return {};
    return train::Checkpoints(folder, 1).newest_first();
}

/// The first epoch of a run that goes on, as it wrote it when it began.
std::int64_t recorded_start(const base::Path& run, std::int64_t otherwise) {
    const auto file = run / "run.json";
    if (!fs::exists(file)) return otherwise;
    const auto record = io::Json::parse(io::read_text(file), file.string());
    if (!record.is_object() || !record.has("start_epoch")) return otherwise;
    return record.at("start_epoch").integer();
}

/// The last epoch that a run has a checkpoint or a state of, for messages.
std::int64_t last_epoch(const TrainOptions& options, const std::vector<base::Path>& states,
                        std::int64_t epoch_steps) {
    const auto newest = newest_checkpoint(options.output);
    std::int64_t last = newest ? newest->epoch : -1;
    for (const auto& file : states) {
        const auto epochs =
            train::Checkpoints::step_of(file) / std::max<std::int64_t>(epoch_steps, 1);
        last = std::max(last, options.start_epoch + epochs - 1);
    }
    return last;
}

/// What a run goes on with once it went back.
enum class Kept { state, checkpoint };

/// Removes what came after the end of an epoch. Where its state is no longer kept, all states go:
/// the epoch's checkpoint is what is left of it.
Kept go_back(const TrainOptions& options, std::int64_t epoch_steps, bool first_rank) {
    const base::Path run = options.output;
    const auto wanted = (options.resume_from + 1 - options.start_epoch) * epoch_steps;
    const auto states = states_of(run);
    const bool there = std::ranges::any_of(
        states, [&](const auto& file) { return train::Checkpoints::step_of(file) == wanted; });
    const auto checkpoint = checkpoint_file(run, options.resume_from);
    HODO_CHECK(there || fs::exists(checkpoint),
               "{}: keeps neither a state nor a checkpoint from the end of epoch {} (the last one "
               "is {}, and the newest {} states are kept); choose another epoch",
               run, options.resume_from, last_epoch(options, states, epoch_steps),
               options.journal.keep);
    const auto kept = there ? Kept::state : Kept::checkpoint;
    if (!first_rank) return kept;
    for (const auto& file : states) {
        if (!there || train::Checkpoints::step_of(file) > wanted) fs::remove(file);
    }
    for (const auto* name : {"best.safetensors", "last.safetensors"}) {
        fs::remove(run / "checkpoints" / name);
    }
    for (auto epoch = options.resume_from + 1; fs::remove(checkpoint_file(run, epoch)); ++epoch) {
    }
    if (there) base::say("went back to the end of epoch {} of {}", options.resume_from, run);
    return kept;
}

EpochCheckpoint checkpoint_of(const TrainOptions& options) {
    const base::Path run = options.output;
    if (options.resume_from >= 0) {
        const auto file = checkpoint_file(run, options.resume_from);
        HODO_CHECK(fs::exists(file),
                   "{}: is missing, so epoch {} cannot be gone on from; choose "
                   "another resume_from",
                   file, options.resume_from);
        return {file, options.resume_from};
    }
    return *newest_checkpoint(run);
}

}  // namespace

void find_start(TrainOptions& options, workflow::Existing existing, std::int64_t epoch_steps,
                bool first_rank) {
    const base::Path run = options.output;
    auto kept = Kept::checkpoint;
    if (existing == workflow::Existing::resume && !states_of(run).empty()) {
        options.start_epoch = recorded_start(run, options.start_epoch);
        kept = options.resume_from >= 0 ? go_back(options, epoch_steps, first_rank) : Kept::state;
    }
    if (kept == Kept::state) {
        // It brings weights and optimizer.
        options.weights.clear();
        options.transfer = options.optimizer_state = false;
    } else if (existing == workflow::Existing::resume && newest_checkpoint(run)) {
        const auto from = checkpoint_of(options);
        options.weights = from.file.string();
        options.optimizer_state =
            !options.transfer && io::WeightFile::open(from.file).optimizer_count() > 0;
        options.start_epoch = from.epoch + 1;
        if (first_rank) base::say("going on after epoch {} of {}", from.epoch, from.file);
    }
    HODO_CHECK(options.plan.steps > 0 || options.plan.epochs >= options.start_epoch,
               "the plan has {} epochs, but training starts with epoch {}; set plan.epochs to more",
               options.plan.epochs, options.start_epoch);
    options.plan.epochs -= std::min(options.plan.epochs, options.start_epoch);
}

Judged find_judged(const TrainOptions& options) {
    if (!options.weights.empty()) {
        const base::Path weights = options.weights;
        return {weights, epoch_of_weights(weights).value_or(options.start_epoch)};
    }
    HODO_CHECK(options.resume_from >= 0 || newest_checkpoint(options.output),
               "no file is to be trained on, and {} has no checkpoint to judge; set data.train_i, "
               "or name weights",
               options.output);
    const auto found = checkpoint_of(options);
    return {found.file, found.epoch};
}

}  // namespace hodo::lartpc
