#pragma once
/// The lartpc verbs that need no LibTorch.

#include "hodo/workflow/workflow.hh"

namespace hodo::lartpc {

void run_simulate(const workflow::Job& job);
void run_validate(const workflow::Job& job);
void run_prepare(const workflow::Job& job);
void run_join(const workflow::Job& job);

}  // namespace hodo::lartpc
