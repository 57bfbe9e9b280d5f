#include "hodo/train/order.hh"

#include <algorithm>
#include <mutex>
#include <numeric>

#include "hodo/base/error.hh"

namespace hodo::train {

namespace {

/// Fisher and Yates' shuffle.
template <class T>
void shuffle(std::vector<T>& items, base::Random random) {
    for (std::size_t i = items.size(); i > 1; --i) {
        std::swap(items[i - 1], items[static_cast<std::size_t>(random.below(i))]);
    }
}

}  // namespace

/// What is known of the epoch and the window asked for last.
struct Order::Cache {
    std::mutex mutex;
    std::int64_t epoch = -1;
    std::vector<std::int64_t> groups;   ///< In the order of this epoch.
    std::vector<std::int64_t> offsets;  ///< [groups + 1] first position of each.
    std::int64_t window = -1;
    std::vector<std::int64_t> rows;  ///< Positions in the epoch's sequence, shuffled.
};

Extent part_of_batch(std::int64_t rows, const Share& share) {
    const auto begin = (rows * share.rank + share.size - 1) / share.size;
    const auto end = (rows * (share.rank + 1) + share.size - 1) / share.size;
    return {begin, end - begin, rows};
}

Order::Order(std::vector<std::int64_t> groups, const FeedOptions& options, std::uint64_t seed,
             Share share)
    : groups_(std::move(groups)),
      options_(options),
      seed_(seed),
      share_(share),
      size_(std::accumulate(groups_.begin(), groups_.end(), std::int64_t{0})),
      cache_(std::make_unique<Cache>()) {
    HODO_DOOR(options.batch_size >= 1 && share.size >= 1);
    const auto extra = options.last_batch == LastBatch::keep ? batch_size() - 1 : 0;
    batches_ = (size_ + extra) / batch_size();
}

Order::~Order() = default;

std::int64_t Order::ticket(const Position& position) const {
    return position.epoch * batches_ + position.batch;
}

Position Order::position(std::int64_t ticket) const {
    if (batches_ == 0) return {};
    return {ticket / batches_, ticket % batches_};
}

base::Random Order::random(std::int64_t ticket) const {
    return base::Random(seed_, "feed.load", static_cast<std::uint64_t>(ticket))
        .child("rank", static_cast<std::uint64_t>(share_.rank));
}

Extent Order::extent(const Position& position) const {
    HODO_DOOR(position.batch >= 0 && position.batch < batches_);
    return part_of_batch(std::min(batch_size(), size_ - position.batch * batch_size()), share_);
}

std::vector<Row> Order::rows(const Position& position) const {
    auto extent = this->extent(position);
    if (extent.count == 0) extent = {0, 1, extent.whole};
    const auto begin = position.batch * batch_size() + extent.first;
    const auto end = begin + extent.count;

    const std::lock_guard guard(cache_->mutex);
    enter_epoch(position.epoch);
    std::vector<Row> found;
    found.reserve(static_cast<std::size_t>(end - begin));
    for (auto place = begin; place < end; ++place) {
        const auto sequence = shuffled_place(place);
        const auto& offsets = cache_->offsets;
        const auto after = std::upper_bound(offsets.begin(), offsets.end(), sequence);
        const auto slot = static_cast<std::size_t>(after - offsets.begin()) - 1;
        found.push_back({cache_->groups[slot], sequence - offsets[slot]});
    }
    return found;
}

void Order::enter_epoch(std::int64_t epoch) const {
    auto& cache = *cache_;
    if (cache.epoch == epoch) return;
    cache.epoch = epoch;
    cache.window = -1;
    cache.groups.resize(groups_.size());
    std::iota(cache.groups.begin(), cache.groups.end(), std::int64_t{0});
    if (options_.order == RowOrder::shuffled) {
        shuffle(cache.groups,
                base::Random(seed_, "feed.groups", static_cast<std::uint64_t>(epoch)));
    }
    cache.offsets.assign(1, 0);
    for (const auto group : cache.groups) {
        cache.offsets.push_back(cache.offsets.back() + groups_[static_cast<std::size_t>(group)]);
    }
}

std::int64_t Order::shuffled_place(std::int64_t place) const {
    if (options_.order == RowOrder::stored) return place;
    auto& cache = *cache_;
    const auto length = options_.window > 0 ? options_.window : size_;
    const auto window = place / length;
    if (cache.window != window) {
        cache.window = window;
        cache.rows.resize(static_cast<std::size_t>(std::min(length, size_ - window * length)));
        std::iota(cache.rows.begin(), cache.rows.end(), window * length);
        const base::Random epoch(seed_, "feed.rows", static_cast<std::uint64_t>(cache.epoch));
        shuffle(cache.rows, epoch.child("window", static_cast<std::uint64_t>(window)));
    }
    return cache.rows[static_cast<std::size_t>(place - window * length)];
}

void Order::state(Archive& archive) {
    std::vector<std::int64_t> saved{size_, batch_size(), options_.window,
                                    static_cast<std::int64_t>(options_.order),
                                    static_cast<std::int64_t>(options_.last_batch)};
    const auto expected = saved;
    auto seed = seed_;
    archive("identity", saved);
    archive("seed", seed);
    HODO_CHECK(saved == expected && seed == seed_,
               "the training data or their order have changed since the run was saved (rows {} "
               "then, {} now; batch {} then, {} now; seed {} then, {} now), so it cannot continue "
               "exactly; restore them or start a new run",
               saved.empty() ? 0 : saved[0], size_, saved.size() < 2 ? 0 : saved[1], batch_size(),
               seed, seed_);
}

}  // namespace hodo::train
