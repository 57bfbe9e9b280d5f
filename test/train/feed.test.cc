// Feeds: every row once per epoch, in an order that depends on seed and epoch alone.

#include "hodo/train/feed.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>

#include "hodo/base/config.hh"
#include "hodo/base/error.hh"
#include "hodo/train/order.hh"
#include "support/reference.hh"

namespace hodo::train {
namespace {

using testing::HasSubstr;

struct Batch {
    std::vector<Row> rows;
    double draw = 0;
    std::shared_ptr<int> alive;
};

class CountingSource final : public Source<Batch> {
  public:
    explicit CountingSource(std::vector<std::int64_t> groups) : groups_(std::move(groups)) {}
    std::vector<std::int64_t> groups() const override { return groups_; }
    Batch load(const Request& request) const override {
        auto random = request.random;
        // Workers finish in another order than they began.
        std::this_thread::sleep_for(std::chrono::microseconds(random.below(300)));
        if (request.epoch == fail_epoch && request.batch == 2) base::fail("shard 7 is unreadable");
        const int now = ++alive;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        return {request.rows, random.uniform(), std::shared_ptr<int>(new int(0), [this](int* p) {
                    --alive;
                    delete p;
                })};
    }
    std::int64_t fail_epoch = -1;
    mutable std::atomic<int> alive{0}, most{0};

  private:
    std::vector<std::int64_t> groups_;
};

FeedOptions options_of(std::int64_t batch, std::int64_t window, int workers) {
    FeedOptions options;
    options.batch_size = batch;
    options.window = window;
    options.workers = workers;
    return options;
}

struct Visit {
    std::vector<Row> rows;
    double draw;
    bool operator==(const Visit&) const = default;
};

std::vector<Visit> visits(Feed<Batch>& feed, int count) {
    std::vector<Visit> found;
    for (int i = 0; i < count; ++i) {
        const auto batch = feed.next();
        if (!batch) break;
        found.push_back({batch->rows, batch->draw});
    }
    return found;
}

std::vector<Row> all_rows(const std::vector<Visit>& found) {
    std::vector<Row> rows;
    for (const auto& visit : found) rows.insert(rows.end(), visit.rows.begin(), visit.rows.end());
    return rows;
}

const std::vector<std::int64_t> shards{5, 0, 17, 1, 30, 11};

TEST(Feeds, an_epoch_visits_every_row_once) {
    const CountingSource source(shards);
    for (const std::int64_t window : {0, 1, 10, 1000}) {
        Feed<Batch> feed(source, options_of(7, window, 2), 1, Passes::single);
        EXPECT_EQ(feed.order().batches(), 10);
        const auto rows = all_rows(visits(feed, 1000));
        const std::set<Row> distinct(rows.begin(), rows.end());
        EXPECT_EQ(rows.size(), 64U);
        EXPECT_EQ(distinct.size(), 64U);
        for (const auto& row : rows)
            EXPECT_LT(row.row, shards[static_cast<std::size_t>(row.group)]);
    }
}

TEST(Feeds, the_order_does_not_depend_on_workers_or_prefetch) {
    const CountingSource source(shards);
    Feed<Batch> plain(source, options_of(7, 20, 0), 1);
    const auto expected = visits(plain, 33);
    for (const int workers : {1, 2, 5}) {
        for (const int prefetch : {1, 4}) {
            auto options = options_of(7, 20, workers);
            options.prefetch = prefetch;
            Feed<Batch> feed(source, options, 1);
            EXPECT_EQ(visits(feed, 33), expected) << workers << " workers";
        }
    }
}

TEST(Feeds, epochs_and_seeds_differ) {
    const CountingSource source(shards);
    Feed<Batch> one(source, options_of(64, 0, 0), 1), two(source, options_of(64, 0, 0), 2);
    const auto first = visits(one, 2), other = visits(two, 1);
    EXPECT_NE(first[0].rows, first[1].rows);
    EXPECT_NE(first[0].rows, other[0].rows);
    EXPECT_NE(first[0].draw, first[1].draw);
}

TEST(Feeds, a_window_keeps_rows_of_few_shards_together) {
    const CountingSource source({100, 100, 100, 100});
    Feed<Batch> feed(source, options_of(50, 100, 0), 3, Passes::single);
    const auto found = visits(feed, 8);
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].rows.front().group, found[i].rows.back().group);
        EXPECT_FALSE(std::is_sorted(found[i].rows.begin(), found[i].rows.end()));
    }
    EXPECT_NE(found[0].rows.front().group, found[2].rows.front().group);
}

TEST(Feeds, stored_order_is_kept_and_the_last_batch_can_be_dropped) {
    const CountingSource source({3, 2});
    auto options = options_of(2, 0, 1);
    options.order = RowOrder::stored;
    Feed<Batch> keep(source, options, 1, Passes::single);
    EXPECT_EQ(all_rows(visits(keep, 9)),
              (std::vector<Row>{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}}));
    EXPECT_FALSE(keep.next());
    keep.rewind();
    EXPECT_TRUE(keep.next());
    options.last_batch = LastBatch::drop;
    Feed<Batch> drop(source, options, 1, Passes::single);
    EXPECT_EQ(visits(drop, 9).size(), 2U);
}

TEST(Feeds, any_position_is_restored_exactly) {
    const CountingSource source(shards);
    Feed<Batch> whole(source, options_of(7, 20, 2), 1);
    const auto expected = visits(whole, 30);
    for (const int stop : {0, 1, 9, 10, 11, 25}) {
        Feed<Batch> feed(source, options_of(7, 20, 2), 1), resumed(source, options_of(7, 20, 3), 1);
        visits(feed, stop);
        auto saved = Archive::to_save();
        feed.state(saved);
        auto stored = Archive::to_load(saved);
        resumed.state(stored);
        EXPECT_EQ(resumed.position(), (Position{stop / 10, stop % 10}));
        EXPECT_EQ(visits(resumed, 30 - stop),
                  std::vector<Visit>(expected.begin() + stop, expected.end()));
    }
}

TEST(Feeds, another_batch_size_or_seed_cannot_be_resumed) {
    const CountingSource source(shards);
    Feed<Batch> feed(source, options_of(7, 20, 0), 1);
    auto saved = Archive::to_save();
    feed.state(saved);
    for (const std::uint64_t seed : {1U, 2U}) {
        Feed<Batch> other(source, options_of(seed == 1 ? 8 : 7, 20, 0), seed);
        auto stored = Archive::to_load(saved);
        EXPECT_THAT(test::error_of([&] { other.state(stored); }), HasSubstr("start a new run"));
    }
}

TEST(Feeds, never_more_batches_than_prefetch_and_workers_exist) {
    const CountingSource source({4000});
    for (const int workers : {1, 3}) {
        source.most = 0;
        auto options = options_of(4, 0, workers);
        options.prefetch = 2;
        Feed<Batch> feed(source, options, 1);
        for (int i = 0; i < 100; ++i) {
            const auto batch = feed.next();
            std::this_thread::sleep_for(std::chrono::microseconds(500));
        }
        // And the one handed out.
        EXPECT_LE(source.most, options.ahead() + 1);
        EXPECT_GT(source.most, 1);
    }
    EXPECT_EQ(source.alive, 0);
}

TEST(Feeds, an_error_in_a_worker_comes_when_its_batch_is_due) {
    CountingSource source(shards);
    source.fail_epoch = 0;
    for (const int workers : {0, 1, 3}) {
        Feed<Batch> feed(source, options_of(7, 0, workers), 1);
        EXPECT_EQ(visits(feed, 2).size(), 2U);
        EXPECT_THAT(test::error_of([&] { feed.next(); }), HasSubstr("shard 7 is unreadable"));
        EXPECT_THAT(test::error_of([&] { feed.next(); }), HasSubstr("shard 7 is unreadable"));
        feed.seek({1, 0});
        EXPECT_TRUE(feed.next());
    }
}

TEST(Feeds, ranks_share_each_batch_without_overlap) {
    const CountingSource source(shards);
    Feed<Batch> whole(source, options_of(8, 20, 0), 1, Passes::single);
    Feed<Batch> left(source, options_of(8, 20, 2), 1, Passes::single, {0, 2});
    Feed<Batch> right(source, options_of(8, 20, 2), 1, Passes::single, {1, 2});
    while (const auto both = whole.next()) {
        auto joined = left.next()->rows;
        const auto rest = right.next()->rows;
        joined.insert(joined.end(), rest.begin(), rest.end());
        EXPECT_EQ(joined, both->rows);
    }
    EXPECT_FALSE(left.next());
}

TEST(Feeds, the_parts_of_ranks_cover_a_batch_of_any_size) {
    for (const std::int64_t rows : {0, 1, 2, 3, 7, 8, 9, 100}) {
        for (const int size : {1, 2, 3, 8}) {
            std::int64_t next = 0;
            for (int rank = 0; rank < size; ++rank) {
                const auto part = part_of_batch(rows, {rank, size});
                EXPECT_EQ(part.first, next);
                EXPECT_EQ(part.whole, rows);
                EXPECT_LE(part.count, (rows + size - 1) / size);
                next += part.count;
            }
            EXPECT_EQ(next, rows);
        }
    }
}

TEST(Feeds, a_rank_without_a_part_gets_a_row_that_does_not_count) {
    const CountingSource source({9});
    Feed<Batch> last(source, options_of(4, 0, 0), 1, Passes::single, {3, 4});
    std::vector<std::size_t> sizes;
    for (auto position = last.position(); const auto batch = last.next();
         position = last.position()) {
        sizes.push_back(batch->rows.size());
        EXPECT_EQ(last.order().extent(position).part(), position.batch < 2 ? 0.25 : 0.0);
    }
    EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 1, 1}));
}

TEST(Feeds, an_empty_source_has_no_batch) {
    const CountingSource source({0, 0});
    Feed<Batch> endless(source, options_of(4, 0, 2), 1);
    EXPECT_FALSE(endless.next());
}

TEST(Feeds, options_are_described) {
    const auto config = base::Config::parse(
        "batch_size: 16\norder: stored\nlast_batch: drop\nworkers: 3\n", "feed.yaml");
    const auto options = config.as<FeedOptions>();
    EXPECT_EQ(options.batch_size, 16);
    EXPECT_EQ(options.order, RowOrder::stored);
    EXPECT_EQ(options.last_batch, LastBatch::drop);
    EXPECT_EQ(options.ahead(), 5);
}

}  // namespace
}  // namespace hodo::train
