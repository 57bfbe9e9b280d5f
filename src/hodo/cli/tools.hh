#pragma once
/// The commands beside the workflows: view, doctor, weights, defaults, check.
///
/// They are described like the verbs of a workflow, so that parsing and help are the same.

#include "hodo/workflow/workflow.hh"

namespace hodo::cli {

/// Verbs called without a workflow: `hodo view FILE`, `hodo doctor`.
const workflow::Workflow& single_commands();
/// `hodo weights list|convert|diff`.
const workflow::Workflow& weights_commands();

/// `hodo check FILE`: every section of a configuration file against its verb.
void check_file(const base::Path& file);

}  // namespace hodo::cli
