/// What concerns the process: errors, threads, progress, interruption.

#include "hodo/base/error.hh"
#include "hodo/base/interrupt.hh"
#include "hodo/base/progress.hh"
#include "hodo/base/threads.hh"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <vector>

namespace hodo::base {
namespace {

TEST(Error, carries_its_exit_code_through_added_context) {
    const Error error("no such column", ExitCode::usage);
    const auto wider = with_context(error, "event 3");
    EXPECT_STREQ(wider.what(), "event 3: no such column");
    EXPECT_EQ(wider.code(), ExitCode::usage);
}

TEST(Error, check_throws_the_sentence_only_when_the_condition_fails) {
    EXPECT_NO_THROW(HODO_CHECK(1 < 2, "unused {}", 1));
    EXPECT_THROW(HODO_CHECK(2 < 1, "value {}", 1), Error);
    EXPECT_THROW(HODO_DOOR(false), Defect);
}

TEST(Error, a_result_holds_a_value_or_a_reason) {
    const Result<int> good(3);
    const auto bad = Result<int>::failure("not bracketed");
    ASSERT_TRUE(good);
    EXPECT_EQ(good.value(), 3);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.reason(), "not bracketed");
}

TEST(Threads, every_index_is_visited_once_for_any_thread_count) {
    for (const int count : {1, 2, 3, 8}) {
        set_threads(count);
        std::vector<int> visits(1001);
        parallel_for(1001, 10, [&](std::int64_t begin, std::int64_t end) {
            for (auto i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
        });
        for (const int n : visits) ASSERT_EQ(n, 1);
    }
}

TEST(Threads, two_threads_work_when_there_is_work_for_two) {
    set_threads(2);
    std::atomic<int> parts{0};
    parallel_for(100, 50, [&](std::int64_t, std::int64_t) { ++parts; });
    EXPECT_EQ(parts, 2);
    parts = 0;
    parallel_for(100, 51, [&](std::int64_t, std::int64_t) { ++parts; });
    EXPECT_EQ(parts, 1);
}

TEST(Threads, the_first_exception_of_a_part_comes_out) {
    set_threads(2);
    EXPECT_THROW(parallel_for(10, 1,
                              [](std::int64_t begin, std::int64_t) {
                                  if (begin > 0) fail("part {}", begin);
                              }),
                 Error);
}

TEST(Progress, tells_share_rate_and_time_left) {
    Progress progress("encode", 2000, "modules");
    EXPECT_EQ(progress.line(0), "encode: 0 of 2,000 modules (0 %)");
    progress.advance(500);
    EXPECT_EQ(progress.line(10), "encode: 500 of 2,000 modules (25 %), 50 modules/s, 30 s left");
    progress.remark("loss 2.1");
    EXPECT_EQ(progress.line(5),
              "encode: 500 of 2,000 modules (25 %), 100 modules/s, 15 s left, loss 2.1");
}

TEST(Interrupt, a_signal_asks_to_stop) {
    watch_signals();
    EXPECT_FALSE(interrupted());
    std::raise(SIGUSR1);
    EXPECT_TRUE(interrupted());
    set_interrupted(false);
    std::raise(SIGTERM);
    EXPECT_TRUE(interrupted());
    set_interrupted(false);
}

}  // namespace
}  // namespace hodo::base
