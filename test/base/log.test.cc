#include "hodo/base/log.hh"

#include <gtest/gtest.h>

namespace hodo::base {
namespace {

/// What reaches standard error when everything is said at one verbosity.
std::string said_at(Verbosity level) {
    const auto before = verbosity();
    set_verbosity(level);
    testing::internal::CaptureStderr();
    say("{} events", 3);
    warn("{} is empty", "a.parquet");
    detail("block {}", 7);
    set_verbosity(before);
    return testing::internal::GetCapturedStderr();
}

TEST(Log, says_at_normal_verbosity_what_concerns_everybody) {
    EXPECT_EQ(said_at(Verbosity::normal), "3 events\nwarning: a.parquet is empty\n");
}

TEST(Log, warns_even_when_quiet) {
    EXPECT_EQ(said_at(Verbosity::quiet), "warning: a.parquet is empty\n");
}

TEST(Log, adds_details_when_verbose) {
    EXPECT_EQ(said_at(Verbosity::verbose), "3 events\nwarning: a.parquet is empty\nblock 7\n");
}

}  // namespace
}  // namespace hodo::base
