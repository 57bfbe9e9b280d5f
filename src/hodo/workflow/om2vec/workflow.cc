/// The om2vec workflow as a table of verbs.

#include "hodo/workflow/workflow.hh"

#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/om2vec/original_config.hh"
#include "hodo/workflow/om2vec/verbs.hh"

namespace hodo::om2vec {

namespace {

template <class Options>
void describe(base::Fields& fields) {
    Options options;
    options.describe(fields);
}

const workflow::Verb verbs[] = {
    {"simulate", "Simulate neutrino events and write Prometheus Parquet files", "output",
     describe<SimulateOptions>, run_simulate, "om2vec simulate events --events 200 --seed 7",
     workflow::Divisible::yes},
    {"validate", "Compare the simulator with its closed forms, as figures", "output",
     describe<ValidateOptions>, run_validate, "om2vec validate figures --medium water"},
    {"prepare", "Bin the photons of event files into sparse histograms per optical module",
     "input output", describe<PrepareOptions>, run_prepare,
     "om2vec prepare events prepared\nom2vec prepare events prepared --shard 0/16",
     workflow::Divisible::yes},
    {"train", "Train the variational autoencoder", "", describe<TrainOptions>, nullptr,
     "om2vec train configs/om2vec-toy.yaml\nom2vec train runs/om2vec/config.yaml --resume"},
    {"apply", "Encode the optical modules of event files into latent vectors", "input output",
     describe<ApplyOptions>, nullptr,
     "om2vec apply --weights runs/om2vec events latents\n"
     "om2vec apply --weights original.ckpt --compat om2vec events.parquet latents",
     workflow::Divisible::yes},
    {"decode", "Turn latent vectors back into arrival-time distributions or photon times",
     "input output", describe<DecodeOptions>, nullptr,
     "om2vec decode --weights runs/om2vec latents decoded.parquet", workflow::Divisible::yes},
    {"summarize", "Describe every optical module by nine summary statistics, without a network",
     "input output", describe<SummarizeOptions>, run_summarize, "om2vec summarize events summaries",
     workflow::Divisible::yes},
    {"evaluate", "Judge a trained network beside simple codes of the same size", "input output",
     describe<EvaluateOptions>, nullptr,
     "om2vec evaluate --weights runs/om2vec\nom2vec evaluate --weights runs/om2vec other-events "
     "judged"},
    {"report", "Draw the quality report of a run as one HTML page", "run", describe<ReportOptions>,
     run_report, "om2vec report runs/om2vec"},
    {"view", "Write a 3D display of events as one HTML page", "input output", describe<ViewOptions>,
     run_view, "om2vec view events.parquet events.html"},
};

}  // namespace

extern const workflow::Workflow om2vec;
const workflow::Workflow om2vec{
    "om2vec", "Photon times of optical modules (Prometheus Parquet) to latent vectors and back",
    verbs, translate_original, recognises_events};

}  // namespace hodo::om2vec
