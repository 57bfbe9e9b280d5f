#pragma once
/// Where a training begins: afresh, from other weights, from its own state, or from a checkpoint of
/// the published code's layout in its run directory.

#include "hodo/workflow/lartpc/train_options.hh"
#include "hodo/workflow/workflow.hh"

namespace hodo::lartpc {

/// Adapts `options` to what the run directory holds.
///  * With `resume` and states of ours: the newest state, or the one after epoch `resume_from`;
///    later states and files of later epochs are removed by the first rank.
///  * With `resume` and only checkpoint_NNN.pth.tar, or a `resume_from` of which only that is left:
///    weights and optimizer (with `transfer` what is there of the weights) of the newest or of
///    epoch `resume_from`; epochs go on from there.
///  * Else as the options say.
/// The plan's epochs become those that are left. `epoch_steps`: batches per epoch.
void find_start(TrainOptions& options, workflow::Existing existing, std::int64_t epoch_steps,
                bool first_rank);

/// The weights that a run without training data judges, and their epoch: `weights`, else the
/// checkpoint of epoch `resume_from` in the run directory, else its newest.
struct Judged {
    base::Path weights;
    std::int64_t epoch = 0;
};
Judged find_judged(const TrainOptions& options);

}  // namespace hodo::lartpc
