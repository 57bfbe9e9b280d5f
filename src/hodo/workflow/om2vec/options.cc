#include "hodo/workflow/om2vec/options.hh"

namespace hodo::om2vec {

void SimulateOptions::describe(base::Fields& f) {
    f("output", output, "folder to write");
    simulation.describe(f);
}

void ValidateOptions::describe(base::Fields& f) {
    f("output", output, "folder for the figures");
    validation.describe(f);
}

void PrepareOptions::describe(base::Fields& f) {
    f("input", input, "event files, folders of them or patterns such as 'data/*.parquet'");
    f("output", output, "folder to write");
    f("format", format, "sparse shards, or the chunk files that the published om2vec code reads");
    f("chunk_size", chunk_size, "modules per chunk file (format om2vec)").at_least(1);
    f("min_modules", min_modules, "leave out events with fewer modules hit").at_least(0);
    f.group("binning", binning, "how photon times become counts");
    f.group("read", read, "columns and limits of reading");
}

void DataOptions::describe(base::Fields& f) {
    f("train", train, "event files, prepared shards or chunk files: files, folders or patterns");
    f("train_ranges", train_ranges,
      "per entry of train: [first, last] of the last number in the file names; empty: all files");
    f("valid", valid,
      "the same for validation; empty: a fraction of the training data is held out");
    f("valid_ranges", valid_ranges, "the same for validation");
    f("valid_fraction", valid_fraction, "fraction held out when valid is empty").between(0, 0.9);
    f("min_modules", min_modules, "leave out events with fewer modules hit").at_least(0);
    f.group("binning", binning, "how photon times become counts; prepared data must agree");
    f.group("read", read, "columns and limits of reading events");
}

void LossOptions::describe(base::Fields& f) {
    f.group("beta", beta, "weight of the Kullback-Leibler term");
    f("kl_reduction", kl_reduction,
      "over the modules of a batch; with 'sum' the effective weight is beta times batch size");
}

TrainOptions::TrainOptions() {
    learner.clip = 0.1;
}

void TrainOptions::describe(base::Fields& f) {
    f("output", output, "run directory");
    f("task", task, "train, or only judge 'weights' on the validation data");
    f("compat", compat,
      "om2vec: the published loss and averaging times: kl_reduction sum, beta.rule om2vec, "
      "average.times lightning");
    f("weights", weights, "weight file to start from; empty: random weights");
    f("weight_choice", weight_choice, "which parameters of a training checkpoint");
    f("optimizer_state", optimizer_state,
      "go on with the optimizer state of 'weights' (a PyTorch checkpoint) too");
    f("replay", replay, "run the failed step kept in this folder again, then stop");
    f("seed", seed, "seed of weights, order, dropout and latent noise");
    f.group("data", data, "what to train on");
    f.group("model", model, "the network");
    f.group("loss", loss, "the loss");
    f.group("feed", feed, "batches");
    f.group("learner", learner, "the optimizer and what surrounds it");
    f.group("plan", plan, "how long, and what happens how often");
    f.group("journal", journal, "logs and checkpoints");
    f.group("ranks", ranks, "training with several processes");
    f.rule(!optimizer_state || !weights.empty(),
           "optimizer_state takes the state from a checkpoint; name it with weights");
    f.rule(model.bins == data.binning.width(),
           "model.bins must equal the bins of data.binning (one more with overflow 'extra')");
    f.rule(data.train_ranges.empty() || data.train_ranges.size() == data.train.size(),
           "data.train_ranges must have one [first, last] for each entry of data.train");
    f.rule(data.valid_ranges.empty() || data.valid_ranges.size() == data.valid.size(),
           "data.valid_ranges must have one [first, last] for each entry of data.valid");
}

void TrainOptions::apply_compat() {
    if (compat == Compat::none) return;
    loss.kl_reduction = KlReduction::sum;
    loss.beta.rule = BetaRule::om2vec;
    learner.average.times = train::SwaTimes::lightning;
}

void NetworkOptions::describe(base::Fields& f) {
    f("weights", weights,
      "trained weights: a run directory, .safetensors, or a checkpoint of the original (.ckpt)");
    f("weight_choice", weight_choice, "which parameters of a training checkpoint");
    f("precision", precision, "of the matrix products");
}

void LatentOutput::describe(base::Fields& f) {
    f("output", output, "folder for chunk_<k>.parquet, or one .parquet or .npz file");
    f("chunk_size", chunk_size, "events per file").at_least(1);
    f("min_modules", min_modules,
      "events with fewer modules get no latents; -1: 8 with compat om2vec, else 0")
        .at_least(-1);
    f("latents_only", latents_only, "one row per module: event, string, sensor, latent");
    f("dtype", dtype, "precision of latents");
    f("compat", compat, "om2vec: drop events below min_modules, add no column but latents");
}

std::int64_t LatentOutput::least_modules() const {
    if (min_modules >= 0) return min_modules;
    return compat == Compat::om2vec ? 8 : 0;
}

void ApplyOptions::describe(base::Fields& f) {
    f("input", input, "event files, folders of them or patterns");
    network.describe(f);
    latents.describe(f);
    f("with_logvar", with_logvar, "append the log variances to each latent vector");
    f.group("binning", binning, "for weights that do not tell; checked against weights that do");
    f.group("read", read, "columns and limits of reading");
}

void SummarizeOptions::describe(base::Fields& f) {
    f("input", input, "event files, folders of them or patterns");
    latents.describe(f);
    f.group("read", read, "columns and limits of reading");
}

void DecodeOptions::describe(base::Fields& f) {
    f("input", input, "files with latents, as written by apply");
    f("output", output, "Parquet file or folder to write");
    network.describe(f);
    f("form", form, "sampled photon times, or the probability of every time bin");
    f("photons", photons, "photons to sample per module; 0: as many as the input's module has")
        .at_least(0);
    f("seed", seed, "seed of the sampled times");
}

void EvaluateOptions::describe(base::Fields& f) {
    f("input", input,
      "event files, prepared shards or chunk files to judge the network on; empty: what its "
      "training kept for validation");
    f("ranges", ranges, "per entry of input: [first, last] of the last number in the file names");
    f("output", output, "folder to write; empty: folder 'evaluation' of the run");
    network.describe(f);
    f("max_modules", max_modules, "judge at most this many modules, drawn at random").at_least(1);
    f("examples", examples, "modules whose distributions are kept for the report").at_least(0);
    f("seed", seed, "seed of the draw and of the sampled latents");
    f.group("binning", binning, "how event files are binned; must agree with the weights");
    f.group("read", read, "columns and limits of reading events");
}

void ViewOptions::describe(base::Fields& f) {
    f("input", input, "event file to show");
    f("output", output, "HTML file to write");
    f("first", first, "number of the first event").at_least(0);
    f("events", events, "how many events to include").at_least(1);
    f("truth_direction", truth_direction,
      "the neutrino's direction: the sum of its final state, or the stored initial one, whose "
      "azimuth older Prometheus files have off by pi");
}

void ReportOptions::describe(base::Fields& f) {
    f("run", run, "run directory of train");
    f("evaluation", evaluation, "folder of evaluate; empty: folder 'evaluation' of the run");
    f("latents", latents, "latents-only file of apply for the correlation plots; may be empty");
    f("output", output, "HTML file to write; empty: report.html in the run directory");
}

}  // namespace hodo::om2vec
