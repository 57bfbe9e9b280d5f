#include "hodo/workflow/lartpc/train_options.hh"

namespace hodo::lartpc {

TrainOptions::TrainOptions() {
    feed.batch_size = 1;
    learner.optimizer.kind = train::OptimizerKind::adam;
    learner.optimizer.rate = 0.01;
    learner.optimizer.weight_decay = 0;
    plan.epochs = 25;
}

void TrainOptions::describe(base::Fields& f) {
    f("output", output, "run directory");
    f("weights", weights,
      "run directory, weight file or checkpoint of the published code to start from; empty: random "
      "weights");
    f("transfer", transfer,
      "take over from 'weights' what is there by name, such as a ghost net's body for a charge "
      "net");
    f("optimizer_state", optimizer_state, "go on with the optimizer state of 'weights' too");
    f("start_epoch", start_epoch, "number of the first epoch; the epochs of the plan include it")
        .at_least(0);
    f("resume_from", resume_from,
      "with --resume: go back to the end of this epoch (also as --resume N); -1: go on from the "
      "newest state")
        .at_least(-1);
    f("replay", replay, "run the failed step kept in this folder again, then stop");
    f("seed", seed, "seed of weights, order and noise");
    f.group("data", data, "what to train on");
    f.group("model", model, "the network");
    f.group("loss", loss, "the loss");
    f("metrics", metrics,
      "what else judges the answers: NAME=BinAccuracy or NAME=Accuracy; empty: acc=BinAccuracy for "
      "labels, nothing for charges");
    f.group("store_inference", store_inference, "answers on the validation files");
    f("epoch_files", epoch_files,
      "write checkpoint_NNN.pth.tar and summaries_0.csv of the published code after each epoch");
    f.group("feed", feed, "batches; rows are xy files");
    f.group("learner", learner, "the optimizer and what surrounds it");
    f.group("plan", plan, "how long, and what happens how often");
    f.group("journal", journal, "logs and checkpoints");
    f.group("ranks", ranks, "training with several processes");
    f.rule(!optimizer_state || !weights.empty(),
           "optimizer_state takes the state from a checkpoint; name it with weights");
    f.rule(!transfer || !optimizer_state,
           "transfer takes weights only, since the optimizer's state belongs to another network; "
           "leave optimizer_state out");
    f.rule(model.n_input_features == data.width(),
           "model.n_input_features must be 3 and one more for each of data.transforms.z_segments");
    f.rule(loss.name != LossKind::charge_weighted_bce || target() == Target::value,
           "ChargeWeightedBCELoss weighs voxels by their charge; set data.target to value");
}

Target TrainOptions::target() const {
    if (data.target != Target::automatic) return data.target;
    const bool labels =
        model.name == NetworkKind::cellnet_binary && loss.name != LossKind::charge_weighted_bce;
    return labels ? Target::label : Target::value;
}

std::vector<Metric> TrainOptions::judged_by() const {
    if (metrics.empty() && target() == Target::label) return {Metric{"acc"}};
    return parse_metrics(metrics);
}

}  // namespace hodo::lartpc
