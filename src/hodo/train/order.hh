#pragma once
/// The order in which a feed visits the rows of its source; see train/feed.hh.

#include "hodo/base/fields.hh"
#include "hodo/base/random.hh"
#include "hodo/train/archive.hh"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace hodo::train {

/// One row of a source.
struct Row {
    std::int64_t group = 0;
    std::int64_t row = 0;
    auto operator<=>(const Row&) const = default;
};

/// Epoch and index of a batch in it.
struct Position {
    std::int64_t epoch = 0;
    std::int64_t batch = 0;
    auto operator<=>(const Position&) const = default;
};

enum class RowOrder { shuffled, stored };
constexpr auto names(RowOrder) {
    return std::array<std::string_view, 2>{"shuffled", "stored"};
}
/// What becomes of a last batch that is not full.
enum class LastBatch { keep, drop };
constexpr auto names(LastBatch) {
    return std::array<std::string_view, 2>{"keep", "drop"};
}
/// Whether a feed begins anew after an epoch or ends.
enum class Passes { endless, single };

/// The part of every batch that this rank loads.
struct Share {
    int rank = 0;
    int size = 1;
};

struct FeedOptions {
    std::int64_t batch_size = 32;
    RowOrder order = RowOrder::shuffled;
    std::int64_t window = 0;
    LastBatch last_batch = LastBatch::keep;
    int workers = 1;
    int prefetch = 2;
    void describe(base::Fields& f);
    /// Batches that may exist ahead of the one being used.
    std::int64_t ahead() const { return std::int64_t{prefetch} + workers; }
};

/// Thread safe after construction.
class Order {
  public:
    Order(std::vector<std::int64_t> groups, const FeedOptions& options, std::uint64_t seed,
          Share share);
    ~Order();

    const FeedOptions& options() const { return options_; }
    std::int64_t size() const { return size_; }        ///< Rows of the source.
    std::int64_t batches() const { return batches_; }  ///< Batches per epoch.
    std::int64_t total_batch() const { return options_.batch_size * share_.size; }

    /// The rows of one batch (this rank's share).
    std::vector<Row> rows(const Position& position) const;
    /// Batches counted through all epochs, and back.
    std::int64_t ticket(const Position& position) const;
    Position position(std::int64_t ticket) const;
    base::Random random(std::int64_t ticket) const;
    /// Seed, sizes and options that decide the order; loading into another order is an error.
    void state(Archive& archive);

  private:
    struct Cache;
    void enter_epoch(std::int64_t epoch) const;
    std::int64_t shuffled_place(std::int64_t place) const;
    std::vector<std::int64_t> groups_;
    FeedOptions options_;
    std::uint64_t seed_;
    Share share_;
    std::int64_t size_ = 0, batches_ = 0;
    std::unique_ptr<Cache> cache_;
};

}  // namespace hodo::train
