#include "hodo/base/text.hh"

#include "hodo/base/error.hh"

#include <gtest/gtest.h>

#include <algorithm>

namespace hodo::base {
namespace {

TEST(Text, format_fills_fields_of_every_type) {
    EXPECT_EQ(format("{} {:.2f} {} {:>3}|", "a", 1.5, true, 7), "a 1.50 true   7|");
    EXPECT_EQ(format("{}", Path("x/y")), "x/y");
    EXPECT_EQ(format("no fields"), "no fields");
}

TEST(Text, a_malformed_pattern_is_a_bug_of_ours) {
    EXPECT_THROW(format("{} {}", 1), Defect);
}

TEST(Text, split_and_join_are_inverse) {
    for (const std::string text : {"", "a", "a,b", ",a,,b,"}) {
        EXPECT_EQ(join(split(text, ','), ","), text);
    }
}

TEST(Text, trim_removes_blanks_at_both_ends_only) {
    EXPECT_EQ(trim(" \t a b\n"), "a b");
    EXPECT_EQ(trim("  "), "");
}

TEST(Text, numbers_are_parsed_whole_or_not_at_all) {
    EXPECT_EQ(parse_double("1e-3"), 1e-3);
    EXPECT_EQ(parse_double("+2"), 2.0);
    EXPECT_FALSE(parse_double("1.0x"));
    EXPECT_FALSE(parse_double(""));
    EXPECT_EQ(parse_int("-12"), -12);
    EXPECT_FALSE(parse_int("1.5"));
}

TEST(Text, nearest_finds_the_word_that_was_meant) {
    const std::vector<std::string> known{"events", "detector", "seed"};
    EXPECT_EQ(nearest("evnts", known), "events");
    EXPECT_EQ(nearest("sede", known), "seed");
    EXPECT_FALSE(nearest("photons", known));
    EXPECT_EQ(did_you_mean("evnts", known), " (did you mean 'events'?)");
}

TEST(Text, natural_order_compares_numbers_as_numbers) {
    std::vector<std::string> files{"chunk_10", "chunk_9", "chunk_010", "chunk_1", "a"};
    std::sort(files.begin(), files.end(), natural_less);
    EXPECT_EQ(files,
              (std::vector<std::string>{"a", "chunk_1", "chunk_9", "chunk_010", "chunk_10"}));
    EXPECT_FALSE(natural_less("x1", "x1"));
}

TEST(Text, sizes_and_times_are_written_for_people) {
    EXPECT_EQ(human_bytes(0), "0 B");
    EXPECT_EQ(human_bytes(1'437'000'000), "1.4 GB");
    EXPECT_EQ(human_bytes(312'000), "312 kB");
    EXPECT_EQ(human_seconds(4.12), "4.1 s");
    EXPECT_EQ(human_seconds(200), "3 min 20 s");
    EXPECT_EQ(human_seconds(7500), "2 h 05 min");
    EXPECT_EQ(with_thousands(-1234567), "-1,234,567");
    EXPECT_EQ(with_thousands(999), "999");
}

// The value of the om2vec golden data's own description.
TEST(Text, fnv1a_agrees_with_its_published_value) {
    EXPECT_EQ(fnv1a("mem_embedding"), 0x769218449af61c78ULL);
    EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325ULL);
}

}  // namespace
}  // namespace hodo::base
