/// What concerns the process: errors, progress, interruption.

#include "hodo/base/error.hh"
#include "hodo/base/interrupt.hh"
#include "hodo/base/progress.hh"

#include <gtest/gtest.h>

#include <csignal>

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
