#include "hodo/base/random.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>
#include <vector>

namespace hodo::base {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
TEST(Philox, gives_the_known_answers_of_its_authors) {
    EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
              (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    constexpr std::uint32_t ones = 0xffffffff;
    EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
              (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(
        philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
        (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, streams_differ_by_seed_purpose_and_index) {
    std::set<std::uint64_t> first_numbers;
    for (std::uint64_t seed : {1, 2}) {
        for (const char* purpose : {"noise", "shuffle"}) {
            for (std::uint64_t index : {0, 1, 2}) {
                first_numbers.insert(Random(seed, purpose, index).bits64());
            }
        }
    }
    first_numbers.insert(Random(1, "noise").child("a").bits64());
    first_numbers.insert(Random(1, "noise").child("b").bits64());
    first_numbers.insert(Random(1, "noise", 1).child("a").bits64());
    EXPECT_EQ(first_numbers.size(), 15u);
}

TEST(Random, a_child_does_not_depend_on_its_parents_position) {
    Random parent(7, "events");
    const auto before = parent.child("photons", 3).bits64();
    (void)parent.bits64();
    EXPECT_EQ(parent.child("photons", 3).bits64(), before);
}

TEST(Random, seek_returns_to_a_position) {
    Random stream(3, "x");
    for (int i = 0; i < 4; ++i) (void)stream.bits32();
    const auto position = stream.position();
    const auto expected = stream.bits32();
    Random fresh(3, "x");
    fresh.seek(position);
    EXPECT_EQ(fresh.bits32(), expected);
}

TEST(Random, below_reaches_every_value_equally) {
    Random stream(5, "below");
    std::vector<int> counts(7);
    constexpr int draws = 70'000;
    for (int i = 0; i < draws; ++i) ++counts[stream.below(7)];
    for (const int count : counts) EXPECT_NEAR(count, draws / 7, 5 * std::sqrt(draws / 7.0));
}

struct Moments {
    double mean = 0, variance = 0;
};

Moments moments_of(const std::function<double()>& draw, int count) {
    double sum = 0, squares = 0;
    for (int i = 0; i < count; ++i) {
        const double x = draw();
        sum += x, squares += x * x;
    }
    const double mean = sum / count;
    return {mean, squares / count - mean * mean};
}

TEST(Random, moments_agree_with_the_closed_forms) {
    constexpr int count = 200'000;
    const auto check = [](const Moments& found, double mean, double variance, double fourth) {
        EXPECT_NEAR(found.mean, mean, 5 * std::sqrt(variance / count));
        EXPECT_NEAR(found.variance, variance,
                    5 * std::sqrt((fourth - variance * variance) / count));
    };
    Random stream(11, "moments");
    check(moments_of([&] { return stream.uniform(); }, count), 0.5, 1.0 / 12, 1.0 / 80);
    check(moments_of([&] { return stream.normal(); }, count), 0, 1, 3);
    check(moments_of([&] { return stream.exponential(); }, count), 1, 1, 9);
    for (const double mean : {0.3, 12.0, 250.0}) {
        check(moments_of([&] { return static_cast<double>(stream.poisson(mean)); }, count), mean,
              mean, mean * (1 + 3 * mean));
    }
    for (const double shape : {0.4, 1.0, 6.5}) {
        check(moments_of([&] { return stream.gamma(shape); }, count), shape, shape,
              3 * shape * shape + 6 * shape);
    }
}

}  // namespace
}  // namespace hodo::base
