#include "hodo/base/config.hh"

#include "support/reference.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

namespace hodo::base {
namespace {

using test::error_of;

enum class Colour { red, green };
constexpr auto names(Colour) {
    return std::array<std::string_view, 2>{"red", "green"};
}

struct Inner {
    double rate = 1e-3;
    void describe(Fields& f) { f("rate", rate, "learning rate").above(0); }
};

struct Options {
    bool flag = false;
    std::int64_t count = 3;
    double width = 2.5;
    std::string title = "a: b";
    Colour colour = Colour::red;
    std::vector<std::int64_t> sizes{1, 2};
    std::vector<std::string> files;
    std::vector<std::vector<std::int64_t>> ranges;
    Inner inner;
    void describe(Fields& f) {
        f("flag", flag, "a switch");
        f("count", count, "how many").between(1, 50);
        f("width", width, "how wide [m]").above(0);
        f("title", title, "the title");
        f("colour", colour, "the colour");
        f("sizes", sizes, "sizes").at_least(1);
        f("files", files, "files");
        f("ranges", ranges, "first and last");
        f.group("inner", inner, "the inner part");
        f.rule(width < 100 || count > 1, "width of 100 or more needs count above 1");
    }
};

Options read(std::string_view text) {
    return Config::parse(text, "job.yaml").as<Options>();
}

TEST(Config, reads_every_type) {
    const auto o = read(
        "flag: yes\ncount: 1e1\nwidth: 3\ntitle: hello\ncolour: green\n"
        "sizes: [4, 5]\nfiles: [a, 'b c']\nranges: [[1, 2], [3, 4]]\n"
        "inner: {rate: 0.5}\n");
    EXPECT_TRUE(o.flag);
    EXPECT_EQ(o.count, 10);
    EXPECT_EQ(o.width, 3);
    EXPECT_EQ(o.title, "hello");
    EXPECT_EQ(o.colour, Colour::green);
    EXPECT_EQ(o.sizes, (std::vector<std::int64_t>{4, 5}));
    EXPECT_EQ(o.files, (std::vector<std::string>{"a", "b c"}));
    EXPECT_EQ(o.ranges, (std::vector<std::vector<std::int64_t>>{{1, 2}, {3, 4}}));
    EXPECT_EQ(o.inner.rate, 0.5);
}

TEST(Config, an_empty_file_gives_the_defaults) {
    EXPECT_EQ(read("").count, 3);
    EXPECT_EQ(read("# only a comment\n").title, "a: b");
}

TEST(Config, what_is_written_reads_back_as_the_same) {
    Options options;
    options.title = "quote \" and \\ and: colon";
    options.files = {"", "true", "12", "- x", "plain"};
    options.width = 0.1;
    options.ranges = {{1}, {}};
    for (const auto comments : {Comments::no, Comments::yes}) {
        const auto back = read(options_yaml(options, comments));
        EXPECT_EQ(back.title, options.title);
        EXPECT_EQ(back.files, options.files);
        EXPECT_EQ(back.width, options.width);
        EXPECT_EQ(back.ranges, options.ranges);
    }
}

TEST(Config, an_unknown_key_names_place_and_nearest_key) {
    EXPECT_EQ(error_of([] { read("flag: yes\ncuont: 4\n"); }),
              "job.yaml:2:1: unknown key 'cuont' (did you mean 'count'?)");
    EXPECT_EQ(error_of([] { read("inner:\n  raet: 4\n"); }),
              "job.yaml:2:3: unknown key 'inner.raet' (did you mean 'rate'?)");
}

TEST(Config, a_duplicate_key_is_rejected) {
    EXPECT_EQ(error_of([] { read("count: 4\ncount: 5\n"); }),
              "job.yaml:2:1: key 'count' appears twice; remove one of them");
}

TEST(Config, wrong_values_name_key_value_and_expectation) {
    EXPECT_EQ(error_of([] { read("count: many\n"); }),
              "job.yaml:1:1: 'count' is 'many' but must be a whole number");
    EXPECT_EQ(error_of([] { read("count: 51\n"); }),
              "job.yaml:1:1: 'count' is 51 but must be at most 50");
    EXPECT_EQ(error_of([] { read("inner:\n  rate: 0\n"); }),
              "job.yaml:2:3: 'inner.rate' is 0 but must be greater than 0");
    EXPECT_EQ(error_of([] { read("width: nan\n"); }),
              "job.yaml:1:1: 'width' is 'nan' but must be a number");
    EXPECT_EQ(error_of([] { read("colour: gren\n"); }),
              "job.yaml:1:1: 'colour' is 'gren' but must be one of red, green (did you mean "
              "'green'?)");
    EXPECT_EQ(
        error_of([] { read("inner: 3\n"); }),
        "job.yaml:1:1: 'inner' is a group of keys but a single value is given; write its keys "
        "indented below it");
    EXPECT_EQ(error_of([] { read("sizes: [1, 0]\n"); }),
              "job.yaml:1:1: 'sizes' is 0 but must be at least 1");
    EXPECT_EQ(error_of([] { read("flag: 3\n"); }),
              "job.yaml:1:1: 'flag' is '3' but must be true or false");
}

TEST(Config, a_rule_over_several_fields_is_checked) {
    EXPECT_EQ(error_of([] { read("width: 200\ncount: 1\n"); }),
              "job.yaml: width of 100 or more needs count above 1");
}

TEST(Config, broken_yaml_names_the_place) {
    EXPECT_THAT(error_of([] { read("a: [1, 2\nb: 3\n"); }), testing::StartsWith("job.yaml:"));
    EXPECT_THAT(error_of([] { read("- 1\n- 2\n"); }), testing::HasSubstr("a list is given"));
    EXPECT_THAT(error_of([] { Config::read("/nowhere/x.yaml"); }),
                testing::StartsWith("/nowhere/x.yaml: no such configuration file"));
}

TEST(Config, nesting_and_aliases_are_bounded) {
    EXPECT_THAT(error_of([] { read("a: " + std::string(100, '[') + std::string(100, ']')); }),
                testing::HasSubstr("nested deeper"));
    std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
    for (char c = 'b'; c < 'k'; ++c) {
        const std::string before = "*" + std::string(1, static_cast<char>(c - 1));
        bomb += format("{}: &{} [{},{},{},{},{},{},{},{},{},{}]\n", std::string(1, c),
                       std::string(1, c), before, before, before, before, before, before, before,
                       before, before, before);
    }
    EXPECT_THAT(error_of([&] { read(bomb); }), testing::HasSubstr("more than 1,000,000 values"));
}

TEST(Config, set_overrides_one_key_and_keeps_the_rest) {
    auto config = Config::parse("count: 4\ninner: {rate: 0.5}\n", "job.yaml");
    config.set("inner.rate", "0.25");
    config.set("sizes", "[7]");
    const auto options = config.as<Options>();
    EXPECT_EQ(options.inner.rate, 0.25);
    EXPECT_EQ(options.count, 4);
    EXPECT_EQ(options.sizes, (std::vector<std::int64_t>{7}));
    config.set("inner.rate", "-1");
    EXPECT_EQ(error_of([&] { config.as<Options>(); }),
              "--set inner.rate=-1: 'inner.rate' is -1 but must be greater than 0");
}

TEST(Fields, the_list_tells_type_value_range_and_help) {
    FieldList list;
    Options options;
    options.describe(list);
    const auto& entries = list.entries();
    ASSERT_EQ(entries.size(), 10u);
    EXPECT_EQ(entries[1].path, "count");
    EXPECT_EQ(entries[1].range, "1 to 50");
    EXPECT_EQ(entries[4].type, "one of red, green");
    EXPECT_EQ(entries[4].value, "red");
    EXPECT_TRUE(entries[8].is_group);
    EXPECT_EQ(entries[9].path, "inner.rate");
    EXPECT_EQ(entries[9].range, "> 0");
}

TEST(Fields, resolve_fills_every_default_in) {
    const auto entries = Config::parse("count: 4\n", "job.yaml").resolve([](Fields& f) {
        Options options;
        options.describe(f);
    });
    EXPECT_EQ(entries[1].value, "4");
    EXPECT_EQ(entries[2].value, "2.5");
}

TEST(Fields, lists_of_lists_may_be_one_list_or_have_empty_places) {
    using Lists = std::vector<std::vector<std::int64_t>>;
    EXPECT_EQ(read("ranges: [[1, 2], [3]]").ranges, (Lists{{1, 2}, {3}}));
    EXPECT_EQ(read("ranges: [1, 2]").ranges, (Lists{{1, 2}}));
    EXPECT_EQ(read("ranges: [null, [1, 2], []]").ranges, (Lists{{}, {1, 2}, {}}));
    EXPECT_EQ(read("ranges: []").ranges, Lists{});
    EXPECT_EQ(read("ranges:").ranges, Lists{});
    for (const char* text :
         {"ranges: 4", "ranges: [1, [2]]", "ranges: [[1, x]]", "ranges: {a: 1}"}) {
        EXPECT_THAT(error_of([&] { read(text); }), testing::HasSubstr("ranges")) << text;
    }
}

}  // namespace
}  // namespace hodo::base
