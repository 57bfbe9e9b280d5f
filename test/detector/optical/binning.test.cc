#include "hodo/detector/optical/binning.hh"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <gmock/gmock.h>

#include "hodo/base/random.hh"
#include "support/reference.hh"

namespace hodo::optical {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Adds one event of photons (string, sensor, time); positions follow from the numbers.
struct Photon {
    std::int64_t string, sensor;
    double time;
};
void add_event(Events& events, const std::vector<Photon>& photons) {
    for (const Photon& p : photons) {
        events.string.push_back(p.string);
        events.sensor.push_back(p.sensor);
        events.time.push_back(p.time);
        events.x.push_back(10.0 * static_cast<double>(p.string));
        events.y.push_back(-5.0 * static_cast<double>(p.string));
        events.z.push_back(-static_cast<double>(p.sensor));
    }
    events.offsets.push_back(static_cast<std::int64_t>(events.time.size()));
    events.row.push_back(events.size() - 1);
    events.file.push_back(0);
}

Events random_events(std::uint64_t seed, int count, double spread) {
    base::Random random(seed, "binning test");
    Events events;
    for (int e = 0; e < count; ++e) {
        std::vector<Photon> photons(random.below(400));
        for (Photon& p : photons) {
            p = {static_cast<std::int64_t>(random.below(5)),
                 static_cast<std::int64_t>(random.below(9)),
                 1000.0 + spread * random.exponential()};
        }
        add_event(events, photons);
    }
    return events;
}

Binning binning_of(std::int64_t bins, double window, BinningRule rule,
                   Overflow overflow = Overflow::last, std::string zero = "first") {
    return {bins, window, rule, overflow, std::move(zero)};
}

double total(const ModuleCounts& counts) {
    return std::accumulate(counts.count.begin(), counts.count.end(), 0.0);
}

std::map<std::int32_t, float> histogram(const ModuleCounts& counts, std::int64_t module) {
    std::map<std::int32_t, float> result;
    const auto bins = counts.bins_of(module);
    for (std::size_t i = 0; i < bins.size(); ++i) result[bins[i]] = counts.counts_of(module)[i];
    return result;
}

TEST(Binning, rules_conserve_photons_and_keep_bins_ascending_in_range) {
    const Events events = random_events(1, 60, 3000.0);
    const std::vector<Binning> rules{
        binning_of(6400, 6400, BinningRule::om2vec), binning_of(6400, 6400, BinningRule::floor),
        binning_of(100, 6400, BinningRule::floor), binning_of(777, 5.5, BinningRule::floor),
        binning_of(64, 640, BinningRule::floor, Overflow::extra)};
    for (const Binning& rule : rules) {
        for (const char* zero : {"first", "quantile:0.3", "vertex", "per-module"}) {
            Binning with_zero = rule;
            with_zero.time_zero = zero;
            const auto counts = bin_photons(events, with_zero, ModuleOrder::first_appearance);
            EXPECT_EQ(total(counts), static_cast<double>(events.photons()));
            EXPECT_EQ(std::accumulate(counts.hits.begin(), counts.hits.end(), 0.0),
                      static_cast<double>(events.photons()));
            for (std::int64_t m = 0; m < counts.size(); ++m) {
                const auto bins = counts.bins_of(m);
                EXPECT_TRUE(std::is_sorted(bins.begin(), bins.end(), std::less_equal<>()));
                ASSERT_FALSE(bins.empty());
                EXPECT_GE(bins.front(), 0);
                EXPECT_LT(bins.back(), with_zero.width());
            }
        }
    }
}

TEST(Binning, agrees_with_the_formula_photon_by_photon) {
    const Events events = random_events(2, 40, 4000.0);
    const auto check = [&](const Binning& rule, auto&& formula) {
        const auto counts = bin_photons(events, rule, ModuleOrder::ascending);
        std::map<std::tuple<std::int64_t, ModuleId, std::int64_t>, float> expected, found;
        for (std::int64_t e = 0; e < events.size(); ++e) {
            const double zero = time_zero_of(events, e, TimeZero{});
            for (auto p = events.offsets[static_cast<std::size_t>(e)];
                 p < events.offsets[static_cast<std::size_t>(e) + 1]; ++p) {
                const double r = events.time[static_cast<std::size_t>(p)] - zero;
                expected[{e, events.module(p), formula(r)}] += 1.0F;
            }
        }
        for (std::int64_t m = 0; m < counts.size(); ++m) {
            const auto k = static_cast<std::size_t>(m);
            for (const auto& [bin, count] : histogram(counts, m)) {
                found[{counts.event[k], counts.id[k], bin}] = count;
            }
        }
        EXPECT_EQ(found, expected);
    };
    check(binning_of(6400, 6400, BinningRule::om2vec), [](double r) {
        return r >= 6400 ? 6399 : static_cast<std::int64_t>(std::min(std::ceil(r), 6399.0));
    });
    check(binning_of(320, 6400, BinningRule::floor), [](double r) {
        return r >= 6400 ? 319 : static_cast<std::int64_t>(std::floor(r * 320.0 / 6400.0));
    });
}

TEST(Binning, literal_rule_equals_the_formula_where_bins_are_one_ns_wide) {
    const Events events = random_events(3, 30, 5000.0);
    const auto formula = bin_photons(events, binning_of(5000, 5000, BinningRule::om2vec),
                                     ModuleOrder::first_appearance);
    const auto literal = bin_photons(events, binning_of(5000, 5000, BinningRule::om2vec_literal),
                                     ModuleOrder::first_appearance);
    EXPECT_EQ(formula.bin, literal.bin);
    EXPECT_EQ(formula.count, literal.count);
    EXPECT_EQ(formula.offsets, literal.offsets);
}

TEST(Binning, refuses_the_formula_for_other_widths_and_names_the_literal_rule) {
    const auto message = test::error_of([] {
        bin_photons(Events{}, binning_of(640, 6400, BinningRule::om2vec),
                    ModuleOrder::first_appearance);
    });
    EXPECT_THAT(message, HasSubstr("om2vec-literal"));
    EXPECT_THAT(message, HasSubstr("640 bins, 6400 ns"));
}

TEST(Binning, refuses_overflow_policies_the_original_does_not_have) {
    EXPECT_THAT(test::error_of([] {
                    bin_photons(Events{}, binning_of(10, 10, BinningRule::om2vec, Overflow::drop),
                                ModuleOrder::first_appearance);
                }),
                HasSubstr("overflow"));
}

TEST(Binning, applies_the_overflow_policies) {
    Events events;
    add_event(events, {{1, 1, 0.0}, {1, 1, 9.5}, {1, 1, 10.0}, {1, 1, 99.0}, {2, 1, 50.0}});
    const auto bin = [&](Overflow overflow) {
        return bin_photons(events, binning_of(10, 10, BinningRule::floor, overflow),
                           ModuleOrder::first_appearance);
    };
    EXPECT_EQ(histogram(bin(Overflow::last), 0), (std::map<std::int32_t, float>{{0, 1}, {9, 3}}));
    EXPECT_EQ(histogram(bin(Overflow::drop), 0), (std::map<std::int32_t, float>{{0, 1}, {9, 1}}));
    EXPECT_EQ(histogram(bin(Overflow::extra), 0),
              (std::map<std::int32_t, float>{{0, 1}, {9, 1}, {10, 2}}));
    const auto dropped = bin(Overflow::drop);
    ASSERT_EQ(dropped.size(), 2);
    EXPECT_TRUE(dropped.bins_of(1).empty());
    EXPECT_THAT(dropped.hits, ElementsAre(4.0, 1.0));
}

TEST(Binning, sums_weights_instead_of_photons) {
    Events events;
    add_event(events, {{1, 1, 0.0}, {1, 1, 0.4}, {1, 1, 3.0}});
    events.weight = {0.5, 1.25, 2.0};
    const auto counts =
        bin_photons(events, binning_of(10, 10, BinningRule::floor), ModuleOrder::first_appearance);
    EXPECT_EQ(histogram(counts, 0), (std::map<std::int32_t, float>{{0, 1.75F}, {3, 2.0F}}));
    EXPECT_THAT(counts.hits, ElementsAre(3.75));
}

TEST(Binning, counts_alike_with_unit_weights) {
    Events events = random_events(5, 20, 900.0);
    const auto rule = binning_of(500, 1000, BinningRule::floor);
    const auto plain = bin_photons(events, rule, ModuleOrder::ascending);
    events.weight.assign(static_cast<std::size_t>(events.photons()), 1.0);
    const auto weighted = bin_photons(events, rule, ModuleOrder::ascending);
    EXPECT_EQ(plain.bin, weighted.bin);
    EXPECT_EQ(plain.count, weighted.count);
    EXPECT_EQ(plain.hits, weighted.hits);
}

TEST(Binning, time_zeros_are_stated_as_offsets_from_the_first_photon) {
    Events events;
    add_event(events, {{1, 1, 100.0}, {2, 1, 104.0}, {2, 1, 108.0}, {1, 1, 112.0}});
    events.trigger = {95.0};
    const auto offsets = [&](const char* zero) {
        return bin_photons(events, binning_of(50, 50, BinningRule::floor, Overflow::last, zero),
                           ModuleOrder::first_appearance)
            .time_offset;
    };
    EXPECT_THAT(offsets("first"), ElementsAre(0.0, 0.0));
    EXPECT_THAT(offsets("quantile:0.5"), ElementsAre(6.0, 6.0));
    EXPECT_THAT(offsets("quantile:1"), ElementsAre(12.0, 12.0));
    EXPECT_THAT(offsets("vertex"), ElementsAre(-100.0, -100.0));
    EXPECT_THAT(offsets("trigger:when"), ElementsAre(-5.0, -5.0));
    EXPECT_THAT(offsets("per-module"), ElementsAre(0.0, 4.0));
}

TEST(Binning, photons_before_time_zero_go_to_the_first_bin_or_are_dropped) {
    Events events;
    add_event(events, {{1, 1, 100.0}, {1, 1, 104.0}, {1, 1, 108.0}});
    auto rule = binning_of(10, 10, BinningRule::floor, Overflow::last, "quantile:0.5");
    EXPECT_EQ(histogram(bin_photons(events, rule, ModuleOrder::ascending), 0),
              (std::map<std::int32_t, float>{{0, 2}, {4, 1}}));
    rule.overflow = Overflow::drop;
    EXPECT_EQ(histogram(bin_photons(events, rule, ModuleOrder::ascending), 0),
              (std::map<std::int32_t, float>{{0, 1}, {4, 1}}));
}

TEST(Binning, time_zero_text_round_trips_and_rejects_nonsense) {
    for (const char* text :
         {"first", "quantile:0.25", "vertex", "trigger:mc_truth.when", "per-module"}) {
        EXPECT_EQ(TimeZero::parse(text).text(), text);
    }
    for (const char* text : {"", "fist", "quantile", "quantile:1.5", "trigger:", "first:1"}) {
        EXPECT_THAT(test::error_of([&] { TimeZero::parse(text); }), HasSubstr("time zero"));
    }
}

TEST(Binning, needs_the_trigger_column_for_the_trigger_time) {
    Events events;
    add_event(events, {{1, 1, 0.0}});
    const auto bin = [&] {
        bin_photons(events, binning_of(10, 10, BinningRule::floor, Overflow::last, "trigger:when"),
                    ModuleOrder::ascending);
    };
    EXPECT_THAT(test::error_of(bin), HasSubstr("'trigger:when'"));
    events.trigger = {std::nan("")};
    EXPECT_THAT(test::error_of(bin), HasSubstr("event 0"));
}

TEST(Binning, orders_modules_and_tells_positions_apart) {
    Events events;
    add_event(events, {{5, 2, 1.0}, {3, 9, 2.0}, {5, 1, 3.0}, {3, 9, 4.0}, {5, 2, 5.0}});
    events.z[4] += 1.0;  // same numbers, another place
    const auto rule = binning_of(10, 10, BinningRule::floor);
    EXPECT_THAT(bin_photons(events, rule, ModuleOrder::first_appearance).id,
                ElementsAre(ModuleId{5, 2}, ModuleId{3, 9}, ModuleId{5, 1}, ModuleId{5, 2}));
    const auto ascending = bin_photons(events, rule, ModuleOrder::ascending);
    EXPECT_THAT(ascending.id,
                ElementsAre(ModuleId{3, 9}, ModuleId{5, 1}, ModuleId{5, 2}, ModuleId{5, 2}));
    EXPECT_EQ(ascending.position[2][2], -2.0);
    EXPECT_EQ(ascending.position[3][2], -1.0);
}

TEST(Binning, events_without_photons_have_no_modules) {
    Events events;
    add_event(events, {});
    add_event(events, {{1, 1, 7.0}});
    add_event(events, {});
    const auto counts =
        bin_photons(events, binning_of(10, 10, BinningRule::floor), ModuleOrder::ascending);
    EXPECT_THAT(counts.event, ElementsAre(1));
    EXPECT_EQ(bin_photons(Events{}, Binning{}, ModuleOrder::ascending).size(), 0);
}

}  // namespace
}  // namespace hodo::optical
