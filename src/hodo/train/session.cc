#include "hodo/train/session.hh"

#include <condition_variable>
#include <mutex>

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
        order.size(), order.total_batch());
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

namespace {

class SingleRank final : public Ranks {
  public:
    int rank() const override { return 0; }
    int size() const override { return 1; }
    void sum(at::Tensor&) override {}
    void barrier() override {}
};

/// What the threads of one group of ranks share.
struct Meeting {
    explicit Meeting(int ranks) : size(ranks), parts(static_cast<std::size_t>(ranks)) {}
    const int size;
    std::vector<at::Tensor> parts;
    std::mutex mutex;
    std::condition_variable all_here;
    int waiting = 0;
    std::int64_t round = 0;

    void wait() {
        std::unique_lock lock(mutex);
        const auto mine = round;
        if (++waiting == size) {
            waiting = 0;
            ++round;
            all_here.notify_all();
            return;
        }
        all_here.wait(lock, [&] { return round != mine; });
    }
};

class ThreadRank final : public Ranks {
  public:
    ThreadRank(std::shared_ptr<Meeting> meeting, int rank)
        : meeting_(std::move(meeting)), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return meeting_->size; }
    void sum(at::Tensor& values) override {
        meeting_->parts[static_cast<std::size_t>(rank_)] = values.clone();
        meeting_->wait();
        values.copy_(meeting_->parts.front());
        for (std::size_t i = 1; i < meeting_->parts.size(); ++i) values.add_(meeting_->parts[i]);
        meeting_->wait();
    }
    void barrier() override { meeting_->wait(); }

  private:
    std::shared_ptr<Meeting> meeting_;
    int rank_;
};

}  // namespace

Ranks& single_rank() {
    static SingleRank rank;
    return rank;
}

std::vector<std::unique_ptr<Ranks>> thread_ranks(int count) {
    const auto meeting = std::make_shared<Meeting>(count);
    std::vector<std::unique_ptr<Ranks>> ranks;
    for (int i = 0; i < count; ++i) ranks.push_back(std::make_unique<ThreadRank>(meeting, i));
    return ranks;
}

}  // namespace hodo::train
