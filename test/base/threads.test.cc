/// What a parallel section promises: every index once, no waiting for others, one exception.

#include "hodo/base/threads.hh"

#include "hodo/base/error.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <latch>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace hodo::base {
namespace {

/// Sets the number of threads and puts the former one back.
class Threads : public testing::Test {
  protected:
    void TearDown() override { set_threads(before_); }

  private:
    int before_ = threads();
};

/// How often each index of [0, count) is visited.
std::vector<int> visits(std::int64_t count, std::int64_t grain) {
    std::vector<int> seen(static_cast<std::size_t>(count));
    parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
    });
    return seen;
}

TEST_F(Threads, every_index_is_visited_once_for_any_count_grain_and_thread_count) {
    for (const int count : {1, 2, 3, 8}) {
        set_threads(count);
        for (const std::int64_t size : {0, 1, 2, 7, 64, 1001}) {
            for (const std::int64_t grain : {0, 1, 3, 10, 2000}) {
                const std::vector<int> once(static_cast<std::size_t>(size), 1);
                ASSERT_EQ(visits(size, grain), once) << size << " in steps of " << grain;
            }
        }
    }
}

TEST_F(Threads, parts_are_contiguous_and_no_smaller_than_the_grain) {
    set_threads(3);
    std::atomic<bool> in_order{true};
    std::atomic<std::int64_t> smallest{1000};
    parallel_for(100, 7, [&](std::int64_t begin, std::int64_t end) {
        if (begin >= end) in_order = false;
        auto before = smallest.load();
        while (end - begin < before && !smallest.compare_exchange_weak(before, end - begin)) {
        }
    });
    EXPECT_TRUE(in_order);
    EXPECT_GE(smallest, 7);
}

TEST_F(Threads, there_are_as_many_parts_as_the_grain_allows_and_one_for_one_thread) {
    const auto parts = [](std::int64_t grain) {
        std::atomic<int> number{0};
        parallel_for(100, grain, [&](std::int64_t, std::int64_t) { ++number; });
        return number.load();
    };
    set_threads(2);
    EXPECT_EQ(parts(50), 2);
    EXPECT_EQ(parts(51), 1);
    EXPECT_GE(parts(1), 2);
    set_threads(1);
    EXPECT_EQ(parts(1), 1);
}

TEST_F(Threads, as_many_threads_work_at_the_same_time_as_were_asked_for) {
    set_threads(4);
    std::latch all(4);
    // Each of four parts waits for the other three: four threads are needed to get through.
    parallel_for(4, 1, [&](std::int64_t, std::int64_t) { all.arrive_and_wait(); });
    SUCCEED();
}

TEST_F(Threads, a_worker_that_has_let_others_have_its_core_comes_back) {
    set_threads(2);
    std::array<std::latch, 4> pairs{std::latch(2), std::latch(2), std::latch(2), std::latch(2)};
    // Parts wait for each other in pairs: one thread alone does not get through. Each pair takes
    // longer than a worker keeps its core.
    parallel_for(8, 1, [&](std::int64_t part, std::int64_t) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        pairs[static_cast<std::size_t>(part % 4)].arrive_and_wait();
    });
    SUCCEED();
}

/// What a thread wrote in one section is still in its core's cache in the next.
TEST_F(Threads, everybody_begins_with_a_piece_of_the_range_of_its_own_and_ends_with_the_others) {
    set_threads(2);
    const auto caller = std::this_thread::get_id();
    const std::vector<std::int64_t> callers_way{0, 1, 2, 3, 7, 6, 5, 4},
        workers_way{4, 5, 6, 7, 3, 2, 1, 0};
    bool helped = false;
    // A section is not always shared.
    for (int attempt = 0; attempt < 1000 && !helped; ++attempt) {
        std::vector<std::int64_t> by_caller, by_worker;  // each written by one thread only
        parallel_for(8, 1, [&](std::int64_t begin, std::int64_t end) {
            EXPECT_EQ(end, begin + 1);
            const bool is_caller = std::this_thread::get_id() == caller;
            (is_caller ? by_caller : by_worker).push_back(begin);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        });
        helped = !by_worker.empty();
        EXPECT_EQ(by_caller.size() + by_worker.size(), 8U);
        EXPECT_TRUE(std::equal(by_caller.begin(), by_caller.end(), callers_way.begin()));
        EXPECT_TRUE(std::equal(by_worker.begin(), by_worker.end(), workers_way.begin()));
    }
    EXPECT_TRUE(helped);
}

#if defined(__linux__)
/// On the caller's core a worker takes from the caller what it gives.
TEST_F(Threads, workers_keep_away_from_their_callers_core) {
    cpu_set_t all;
    ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "this process may use one core only";
    set_threads(2);
    visits(100, 1);  // The pool's workers may use all cores, as this thread may.
    for (std::size_t core = 0, seen = 0; seen < 2; ++core) {
        if (!CPU_ISSET(core, &all)) continue;
        ++seen;
        std::jthread([&] {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(core, &one);
            ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
            const auto caller = std::this_thread::get_id();
            std::atomic<bool> helped{false};
            const auto part = [&](std::int64_t, std::int64_t) {
                const bool works_here = sched_getcpu() == static_cast<int>(core);
                const bool is_caller = std::this_thread::get_id() == caller;
                EXPECT_EQ(works_here, is_caller);
                if (!is_caller) helped = true;
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            };
            // A section is not always shared.
            for (int attempt = 0; attempt < 1000 && !helped; ++attempt) parallel_for(8, 1, part);
            EXPECT_TRUE(helped);
        }).join();
    }
}
#endif

TEST_F(Threads, no_more_threads_work_than_were_asked_for) {
    set_threads(6);
    visits(100, 1);
    set_threads(2);
    for (int repetition = 0; repetition < 100; ++repetition) {
        std::atomic<int> now{0}, most{0};
        parallel_for(64, 1, [&](std::int64_t, std::int64_t) {
            const int working = ++now;
            int before = most;
            while (working > before && !most.compare_exchange_weak(before, working)) {
            }
            std::this_thread::yield();
            --now;
        });
        ASSERT_LE(most, 2);
    }
}

TEST_F(Threads, a_section_inside_a_part_runs_there_in_one_part) {
    set_threads(3);
    std::atomic<int> parts{0}, visited{0}, elsewhere{0};
    parallel_for(12, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) {
            const auto here = std::this_thread::get_id();
            parallel_for(100, 1, [&](std::int64_t first, std::int64_t last) {
                ++parts;
                visited += static_cast<int>(last - first);
                if (std::this_thread::get_id() != here) ++elsewhere;
            });
        }
    });
    EXPECT_EQ(parts, 12);
    EXPECT_EQ(visited, 1200);
    EXPECT_EQ(elsewhere, 0);
}

TEST_F(Threads, a_thread_that_works_alone_stays_alone) {
    set_threads(4);
    std::jthread([] {
        use_this_thread_alone();
        int parts = 0;
        parallel_for(100, 1, [&](std::int64_t, std::int64_t) { ++parts; });
        EXPECT_EQ(parts, 1);
    }).join();
}

TEST_F(Threads, several_callers_at_once_each_get_their_own_result) {
    set_threads(3);
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([] {
            for (int repetition = 0; repetition < 200; ++repetition) {
                const std::vector<int> once(97, 1);
                ASSERT_EQ(visits(97, 1 + repetition % 5), once);
            }
        });
    }
}

/// All workers are made busy by a section whose parts wait for the end of the test.
TEST_F(Threads, a_caller_does_not_wait_for_workers_that_are_busy_elsewhere) {
    constexpr int many = 9;  // no test of this program uses more
    set_threads(many);
    std::latch begun(many), over(1);
    std::jthread other([&] {
        parallel_for(many, 1, [&](std::int64_t, std::int64_t) {
            begun.count_down();
            over.wait();
        });
    });
    begun.wait();
    std::set<std::thread::id> seen;  // unguarded on purpose: only this thread may come here
    int visited = 0;
    for (int repetition = 0; repetition < 50; ++repetition) {
        parallel_for(40, 1, [&](std::int64_t begin, std::int64_t end) {
            seen.insert(std::this_thread::get_id());
            visited += static_cast<int>(end - begin);
        });
    }
    std::string order;
    const auto note = [&order](char name) {
        return [&order, name](std::int64_t, std::int64_t) { order += name; };
    };
    parallel_for(std::array{Work{4, 1, note('a')}, Work{1, 1, note('b')}, Work{3, 1, note('c')}});
    over.count_down();
    EXPECT_EQ(visited, 2000);
    EXPECT_EQ(seen, std::set{std::this_thread::get_id()});
    EXPECT_EQ(order, "aaaabccc") << "a range is begun when none of the one before is left";
}

TEST_F(Threads, the_exception_of_the_first_failing_part_comes_out_when_all_parts_have_ended) {
    set_threads(4);
    for (int repetition = 0; repetition < 100; ++repetition) {
        std::atomic<int> inside{0};
        std::string said;
        try {
            parallel_for(16, 1, [&](std::int64_t begin, std::int64_t) {
                ++inside;
                std::this_thread::yield();
                --inside;
                if (begin >= 5) fail("part {}", begin);
            });
        } catch (const Error& error) {
            EXPECT_EQ(inside, 0);
            said = error.what();
        }
        ASSERT_EQ(said, "part 5");
    }
    const std::vector<int> once(50, 1);
    EXPECT_EQ(visits(50, 1), once) << "the pool must survive an exception";
}

TEST_F(Threads, several_ranges_in_one_section_are_each_visited_once) {
    using Sizes = std::vector<std::int64_t>;
    for (const int count : {1, 2, 5}) {
        set_threads(count);
        for (const auto& sizes :
             {Sizes{}, Sizes{0}, Sizes{1, 1}, Sizes{7, 0, 500}, Sizes{1000, 3}}) {
            for (const std::int64_t grain : {1, 10, 2000}) {
                std::vector<std::vector<int>> seen;
                for (const auto size : sizes) seen.emplace_back(static_cast<std::size_t>(size));
                const auto once = [&] {
                    std::vector<std::vector<int>> all;
                    for (const auto& range : seen) all.emplace_back(range.size(), 1);
                    return all;
                }();
                std::vector<Work> works;
                for (std::size_t i = 0; i < sizes.size(); ++i) {
                    works.push_back({sizes[i], grain, [&, i](std::int64_t begin, std::int64_t end) {
                                         for (auto k = begin; k < end; ++k) {
                                             ++seen[i].at(static_cast<std::size_t>(k));
                                         }
                                     }});
                }
                parallel_for(works);
                ASSERT_EQ(seen, once) << count << " threads, parts of " << grain;
            }
        }
    }
}

TEST_F(Threads, ranges_of_one_section_are_worked_on_at_the_same_time) {
    set_threads(2);
    std::latch both(2);
    const auto meet = [&](std::int64_t, std::int64_t) { both.arrive_and_wait(); };
    parallel_for(std::array{Work{1, 1, meet}, Work{1, 1, meet}});
    SUCCEED();
}

TEST_F(Threads, one_thread_takes_ranges_in_their_order_and_so_does_what_comes_out_of_them) {
    const auto failing = [](const std::string& name) {
        return Work{4, 1, [name](std::int64_t, std::int64_t) { throw std::runtime_error(name); }};
    };
    for (const int count : {1, 3}) {
        set_threads(count);
        for (int repetition = 0; repetition < 50; ++repetition) {
            std::string said;
            try {
                parallel_for(std::array{failing("first"), failing("second")});
            } catch (const std::runtime_error& error) {
                said = error.what();
            }
            ASSERT_EQ(said, "first");
        }
    }
    set_threads(1);
    std::string order;
    const auto note = [&](char name) {
        return Work{2, 1, [&order, name](std::int64_t, std::int64_t) { order += name; }};
    };
    parallel_for(std::array{note('a'), note('b')});
    EXPECT_EQ(order, "ab");
}

TEST_F(Threads, every_write_of_a_part_is_seen_by_the_caller) {
    set_threads(4);
    std::vector<std::int64_t> plain(4096);
    for (std::int64_t round = 1; round <= 200; ++round) {
        parallel_for(4096, 1, [&](std::int64_t begin, std::int64_t end) {
            for (auto i = begin; i < end; ++i) plain[static_cast<std::size_t>(i)] += round;
        });
        std::int64_t sum = 0;
        for (const auto value : plain) sum += value;
        ASSERT_EQ(sum, 4096 * round * (round + 1) / 2);
    }
}

}  // namespace
}  // namespace hodo::base
