#include "hodo/io/json.hh"

#include "support/reference.hh"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

namespace {

namespace io = hodo::io;
namespace test = hodo::test;
using io::Json;

TEST(Json, keeps_the_order_of_keys_and_writes_what_it_read) {
    const std::string text = R"({"z":1,"a":[true,null,-2.5,"x\n\"y"],"m":{}})";
    EXPECT_EQ(Json::parse(text, "t").dump(), text);
}

TEST(Json, keeps_sixty_four_bit_integers) {
    const auto value = Json::parse(
        "[9223372036854775807, -9223372036854775808, "
        "18446744073709551615]",
        "t");
    EXPECT_EQ(value.items()[0].integer(), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(value.items()[1].integer(), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(value.items()[2].dump(), "18446744073709551615");
    test::error_of([&] { value.items()[2].integer(); });
}

TEST(Json, real_numbers_stay_real) {
    EXPECT_EQ(Json(1.0).dump(), "1.0");
    EXPECT_EQ(Json(0.1).dump(), "0.1");
    EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
}

TEST(Json, says_where_a_document_is_wrong) {
    const auto message = test::error_of([] { Json::parse("{\n  \"a\": 1,\n  oops}", "run.json"); });
    EXPECT_NE(message.find("run.json"), std::string::npos);
    EXPECT_NE(message.find("line 3, column 3"), std::string::npos) << message;
    test::error_of([] { Json::parse("", "t"); });
    test::error_of([] { Json::parse("1 2", "t"); });
    test::error_of([] { Json::parse("\"\xff\"", "t"); });
}

TEST(Json, bounds_the_depth_of_documents) {
    EXPECT_EQ(Json::parse(std::string(200, '[') + std::string(200, ']'), "t").dump().size(), 400U);
    const auto message = test::error_of([] { Json::parse(std::string(1'000'000, '['), "t"); });
    EXPECT_NE(message.find("nested"), std::string::npos);
}

TEST(Json, of_equal_keys_the_last_counts) {
    EXPECT_EQ(Json::parse(R"({"a":1,"a":2})", "t").at("a").integer(), 2);
}

TEST(Json, typed_access_says_what_was_found) {
    const auto value = Json::parse(R"({"name":"x","size":2})", "t");
    EXPECT_NE(test::error_of([&] { value.at("name").integer(); }).find("text"), std::string::npos);
    EXPECT_NE(test::error_of([&] { value.at("sise"); }).find("'size'"), std::string::npos);
    EXPECT_EQ(value.at("size").number(), 2.0);
}

TEST(Json, grows_from_null) {
    Json value;
    value["a"]["b"] = 1;
    value["list"].push("x");
    value["list"].push(false);
    EXPECT_EQ(value.dump(), R"({"a":{"b":1},"list":["x",false]})");
    EXPECT_EQ(value.dump(2),
              "{\n  \"a\": {\n    \"b\": 1\n  },\n  \"list\": [\n    \"x\",\n    "
              "false\n  ]\n}");
}

RC_GTEST_PROP(JsonRoundTrip, numbers_and_texts_come_back, ()) {
    const auto real = *rc::gen::arbitrary<double>();
    const auto whole = *rc::gen::arbitrary<std::int64_t>();
    const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
    Json value;
    value["real"] = real;
    value["whole"] = whole;
    value["text"] = text;
    const Json again = Json::parse(value.dump(2), "t");
    RC_ASSERT(again.at("real").number() == real);
    RC_ASSERT(again.at("whole").integer() == whole);
    RC_ASSERT(again.at("text").text() == text);
}

}  // namespace
