#pragma once
/// Checkpoints in the published code's layout: `checkpoints/checkpoint_NNN.pth.tar`, NNN the epoch
/// from 0, a PyTorch file of {model: state dictionary, optimizer: {state, param_groups}
/// [, scheduler]}.

#include "hodo/base/text.hh"
#include "hodo/train/learner.hh"
#include "hodo/workflow/lartpc/learn/network.hh"

#include <cstdint>
#include <optional>

namespace hodo::lartpc {

struct EpochCheckpoint {
    base::Path file;
    std::int64_t epoch = 0;
};

/// The epoch in the name of a checkpoint, or nothing.
std::optional<std::int64_t> epoch_of_checkpoint(const base::Path& file);
/// The file of an epoch in a run directory.
base::Path checkpoint_file(const base::Path& run, std::int64_t epoch);
/// The last epoch in a run directory, or nothing.
std::optional<EpochCheckpoint> newest_checkpoint(const base::Path& run);

/// Writes the checkpoint of an epoch. Parameters that do not learn have no optimizer state, like
/// those without gradient in the original.
void write_epoch_checkpoint(const base::Path& file, CellNet& model, const train::Learner& learner,
                            const train::LearnerOptions& options, double rate);

/// Goes on with the optimizer of a checkpoint (the original's or ours), and with its plateau
/// schedule if it has one; `rate` is the learner's base rate.
void adopt_optimizer(train::Learner& learner, CellNet& model, const io::WeightFile& file,
                     double rate);

}  // namespace hodo::lartpc
