#include "hodo/base/fields.hh"
#include "hodo/train/journal.hh"
#include "hodo/train/learner.hh"
#include "hodo/train/order.hh"
#include "hodo/train/plan.hh"
#include "hodo/train/ranks_options.hh"

// Descriptions of all options of training. They need no LibTorch: help, defaults and checks of a
// configuration are answered without loading it.

namespace hodo::train {

void OptimizerOptions::describe(base::Fields& f) {
    f("kind", kind, "method");
    f("rate", rate, "learning rate before the schedule's factor").above(0);
    f("beta1", beta1, "adam: decay of the mean of gradients").between(0, 1);
    f("beta2", beta2, "adam: decay of the mean of squared gradients").between(0, 1);
    f("epsilon", epsilon, "adam: added to the denominator").above(0);
    f("weight_decay", weight_decay, "pull towards zero, decoupled for adamw").at_least(0);
    f("decayed", decayed, "which parameters decay; matrices are those of two or more dimensions");
    f("momentum", momentum, "sgd: decay of the running gradient").between(0, 1);
}

void ScheduleOptions::describe(base::Fields& f) {
    f("kind", kind, "how the learning rate changes");
    f("unit", unit, "what milestones and length count");
    f("milestones", milestones, "steps: where the rate is multiplied by factor").at_least(0);
    f("factor", factor, "steps and plateau: factor on the rate").between(0, 1);
    f("length", length, "cosine: half a period; 0 is the whole run").at_least(0);
    f("floor", floor, "cosine and plateau: smallest factor on the rate").between(0, 1);
    f("warmup", warmup, "steps over which the rate rises linearly to its value").at_least(0);
    f("metric", metric, "plateau: validation scalar that should improve");
    f("better", better, "plateau: whether a smaller or a larger metric is better");
    f("patience", patience, "plateau: validation passes without improvement that are accepted")
        .at_least(0);
    f("threshold", threshold, "plateau: relative change that counts as improvement").between(0, 1);
}

void AverageOptions::describe(base::Fields& f) {
    f("kind", kind, "average of the parameters that is kept beside them");
    f("decay", decay, "ema: weight of the past").between(0, 1);
    f("start", start, "swa: part of the epochs after which averaging starts").between(0, 1);
    f("times", times,
      "swa: parameters at the end of each epoch, or (as Lightning) at the start from one "
      "epoch earlier");
}

void LearnerOptions::describe(base::Fields& f) {
    f.group("optimizer", optimizer, "how parameters follow gradients");
    f.group("schedule", schedule, "how the learning rate changes");
    f.group("average", average, "averages of the parameters");
    f("clip", clip, "largest Euclidean norm of all gradients; 0 does not clip").at_least(0);
    f("accumulate", accumulate, "batches whose gradients are averaged before a step").at_least(1);
    f("precision", precision, "arithmetic of matrix products");
}

void FeedOptions::describe(base::Fields& f) {
    f("batch_size", batch_size, "rows per batch; with several ranks each takes its part")
        .at_least(1);
    f("order", order, "whether rows are visited shuffled or as stored");
    f("window", window, "rows that are shuffled together; 0 is the whole epoch").at_least(0);
    f("last_batch", last_batch, "whether a last batch that is not full is kept or dropped");
    f("workers", workers, "threads that load batches; 0 loads between the steps").between(0, 256);
    f("prefetch", prefetch, "batches loaded ahead").between(1, 1024);
}

void Plan::describe(base::Fields& f) {
    f("epochs", epochs, "passes over the training data").at_least(0);
    f("steps", steps, "steps of the whole run; 0 lets the epochs decide").at_least(0);
    f("validate_every", validate_every, "steps between validations; 0 is once per epoch")
        .at_least(0);
    f("save_every", save_every, "steps between checkpoints; 0 is once per epoch").at_least(0);
    f("metric", metric, "validation scalar that tells the best checkpoint");
    f("better", better, "whether a smaller or a larger metric is better");
    f("patience", patience,
      "validations without improvement after which training stops; 0 never stops early")
        .at_least(0);
    f("min_change", min_change, "change of the metric that counts as improvement").at_least(0);
    f.rule(epochs > 0 || steps > 0, "epochs or steps must be given");
}

void RanksOptions::describe(base::Fields& f) {
    f("use", use,
      "auto: train with the processes that srun, mpirun, torchrun or hodo launch started");
    f("wait", wait, "seconds to wait for all ranks at the start").between(1, 86400);
    f("silence", silence, "seconds without an answer after which a rank counts as lost")
        .between(1, 86400);
}

void JournalOptions::describe(base::Fields& f) {
    f("log_every", log_every, "steps per row of the log").at_least(1);
    f("keep", keep, "newest checkpoints that are kept").at_least(1);
    f("tensorboard", tensorboard, "whether a TensorBoard event file is written");
}

}  // namespace hodo::train
