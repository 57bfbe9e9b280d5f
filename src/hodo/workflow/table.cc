#include "hodo/workflow/workflow.hh"

namespace hodo::om2vec {
extern const workflow::Workflow om2vec;
}

namespace hodo::lartpc {
extern const workflow::Workflow lartpc;
}

namespace hodo::workflow {

namespace {

/// The line a new workflow adds.
const Workflow* const table[] = {&om2vec::om2vec, &lartpc::lartpc};

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

std::vector<std::string> divisible_verbs(const Workflow& workflow) {
    std::vector<std::string> names;
    for (const auto& verb : workflow.verbs) {
        if (verb.divisible == Divisible::yes) names.emplace_back(verb.name);
    }
    return names;
}

}  // namespace hodo::workflow
