#include "table.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace hodo::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Medians of figure "ms" by benchmark.
Medians medians_of(std::map<std::string, double> values) {
    return [values = std::move(values)](const std::string& benchmark, const std::string& figure) {
        const auto found = values.find(benchmark);
        return figure == "ms" && found != values.end() ? std::optional(found->second)
                                                       : std::nullopt;
    };
}

Row time_row(const std::string& benchmark) {
    return {.what = "time of " + benchmark,
            .benchmark = benchmark,
            .unit = "ms",
            .smaller_is_better = true,
            .figure = "ms"};
}

TEST(TableText, SaysAMedianWithThreeDigitsAndItsUnit) {
    const auto text = table_text({time_row("a"), time_row("b"), time_row("c")}, "plain",
                                 medians_of({{"a", 1.234}, {"b", 123.4}, {"c", 12.34}}));
    EXPECT_THAT(text, HasSubstr("| time of a | 1.23 ms |\n"));
    EXPECT_THAT(text, HasSubstr("| time of b | 123 ms |\n"));
    EXPECT_THAT(text, HasSubstr("| time of c | 12.3 ms |\n"));
}

TEST(TableText, LeavesOutRowsThatWereNotMeasuredAndColumnsWithoutContent) {
    auto row = time_row("a");
    row.plain = "not there";
    const auto text =
        table_text({row, time_row("also not there")}, "plain", medians_of({{"a", 1}}));
    EXPECT_EQ(text, "| what | median |\n|---|---|\n| time of a | 1.00 ms |\n");
}

TEST(TableText, RatiosSayHowManyTimesBetterARowIs) {
    auto time = time_row("fast");
    time.plain = "slow";
    time.single = "alone";
    auto rate = time;
    rate.smaller_is_better = false;
    const auto medians = medians_of({{"fast", 2}, {"slow", 8}, {"alone", 3}});
    EXPECT_THAT(table_text({time}, "plain", medians),
                HasSubstr("| 2.00 ms | 8.00 | 4.00 | 1.50 |"));
    EXPECT_THAT(table_text({rate}, "plain", medians),
                HasSubstr("| 2.00 ms | 8.00 | 0.25 | 0.67 |"));
}

TEST(TableText, ATimeIsToStayBelowItsGoalAndARateAboveIt) {
    for (const double here : {9.0, 10.0, 11.0}) {
        auto time = time_row("a");
        time.goal = Goal{10};
        auto rate = time;
        rate.smaller_is_better = false;
        const auto medians = medians_of({{"a", here}});
        EXPECT_THAT(table_text({time}, "plain", medians),
                    HasSubstr(here <= 10 ? "| at most 10 ms | yes |" : "| at most 10 ms | no |"));
        EXPECT_THAT(table_text({rate}, "plain", medians),
                    HasSubstr(here >= 10 ? "| at least 10 ms | yes |" : "| at least 10 ms | no |"));
    }
}

TEST(TableText, AGoalOfARatioIsJudgedByThatRatio) {
    auto row = time_row("fast");
    row.plain = "slow";
    row.single = "alone";
    const auto medians = medians_of({{"fast", 2}, {"slow", 8}, {"alone", 3}});
    row.goal = Goal{3, GoalOf::plain_ratio};
    EXPECT_THAT(table_text({row}, "plain", medians), HasSubstr("| ratio at least 3 | yes |"));
    row.goal = Goal{1.8, GoalOf::thread_ratio};
    EXPECT_THAT(table_text({row}, "plain", medians),
                HasSubstr("| to 1 thread at least 1.8 | no |"));
}

TEST(TableText, AGoalWhoseRatioWasNotMeasuredIsNeitherMetNorMissed) {
    auto row = time_row("a");
    row.plain = "not there";
    row.goal = Goal{3, GoalOf::plain_ratio};
    const auto text = table_text({row}, "plain", medians_of({{"a", 1}}));
    EXPECT_THAT(text, HasSubstr("ratio at least 3 |"));
    EXPECT_THAT(text, Not(HasSubstr("yes")));
    EXPECT_THAT(text, Not(HasSubstr("no |")));
}

}  // namespace
}  // namespace hodo::bench
