#pragma once
/// The om2vec verbs that need LibTorch.

#include "hodo/workflow/workflow.hh"

namespace hodo::om2vec {

void run_train(const workflow::Job& job);
void run_apply(const workflow::Job& job);
void run_decode(const workflow::Job& job);
void run_evaluate(const workflow::Job& job);

}  // namespace hodo::om2vec
