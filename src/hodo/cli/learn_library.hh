#pragma once
/// libhodo_learn.so, opened when a verb needs LibTorch.

#include "hodo/workflow/workflow.hh"

namespace hodo::cli {

/// The function that runs a learning verb. Error with exit code 3 when this build has none.
void (*learning_verb(std::string_view workflow, std::string_view verb))(const workflow::Job&);

}  // namespace hodo::cli
