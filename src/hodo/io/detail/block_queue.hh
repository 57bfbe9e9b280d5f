#pragma once
/// A short queue between the thread that makes blocks of rows and the thread that writes them.

#include "hodo/io/table.hh"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>

namespace hodo::io::detail {

class BlockQueue {
  public:
    /// Waits while a block is waiting. Rethrows what the other side failed with.
    void push(Chunk block) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !block_ || ended_; });
        rethrow();
        block_ = std::move(block);
        changed_.notify_all();
    }

    /// Waits for a block; nothing at the end.
    std::optional<Chunk> pop() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return block_ || ended_; });
        rethrow();
        std::optional<Chunk> block = std::exchange(block_, std::nullopt);
        changed_.notify_all();
        return block;
    }

    /// No further block will come, or be taken; with `failure`, because of it.
    void end(std::exception_ptr failure = nullptr) {
        const std::lock_guard lock(mutex_);
        ended_ = true;
        if (!failure_) failure_ = std::move(failure);
        changed_.notify_all();
    }

    /// Throws the failure of either side, if there was one.
    void check() {
        const std::lock_guard lock(mutex_);
        rethrow();
    }

  private:
    void rethrow() const {
        if (failure_) std::rethrow_exception(failure_);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Chunk> block_;
    std::exception_ptr failure_;
    bool ended_ = false;
};

}  // namespace hodo::io::detail
