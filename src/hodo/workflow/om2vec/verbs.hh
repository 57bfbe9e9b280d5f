#pragma once
/// The om2vec verbs that need no LibTorch.

#include "hodo/workflow/workflow.hh"

namespace hodo::om2vec {

void run_simulate(const workflow::Job& job);
void run_validate(const workflow::Job& job);
void run_prepare(const workflow::Job& job);
void run_summarize(const workflow::Job& job);
void run_report(const workflow::Job& job);
void run_view(const workflow::Job& job);

/// Whether `file` holds events of an optical telescope in a layout we read.
bool recognises_events(const base::Path& file);

}  // namespace hodo::om2vec
