// Data options from configurations, and variables in paths.

#include "hodo/workflow/lartpc/data_options.hh"
#include "hodo/base/config.hh"
#include "support/reference.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace base = hodo::base;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

using testing::ElementsAre;
using testing::HasSubstr;

namespace {

lartpc::DataOptions read(const std::string& text) {
    return base::Config::parse(text, "test.yaml").as<lartpc::DataOptions>();
}

}  // namespace

TEST(LartpcDataOptions, TakeOneListOrOnePerPath) {
    const auto one = read("{data_path: xy, train_i: [0, 3], tpcs: [1, 5]}");
    EXPECT_THAT(one.data_path, ElementsAre("xy"));
    EXPECT_THAT(one.train_i, ElementsAre(ElementsAre(0, 3)));
    EXPECT_THAT(one.tpcs, ElementsAre(ElementsAre(1, 5)));
    const auto two = read("{data_path: [a, b], train_i: [[0, 3], null], tpcs: [null, [1]]}");
    EXPECT_THAT(two.train_i, ElementsAre(ElementsAre(0, 3), ElementsAre()));
    EXPECT_THAT(two.tpcs, ElementsAre(ElementsAre(), ElementsAre(1)));
    EXPECT_THAT(read("{train_i: null, transforms: {coord_lim: [null, [3, 9]]}}").train_i,
                ElementsAre());
    EXPECT_THAT(read("transforms: {scale: 0.001}").transforms.scale, ElementsAre(0.001));
}

TEST(LartpcDataOptions, RefuseListsThatDoNotFit) {
    const auto message = [](const std::string& text) {
        return test::error_of([&] { read(text); });
    };
    EXPECT_THAT(message("{data_path: a, train_i: [1, 2, 3]}"), HasSubstr("[first, last]"));
    EXPECT_THAT(message("{data_path: a, train_i: [3, 1]}"), HasSubstr("[first, last]"));
    EXPECT_THAT(message("{data_path: a, train_i: [1, [2, 3]]}"), HasSubstr("test.yaml"));
    EXPECT_THAT(message("{data_path: a, tpcs: [[1], [2]]}"), HasSubstr("one for each data_path"));
    EXPECT_THAT(message("{transforms: {z_segments: [5, 3]}}"), HasSubstr("ascend"));
    EXPECT_THAT(message("{transforms: {coord_lim: [[1]]}}"), HasSubstr("coord_lim"));
    EXPECT_THAT(message("{transforms: {noise: {sd: -1}}}"), HasSubstr("noise.sd"));
}

TEST(LartpcDataOptions, SayWhichOutputsAreKept) {
    lartpc::StoreInferenceOptions options;
    EXPECT_FALSE(options.wants(0, 0));
    options = {.store = true, .every_epoch = 2, .every_sample = 3, .folder = "inference"};
    EXPECT_TRUE(options.wants(4, 6));
    EXPECT_FALSE(options.wants(5, 6));
    EXPECT_FALSE(options.wants(4, 7));
}

TEST(LartpcDataOptions, ExpandVariablesThatAreThere) {
    ::setenv("HODO_TEST_PLACE", "/there", 1);
    ::unsetenv("HODO_TEST_NOWHERE");
    EXPECT_EQ(lartpc::expand_variables("$HODO_TEST_PLACE/xy"), "/there/xy");
    EXPECT_EQ(lartpc::expand_variables("a${HODO_TEST_PLACE}b"), "a/thereb");
    EXPECT_EQ(lartpc::expand_variables("$HODO_TEST_NOWHERE/x"), "$HODO_TEST_NOWHERE/x");
    for (const char* text : {"", "$", "${", "a$", "${HODO_TEST_PLACE", "$/x", "50$"}) {
        EXPECT_EQ(lartpc::expand_variables(text), text);
    }
}
