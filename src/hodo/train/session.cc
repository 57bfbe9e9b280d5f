#include "hodo/train/session.hh"

#include <algorithm>
#include <array>

#include <ATen/core/grad_mode.h>

#include "hodo/tensor/device.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/train/learner.hh"
#include "hodo/train/ranks.hh"

namespace hodo::train {

Interrupted::Interrupted(std::int64_t step, const base::Path& folder)
    : base::Error(base::format("interrupted after step {}; the state is saved in {}: continue with "
                               "--resume",
                               step, folder),
                  base::ExitCode::interrupted) {}

NoGradients::NoGradients() : before_(at::GradMode::is_enabled()) {
    at::GradMode::set_enabled(false);
}

NoGradients::~NoGradients() {
    at::GradMode::set_enabled(before_);
}

void require_rows(const Order& order) {
    HODO_CHECK(
        order.batches() > 0,
        "the training data have {} rows, which is less than one batch of {}; give more data, "
        "a smaller batch, or keep a last batch that is not full",
        order.size(), order.batch_size());
}

void require_finite(const Scalars& scalars) {
    if (const auto name = scalars.first_non_finite()) {
        throw NonFinite("", *name, *scalars.find(*name));
    }
}

void begin_step(const StepContext& context) {
    const auto rank = context.ranks == nullptr ? 0 : context.ranks->rank();
    auto random = context.random("torch").child("rank", static_cast<std::uint64_t>(rank));
    tensor::seed_generators(random.bits64());
}

std::vector<double> gather(Ranks* ranks, std::span<const double> mine) {
    if (ranks == nullptr || ranks->size() == 1) return {mine.begin(), mine.end()};
    const auto columns = std::ssize(mine);
    auto all = at::zeros({ranks->size(), columns}, at::kDouble);
    std::copy(mine.begin(), mine.end(), all.data_ptr<double>() + ranks->rank() * columns);
    ranks->sum(all);
    return {all.data_ptr<double>(), all.data_ptr<double>() + all.numel()};
}

namespace {

/// Numbers in the news that ranks tell each other after a step: all messages have this length, so
/// that ranks which disagree on the number of scalars find out.
constexpr std::size_t news_length = 64;

/// A mean of numbers that are often equal, which must then come out unchanged.
struct CarefulMean {
    double first = 0, sum = 0, weights = 0;
    void add(double value, double weight) {
        if (weight <= 0) return;
        if (weights == 0) first = value;
        sum += weight * (value - first);
        weights += weight;
    }
    double value() const { return weights > 0 ? first + sum / weights : first; }
};

}  // namespace

bool agree(const StepContext& context, Step& step, bool asked_to_stop) {
    if (context.ranks == nullptr || context.ranks->size() == 1) return asked_to_stop;
    const auto& entries = step.scalars.entries();
    HODO_DOOR(entries.size() + 3 <= news_length);
    std::array<double, news_length> mine{};
    mine[0] = asked_to_stop ? 1 : 0;
    mine[1] = context.share > 0 ? static_cast<double>(step.examples) : 0;
    mine[2] = static_cast<double>(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) mine[i + 3] = entries[i].second;
    const auto all = gather(context.ranks, mine);

    bool stop = false;
    double examples = 0;
    std::vector<CarefulMean> means(entries.size());
    for (std::size_t row = 0; row < all.size(); row += news_length) {
        stop = stop || all[row] > 0;
        examples += all[row + 1];
        HODO_DOOR(all[row + 2] == mine[2]);
        for (std::size_t i = 0; i < means.size(); ++i) means[i].add(all[row + i + 3], all[row + 1]);
    }
    for (std::size_t i = 0; i < means.size(); ++i) {
        step.scalars.set(std::string(entries[i].first), means[i].value());
    }
    step.examples = static_cast<std::int64_t>(examples);
    return stop;
}

void agree(Ranks* ranks, ScalarMeans& means) {
    if (ranks == nullptr || ranks->size() == 1) return;
    const auto mine = means.numbers();
    const auto all = gather(ranks, mine);
    std::vector<double> sums(mine.size());
    for (std::size_t i = 0; i < all.size(); ++i) sums[i % mine.size()] += all[i];
    means.set_numbers(sums);
}

std::string place_of(const Ranks* ranks) {
    if (ranks == nullptr || ranks->size() == 1) return {};
    return base::format(" on rank {} of {}", ranks->rank(), ranks->size());
}

void require_same_step(Ranks* ranks, std::int64_t step, const base::Path& folder) {
    const std::array<double, 1> mine{static_cast<double>(step)};
    const auto all = gather(ranks, mine);
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
        HODO_CHECK(all[rank] == all[0],
                   "{}: rank 0 goes on from step {:.0f}, rank {} from step {:.0f} (do all machines "
                   "see the same folder?); put the run on a file system that they share",
                   folder, all[0], rank, all[rank]);
    }
}

}  // namespace hodo::train
