#pragma once
/// A stream of batches: order, shards, worker threads, prefetch, position.
///
/// Epoch e visits every row once. Groups (shards) come in an order drawn from (seed, e); their
/// rows, one after the other, are cut into windows of `window` rows, each shuffled by itself, so
/// that a batch touches few shards. Batches run across borders of shards and windows. The order
/// depends on seed and epoch alone: not on workers, prefetch, or where the run was resumed.
///
/// At most prefetch + workers batches exist at a time besides the one handed out. An error in a
/// worker is rethrown by `next` when its batch is due.

#include "hodo/base/random.hh"
#include "hodo/base/threads.hh"
#include "hodo/train/archive.hh"
#include "hodo/train/order.hh"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace hodo::train {

/// What a worker is asked to load: these rows in this order. `random` is for augmentation and
/// belongs to (seed, epoch, batch) alone.
struct Request {
    std::vector<Row> rows;
    std::int64_t epoch = 0;
    std::int64_t batch = 0;
    base::Random random;
};

/// Where batches come from. `load` is called from several threads at once.
template <class Batch>
class Source {
  public:
    virtual ~Source() = default;
    /// Rows of each group (shard, file).
    virtual std::vector<std::int64_t> groups() const = 0;
    virtual Batch load(const Request& request) const = 0;
};

template <class Batch>
class Feed {
  public:
    /// `source` must outlive the feed. `share`: with several ranks every rank loads its part of
    /// each batch.
    Feed(const Source<Batch>& source, const FeedOptions& options, std::uint64_t seed,
         Passes passes = Passes::endless, Share share = {})
        : source_(source), order_(source.groups(), options, seed, share), passes_(passes) {
        start();
    }
    ~Feed() { stop(); }
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    const Order& order() const { return order_; }
    /// Epoch and index of the batch that `next` delivers.
    Position position() const { return order_.position(delivered_); }
    /// The next batch; nothing after the last one of a single pass.
    std::optional<Batch> next();
    /// How long the latest `next` waited for its batch; without workers, how long it loaded it.
    std::chrono::nanoseconds waited() const { return waited_; }
    /// Goes to another position; batches loaded ahead are dropped.
    void seek(const Position& position) {
        stop();
        delivered_ = order_.ticket(position);
        start();
    }
    void rewind() { seek({}); }
    /// The position. Seed, batch size, order and data must be those of the saved run.
    void state(Archive& archive);

  private:
    struct Slot {
        std::optional<Batch> batch;
        std::exception_ptr error;
    };
    bool exists(std::int64_t ticket) const {
        return passes_ == Passes::endless ? order_.batches() > 0 : ticket < order_.batches();
    }
    Slot load(std::int64_t ticket) const;
    void work(const std::stop_token& token);
    void start();
    void stop();

    const Source<Batch>& source_;
    Order order_;
    Passes passes_;
    std::int64_t delivered_ = 0;
    std::chrono::nanoseconds waited_{0};
    // Below: shared with the workers, guarded by mutex_.
    std::mutex mutex_;
    std::condition_variable_any room_, ready_;
    std::map<std::int64_t, Slot> slots_;
    std::int64_t taken_ = 0;
    std::vector<std::jthread> workers_;
};

template <class Batch>
std::optional<Batch> Feed<Batch>::next() {
    if (!exists(delivered_)) return std::nullopt;
    const auto begin = std::chrono::steady_clock::now();
    Slot slot;
    if (workers_.empty()) {
        slot = load(delivered_);
    } else {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [&] { return slots_.contains(delivered_); });
        if (slots_.at(delivered_).error) std::rethrow_exception(slots_.at(delivered_).error);
        slot = std::move(slots_.extract(delivered_).mapped());
    }
    waited_ = std::chrono::steady_clock::now() - begin;
    if (slot.error) std::rethrow_exception(slot.error);
    {
        const std::lock_guard lock(mutex_);
        ++delivered_;
    }
    room_.notify_all();
    return std::move(slot.batch);
}

template <class Batch>
typename Feed<Batch>::Slot Feed<Batch>::load(std::int64_t ticket) const {
    Slot slot;
    try {
        const auto position = order_.position(ticket);
        slot.batch.emplace(source_.load(
            Request{order_.rows(position), position.epoch, position.batch, order_.random(ticket)}));
    } catch (...) {
        slot.error = std::current_exception();
    }
    return slot;
}

template <class Batch>
void Feed<Batch>::work(const std::stop_token& token) {
    base::use_this_thread_alone();
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto may_take = [&] {
            return exists(taken_) && taken_ < delivered_ + order_.options().ahead();
        };
        if (!room_.wait(lock, token, may_take)) return;
        const auto ticket = taken_++;
        lock.unlock();
        auto slot = load(ticket);
        lock.lock();
        slots_.emplace(ticket, std::move(slot));
        ready_.notify_all();
    }
}

template <class Batch>
void Feed<Batch>::start() {
    taken_ = delivered_;
    for (int i = 0; i < order_.options().workers; ++i) {
        workers_.emplace_back([this](const std::stop_token& token) { work(token); });
    }
}

template <class Batch>
void Feed<Batch>::stop() {
    workers_.clear();
    slots_.clear();
}

template <class Batch>
void Feed<Batch>::state(Archive& archive) {
    auto here = position();
    archive.group("order", order_);
    archive("epoch", here.epoch);
    archive("batch", here.batch);
    if (archive.loading()) seek(here);
}

}  // namespace hodo::train
