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

TEST(Interrupt, the_last_words_are_said_once_and_the_signal_ends_the_program) {
    const auto end_by = [](int signal_number, std::string_view line) {
        std::signal(signal_number, SIG_DFL);
        say_before_ending("of earlier work");
        say_before_ending(line);
        std::raise(signal_number);
    };
    const std::string line = "interrupted; the same command goes on";
    for (const int signal_number : {SIGINT, SIGTERM}) {
        EXPECT_EXIT(end_by(signal_number, line), testing::KilledBySignal(signal_number),
                    "^hodo: " + line + "\n$");
        EXPECT_EXIT(end_by(signal_number, ""), testing::KilledBySignal(signal_number), "^$");
        EXPECT_EXIT(end_by(signal_number, std::string(5000, 'x')),
                    testing::KilledBySignal(signal_number), "^hodo: x{1000}\n$");
    }
}

TEST(Interrupt, last_words_leave_ignored_and_watched_signals_alone) {
    std::signal(SIGINT, SIG_IGN);
    say_before_ending("interrupted");
    EXPECT_EQ(std::signal(SIGINT, SIG_DFL), SIG_IGN);
    watch_signals();
    say_before_ending("interrupted");
    std::raise(SIGINT);
    EXPECT_TRUE(interrupted());
    set_interrupted(false);
}

}  // namespace
}  // namespace hodo::base
