#include "hodo/workflow/om2vec/beta_schedule.hh"

#include <gtest/gtest.h>

#include <numbers>

namespace hodo::om2vec {
namespace {

TEST(BetaSchedule, begins_with_two_steps_of_zero_and_rises_to_the_factor) {
    for (const auto rule : {BetaRule::clamped, BetaRule::om2vec}) {
        const BetaSchedule schedule{rule, 2.0, 1};
        EXPECT_EQ(schedule.value(0, 8), 0.0);
        EXPECT_NEAR(schedule.value(1, 8), 0.0, 1e-15);
        EXPECT_NEAR(schedule.value(5, 8), 1.0, 1e-12);  // after step 4: half way
        EXPECT_NEAR(schedule.value(9, 8), 2.0, 1e-12);
        for (std::int64_t step = 1; step < 9; ++step) {
            EXPECT_LT(schedule.value(step, 8), schedule.value(step + 1, 8));
        }
    }
}

TEST(BetaSchedule, past_the_peak_it_stays_or_comes_down_again) {
    const BetaSchedule clamped{BetaRule::clamped, 1e-5, 1}, published{BetaRule::om2vec, 1e-5, 1};
    EXPECT_EQ(clamped.value(100, 8), 1e-5);
    EXPECT_NEAR(published.value(13, 8), 0.5e-5, 1e-15);
    EXPECT_NEAR(published.value(17, 8), 0.0, 1e-15);
}

TEST(BetaSchedule, reaches_the_peak_after_whole_epochs) {
    const BetaSchedule schedule{BetaRule::clamped, 1e-5, 20};
    EXPECT_EQ(schedule.steps_to_peak(20264, 1024), 20 * 20);
    EXPECT_EQ(schedule.steps_to_peak(1024, 1024), 20);
    EXPECT_EQ(schedule.steps_to_peak(0, 1024), 1);
}

}  // namespace
}  // namespace hodo::om2vec
