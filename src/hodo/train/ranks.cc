#include "hodo/train/ranks.hh"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "hodo/base/log.hh"
#include "hodo/tensor/torch.hh"

namespace hodo::train {

namespace {

class Done final : public Ranks::Pending {
  public:
    void wait() override {}
};

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
    bool given_up = false;

    void wait() {
        std::unique_lock lock(mutex);
        const auto mine = round;
        if (++waiting == size) {
            waiting = 0;
            ++round;
            all_here.notify_all();
            return;
        }
        all_here.wait(lock, [&] { return round != mine || given_up; });
        if (round == mine) throw LostRank("another rank has given up");
    }
    /// Whether nobody else has.
    bool give_up() {
        const std::lock_guard guard(mutex);
        all_here.notify_all();
        return !std::exchange(given_up, true);
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
    base::Error give_up(const base::Error& error) override {
        if (std::string_view(error.what()).empty() || meeting_->give_up()) return error;
        return base::Error("", error.code());
    }

  private:
    std::shared_ptr<Meeting> meeting_;
    int rank_;
};

}  // namespace

std::unique_ptr<Ranks::Pending> Ranks::begin_sum(at::Tensor& values) {
    sum(values);
    return std::make_unique<Done>();
}

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

void work_together(Ranks& ranks, const std::function<void()>& work) {
    try {
        std::optional<base::Error> interruption;
        try {
            work();
        } catch (const base::Error& error) {
            // All are interrupted after the same step, or none.
            if (error.code() != base::ExitCode::interrupted) throw;
            interruption = error;
        }
        ranks.barrier();
        if (interruption) throw *interruption;
    } catch (const base::Error& error) {
        throw ranks.give_up(error);
    } catch (const std::exception& error) {
        // What main makes of it may differ; the others must know in any case.
        const auto last = ranks.give_up(base::Error(error.what()));
        if (std::string_view(last.what()).empty()) throw last;
        throw;
    }
}

void with_ranks(const RanksOptions& options,
                const std::function<void(Ranks& ranks, const base::Launch& launch)>& work) {
    base::Launch launch;
    if (options.use == RankUse::automatic) launch = base::read_launch(base::launch_variables());
    if (launch.size == 1) return work(single_rank(), launch);
    if (launch.rank > 0) base::set_verbosity(base::Verbosity::quiet);
    base::note_ranks_met();
    const auto ranks = join_ranks(launch, options);
    base::say("{} ranks meet, started by {}", launch.size, launch.starter);
    work_together(*ranks, [&] { work(*ranks, launch); });
}

}  // namespace hodo::train
