#pragma once
/// The training loop: the only one.
///
/// Resuming is the normal start: state is restored if the journal has any. A run of n steps equals
/// k steps, a stop at any moment, and n - k steps, bit for bit on the CPU. With several ranks all
/// take the same steps and the same decisions; only the first writes.

#include "hodo/base/interrupt.hh"
#include "hodo/train/feed.hh"
#include "hodo/train/journal.hh"
#include "hodo/train/learner.hh"
#include "hodo/train/plan.hh"
#include "hodo/train/ranks.hh"
#include "hodo/train/recipe.hh"
#include "hodo/train/session.hh"

namespace hodo::train {

/// How a run ended (an interruption is thrown as `Interrupted`).
enum class Outcome { completed, stopped_early };

/// One pass over `feed`: means of the validation scalars, weighted by examples, of all ranks.
template <class Batch>
Scalars evaluate(Recipe<Batch>& recipe, Feed<Batch>& feed, const StepContext& context) {
    const NoGradients no_gradients;
    ScalarMeans means;
    feed.rewind();
    auto here = context;
    for (;;) {
        const auto position = feed.position();
        const auto batch = feed.next();
        if (!batch) break;
        const auto extent = feed.order().extent(position);
        here.share = extent.part();
        here.first_example = position.batch * feed.order().batch_size() + extent.first;
        const auto step = recipe.validate(*batch, here);
        means.add(step.scalars, extent.count > 0 ? static_cast<double>(step.examples) : 0.0);
    }
    agree(context.ranks, means);
    return means.means();
}

/// Trains until the plan is fulfilled. `validation` may be null; it must be a feed of a single
/// pass. `Batch` provides `void state(Archive&)`, with which the batch of a failed step is kept.
template <class Batch>
Outcome run(Recipe<Batch>& recipe, Feed<Batch>& feed, Feed<Batch>* validation, Journal& journal,
            const Plan& plan, std::uint64_t seed, Ranks* ranks = nullptr) {
    require_rows(feed.order());
    Clock clock(plan, feed.order(), seed, ranks);
    const auto state = [&](Archive& archive) {
        archive.group("clock", clock);
        archive.group("feed", feed);
        archive.group("recipe", recipe);
    };
    journal.restore(state);
    require_same_step(ranks, clock.step(), journal.folder());
    while (!clock.finished()) {
        const auto context = clock.context();
        begin_step(context);
        auto batch = *feed.next();
        journal.note_waiting(feed.waited());
        Step step;
        try {
            step = guarded_step(context, [&] { return recipe.train(batch, context); });
            require_finite(step.scalars);
        } catch (const NonFinite& problem) {
            if (problem.seen() == Seen::elsewhere) throw base::Error("");
            throw base::Error(journal.keep_failure(
                clock, problem.what() + place_of(ranks),
                [&](Archive& a) {
                    auto place = context;
                    a("share", place.share);
                    a("first_example", place.first_example);
                    batch.state(a);
                },
                state));
        }
        const bool stop = agree(context, step, base::interrupted());
        clock.advance(step.examples);
        journal.record(clock, step);
        auto mark = Journal::Mark::none;
        if (validation && clock.due_to_validate()) {
            const auto means = evaluate(recipe, *validation, clock.context());
            journal.record_validation(clock, means);
            if (clock.note_validation(means)) mark = Journal::Mark::best;
        }
        if (clock.due_to_save() || clock.finished() || stop || mark == Journal::Mark::best) {
            journal.save(clock, state, mark);
        }
        if (stop && !clock.finished()) {
            journal.finish(clock, "interrupted");
            throw Interrupted(clock.step(), journal.folder());
        }
    }
    journal.finish(clock, clock.stopped_early() ? "stopped early" : "completed");
    return clock.stopped_early() ? Outcome::stopped_early : Outcome::completed;
}

/// Runs the step that `Journal::keep_failure` kept once more and returns what it reports; throws
/// `NonFinite` again if the cause is still there.
template <class Batch>
Step replay(Recipe<Batch>& recipe, Feed<Batch>& feed, const base::Path& failure, const Plan& plan,
            std::uint64_t seed) {
    Clock clock(plan, feed.order(), seed, nullptr);
    auto saved = Archive::read(failure / "state.safetensors");
    saved.group("clock", clock);
    saved.group("recipe", recipe);
    Batch batch;
    auto stored = Archive::read(failure / "batch.safetensors");
    batch.state(stored);
    auto context = clock.context();
    if (stored.has("share")) {
        stored("share", context.share);
        stored("first_example", context.first_example);
    }
    begin_step(context);
    auto step = recipe.train(batch, context);
    require_finite(step.scalars);
    return step;
}

}  // namespace hodo::train
