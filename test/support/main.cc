// Runs the tests. Exit code 77 says that nothing failed and something was skipped, so that ctest
// reports the suite as skipped, and never a failure. A filter that matches nothing is a failure.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

int main(int count, char** arguments) {
    testing::InitGoogleMock(&count, arguments);
    const int code = RUN_ALL_TESTS();
    const auto& run = *testing::UnitTest::GetInstance();
    if (run.test_to_run_count() == 0) return 1;
    return code == 0 && run.skipped_test_count() > 0 ? 77 : code;
}
