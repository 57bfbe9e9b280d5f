#include "hodo/workflow/workflow.hh"

namespace hodo::om2vec {
extern const workflow::Workflow om2vec;
}

namespace hodo::workflow {

namespace {

/// The line a new workflow adds.
const Workflow* const table[] = {&om2vec::om2vec};

}  // namespace

std::span<const Workflow* const> workflows() {
    return table;
}

const Verb* Workflow::find(std::string_view verb) const {
    for (const auto& candidate : verbs) {
        if (candidate.name == verb) return &candidate;
    }
    return nullptr;
}

}  // namespace hodo::workflow
