#pragma once
/// The lartpc verbs that need LibTorch.

#include "hodo/workflow/workflow.hh"

namespace hodo::lartpc {

void run_train(const workflow::Job& job);
void run_apply(const workflow::Job& job);

}  // namespace hodo::lartpc
