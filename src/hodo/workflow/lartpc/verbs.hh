#pragma once
/// The lartpc verbs that need no LibTorch.

#include "hodo/workflow/workflow.hh"

namespace hodo::lartpc {

void run_simulate(const workflow::Job& job);
void run_validate(const workflow::Job& job);
void run_prepare(const workflow::Job& job);
void run_join(const workflow::Job& job);
void run_solve(const workflow::Job& job);
void run_info(const workflow::Job& job);
void run_view(const workflow::Job& job);
void run_report(const workflow::Job& job);

/// Whether `file` holds voxels or wire signals by its name.
bool recognises_events(const base::Path& file);

}  // namespace hodo::lartpc
