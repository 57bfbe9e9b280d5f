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

/// A rank's rows of a batch: `count` of `whole`, from number `first` on.
struct Extent {
    std::int64_t first = 0, count = 0, whole = 0;
    double part() const {
        return whole > 0 ? static_cast<double>(count) / static_cast<double>(whole) : 1.0;
    }
};

/// Parts of nearly equal length; where rows are fewer than ranks the last ranks have none.
Extent part_of_batch(std::int64_t rows, const Share& share);

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
    std::int64_t batch_size() const { return options_.batch_size; }
    const Share& share() const { return share_; }

    /// This rank's part of a batch.
    Extent extent(const Position& position) const;
    /// The rows of that part. A rank whose part is empty gets the batch's first row, which counts
    /// nothing (its weight is `extent().part()`, 0).
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
