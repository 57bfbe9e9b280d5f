#include "hodo/workflow/shard.hh"

#include "support/reference.hh"

#include <fstream>
#include <map>

#include <rapidcheck/gtest.h>

#include "hodo/base/random.hh"

namespace hodo::workflow {
namespace {

using test::error_of;

Environment environment(std::map<std::string, std::string> variables) {
    return [variables = std::move(variables)](const char* name) -> const char* {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
    };
}

TEST(Shard, is_written_as_index_and_count) {
    const auto shard = parse_shard("2/7", environment({}));
    EXPECT_EQ(shard.index, 2);
    EXPECT_EQ(shard.count, 7);
    EXPECT_EQ(text_of(shard), "2/7");
}

TEST(Shard, that_does_not_exist_is_refused) {
    for (const char* text : {"7/7", "-1/7", "0/0", "3", "a/7", "1/2/3", ""}) {
        EXPECT_NE(error_of([&] { parse_shard(text, environment({})); }).find("--shard"),
                  std::string::npos)
            << text;
    }
    EXPECT_NE(error_of([&] { parse_shard("7/7", environment({})); }).find("6/7"),
              std::string::npos);
}

TEST(Shard, comes_from_the_batch_system) {
    const auto slurm = parse_shard("auto", environment({{"SLURM_ARRAY_TASK_ID", "12"},
                                                        {"SLURM_ARRAY_TASK_MIN", "4"},
                                                        {"SLURM_ARRAY_TASK_COUNT", "6"},
                                                        {"SLURM_ARRAY_TASK_STEP", "2"}}));
    EXPECT_EQ(text_of(slurm), "4/6");
    const auto grid_engine = parse_shard("auto", environment({{"SGE_TASK_ID", "7"},
                                                              {"SGE_TASK_FIRST", "1"},
                                                              {"SGE_TASK_LAST", "10"},
                                                              {"SGE_TASK_STEPSIZE", "3"}}));
    EXPECT_EQ(text_of(grid_engine), "2/4");
    const auto lsf =
        parse_shard("auto", environment({{"LSB_JOBINDEX", "3"}, {"LSB_JOBINDEX_END", "5"}}));
    EXPECT_EQ(text_of(lsf), "2/5");
}

TEST(Shard, of_an_uneven_array_or_of_none_is_refused) {
    const auto uneven = environment({{"SLURM_ARRAY_TASK_ID", "7"},
                                     {"SLURM_ARRAY_TASK_MIN", "1"},
                                     {"SLURM_ARRAY_TASK_COUNT", "3"}});
    EXPECT_NE(error_of([&] { parse_shard("auto", uneven); }).find("not evenly"), std::string::npos);
    EXPECT_NE(error_of([&] { parse_shard("auto", environment({})); }).find("no task of an array"),
              std::string::npos);
    const auto pbs = environment({{"PBS_ARRAY_INDEX", "3"}});
    EXPECT_NE(error_of([&] { parse_shard("auto", pbs); }).find("$PBS_ARRAY_INDEX/N"),
              std::string::npos);
}

/// Extents of up to `items` files from a seed.
std::vector<Extent> some_extents(std::uint64_t seed, std::size_t items) {
    base::Random random(seed, "extents");
    std::vector<Extent> extents(items);
    for (auto& extent : extents) {
        extent.units = static_cast<std::int64_t>(random.below(200));
        extent.bytes = extent.units * static_cast<std::int64_t>(1 + random.below(5000));
    }
    return extents;
}

RC_GTEST_PROP(Shards, cover_every_unit_once_in_order, (std::uint64_t seed)) {
    const auto items = *rc::gen::inRange<std::size_t>(0, 12);
    const auto count = *rc::gen::inRange<std::int64_t>(1, 300);
    const auto extents = some_extents(seed, items);
    std::vector<Range> all;
    for (std::int64_t index = 0; index < count; ++index) {
        for (const auto& range : share_of(extents, {index, count})) {
            RC_ASSERT(range.begin < range.end);
            if (!all.empty() && all.back().item == range.item) {
                RC_ASSERT(all.back().end == range.begin);
                all.back().end = range.end;
            } else {
                RC_ASSERT(range.begin == 0);
                all.push_back(range);
            }
        }
    }
    std::vector<Range> expected;
    for (std::size_t i = 0; i < items; ++i) {
        if (extents[i].units > 0) {
            expected.push_back({static_cast<std::int64_t>(i), 0, extents[i].units});
        }
    }
    RC_ASSERT(all == expected);
}

RC_GTEST_PROP(Shards, are_balanced_to_two_units, (std::uint64_t seed)) {
    const auto count = *rc::gen::inRange<std::int64_t>(1, 20);
    const auto extents = some_extents(seed, 6);
    double total = 0, largest_unit = 1;
    for (const auto& extent : extents) {
        total += static_cast<double>(extent.bytes);
        if (extent.units > 0) {
            largest_unit = std::max(largest_unit, static_cast<double>(extent.bytes) /
                                                      static_cast<double>(extent.units));
        }
    }
    for (std::int64_t index = 0; index < count; ++index) {
        double bytes = 0;
        for (const auto& range : share_of(extents, {index, count})) {
            const auto& extent = extents[static_cast<std::size_t>(range.item)];
            bytes += static_cast<double>(range.end - range.begin) *
                     static_cast<double>(extent.bytes) / static_cast<double>(extent.units);
        }
        RC_ASSERT(std::abs(bytes - total / static_cast<double>(count)) <= 2 * largest_unit + 2);
    }
}

TEST(Shards, of_large_inputs_do_not_overflow) {
    constexpr std::int64_t petabyte = 1'000'000'000'000'000;
    const std::vector<Extent> extents{{1'000'000'000, petabyte}, {1'000'000'000, petabyte}};
    const auto share = share_of(extents, {99'999, 100'000});
    ASSERT_EQ(share.size(), 1u);
    EXPECT_EQ(share[0], (Range{1, 1'000'000'000 - 20'000, 1'000'000'000}));
}

TEST(Shards, count_only_what_they_cut) {
    const std::vector<std::int64_t> bytes{100, 300, 200, 400};
    std::vector<Range> all;
    for (std::int64_t index = 0; index < 3; ++index) {
        std::vector<std::int64_t> counted;
        const auto units = [&](std::int64_t item) {
            counted.push_back(item);
            return std::int64_t{10};
        };
        for (const auto& range : share_of(bytes, units, {index, 3})) all.push_back(range);
        // Cuts at bytes 333 and 666 go through the second and the last item.
        EXPECT_EQ(counted, index == 0   ? (std::vector<std::int64_t>{1})
                           : index == 1 ? (std::vector<std::int64_t>{1, 3})
                                        : (std::vector<std::int64_t>{3}));
    }
    constexpr auto to_end = Range::to_end;
    EXPECT_EQ(
        all,
        (std::vector<Range>{
            {0, 0, to_end}, {1, 0, 8}, {1, 8, to_end}, {2, 0, to_end}, {3, 0, 2}, {3, 2, to_end}}));
}

TEST(Shards, of_files_that_are_not_cut_are_runs_of_them) {
    const test::TemporaryFolder folder;
    std::vector<base::Path> files;
    for (int i = 0; i < 11; ++i) {
        files.push_back(folder / std::to_string(i));
        std::ofstream(files.back()) << std::string(100, 'x');
    }
    std::vector<base::Path> together;
    for (std::int64_t index = 0; index < 4; ++index) {
        const auto share = files_of_shard(files, {index, 4});
        EXPECT_GE(share.size(), 2u);
        EXPECT_LE(share.size(), 3u);
        together.insert(together.end(), share.begin(), share.end());
    }
    EXPECT_EQ(together, files);
}

TEST(Shards, share_units_when_nothing_has_a_size) {
    EXPECT_EQ(share_of({{4, 0}}, {1, 2}), (std::vector<Range>{{0, 2, 4}}));
    EXPECT_TRUE(share_of({}, {0, 2}).empty());
    EXPECT_TRUE(share_of({{0, 100}}, {1, 2}).empty());
}

}  // namespace
}  // namespace hodo::workflow
