/// The lartpc workflow as a table of verbs.

#include "hodo/workflow/workflow.hh"

#include "hodo/workflow/lartpc/options.hh"
#include "hodo/workflow/lartpc/original_config.hh"
#include "hodo/workflow/lartpc/report_options.hh"
#include "hodo/workflow/lartpc/train_options.hh"
#include "hodo/workflow/lartpc/verbs.hh"

namespace hodo::lartpc {

namespace {

template <class Options>
void describe(base::Fields& fields) {
    Options options;
    options.describe(fields);
}

const workflow::Verb verbs[] = {
    {"simulate", "Simulate particles in liquid argon and write parsed files with truth", "output",
     describe<SimulateOptions>, run_simulate,
     "lartpc simulate parsed --events 20 --seed 7\n"
     "lartpc simulate parsed --sample electron --energy-min 500 --energy-max 1500",
     workflow::Divisible::yes},
    {"validate", "Compare the simulator with its closed forms, as figures", "output",
     describe<ValidateOptions>, run_validate, "lartpc validate figures"},
    {"prepare", "Tile the wire signals of parsed files into voxels with truth", "input output",
     describe<PrepareOptions>, run_prepare,
     "lartpc prepare parsed xy --batch-size 5\nlartpc prepare parsed xy --tpcs 1 --save-pix",
     workflow::Divisible::yes},
    {"join", "Join the voxels of several TPCs in one frame", "input output", describe<JoinOptions>,
     run_join, "lartpc join xy --tpcs 1 5 9"},
    {"train", "Train a network that tells ghosts from true voxels, or regresses their charge", "",
     describe<TrainOptions>, nullptr,
     "lartpc train configs/lartpc-ghost.yaml\nlartpc train runs/lartpc/config.yaml --resume"},
    {"apply", "Run a trained network on voxels: one output per voxel, as yinf files",
     "input output", describe<ApplyOptions>, nullptr,
     "lartpc apply xy outputs --weights runs/ghost\n"
     "lartpc apply xy outputs --weights checkpoint_024.pth.tar --threshold 0.35",
     workflow::Divisible::yes},
    {"solve", "Share the wires' charge among voxels by solving for it, as yinf files",
     "input output", describe<SolveOptions>, run_solve,
     "lartpc solve xy charges --parsed parsed --inference outputs\n"
     "lartpc solve xy charges --parsed parsed --inference outputs --method ols",
     workflow::Divisible::yes},
    {"info", "Tell what files hold: events, voxels, truth, ghosts, outputs", "input",
     describe<InfoOptions>, run_info,
     "lartpc info xy/batch0-reco_BeamCosmic_001_xy-TPC1.npz\n"
     "lartpc info generic_v2_196200_v2.h5 --low-energy drop --min-points 1024"},
    {"report", "Judge outputs of networks beside the truth: an HTML report, figures and numbers",
     "run", describe<ReportOptions>, run_report,
     "lartpc report runs/ghost\n"
     "lartpc report --inference outputs --truth xy --output report.html"},
    {"view", "Show true and ghost voxels, or wire planes, as one HTML page", "input output",
     describe<ViewOptions>, run_view,
     "lartpc view xy/batch0-reco_BeamCosmic_001_xy-TPC1.npz voxels.html"},
};

}  // namespace

extern const workflow::Workflow lartpc;
const workflow::Workflow lartpc{
    "lartpc", "Wire signals of liquid-argon TPCs to voxels: tiling, ghosts and charge", verbs,
    translate_original, recognises_events};

}  // namespace hodo::lartpc
