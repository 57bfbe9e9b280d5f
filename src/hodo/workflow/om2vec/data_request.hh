#pragma once
/// Which modules a training uses, and which it keeps for validation.

#include "hodo/workflow/om2vec/module_data.hh"
#include "hodo/workflow/om2vec/options.hh"

namespace hodo::om2vec {

/// The modules to train on: all that `data.train` names, or the events that are not held out.
DataRequest training_request(const TrainOptions& options);

/// The modules to validate on: those that `data.valid` names, or the events held out.
DataRequest validation_request(const TrainOptions& options);

/// Whether a run keeps anything for validation.
bool has_validation(const TrainOptions& options);

}  // namespace hodo::om2vec
