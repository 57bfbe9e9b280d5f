/// The lartpc workflow as a table of verbs.

#include "hodo/workflow/workflow.hh"

#include "hodo/workflow/lartpc/options.hh"
#include "hodo/workflow/lartpc/verbs.hh"

namespace hodo::lartpc {

namespace {

template <class Options>
void describe(base::Fields& fields) {
    Options options;
    options.describe(fields);
}

const workflow::Verb verbs[] = {
    {"prepare", "Tile the wire signals of parsed files into voxels with truth", "input output",
     describe<PrepareOptions>, run_prepare,
     "lartpc prepare parsed xy --batch-size 5\nlartpc prepare parsed xy --tpcs 1 --save-pix"},
    {"join", "Join the voxels of several TPCs in one frame", "input output", describe<JoinOptions>,
     run_join, "lartpc join xy --tpcs 1 --tpcs 5 --tpcs 9"},
};

}  // namespace

extern const workflow::Workflow lartpc;
const workflow::Workflow lartpc{
    "lartpc", "Wire signals of liquid-argon TPCs to voxels: tiling, ghosts and charge", verbs,
    nullptr, nullptr};

}  // namespace hodo::lartpc
