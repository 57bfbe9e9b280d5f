#include "hodo/workflow/om2vec/evaluation.hh"

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "hodo/detector/optical/quality.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/parquet.hh"
#include "support/reference.hh"
#include "workflow/om2vec/evaluation_example.hh"

namespace hodo::om2vec {

namespace {

std::vector<double> one_bin(std::size_t bins, std::size_t bin, double photons) {
    std::vector<double> counts(bins, 0.0);
    counts[bin] = photons;
    return counts;
}

}  // namespace

TEST(Judge, finds_no_fault_with_the_photons_themselves) {
    std::vector<double> counts(640, 0.0);
    counts[3] = 7;
    counts[50] = 2;
    counts[639] = 1;
    auto density = counts;
    for (auto& p : density) p /= 10.0;
    const auto figures = judge(counts, density, 10.0);
    for (const auto member :
         {&CodeFigures::js, &CodeFigures::js_8ns, &CodeFigures::js_32ns, &CodeFigures::first_error,
          &CodeFigures::median_error, &CodeFigures::width_error, &CodeFigures::wasserstein}) {
        EXPECT_NEAR(figures.*member, 0.0, 1e-6);
    }
    const double entropy = 0.7 * std::log(0.7) + 0.2 * std::log(0.2) + 0.1 * std::log(0.1);
    EXPECT_NEAR(figures.log_likelihood, entropy, 0.02);  // The uniform part costs up to 1 %.
    EXPECT_TRUE(std::isnan(figures.held_out_log_likelihood));
}

TEST(Judge, knows_the_distance_of_one_bin_from_two) {
    const std::vector<double> counts{5, 0}, density{0.5, 0.5};
    EXPECT_NEAR(judge(counts, density, 1.0).js, std::sqrt(0.75 * std::log(4.0 / 3.0)), 1e-12);
}

TEST(Judge, gives_the_greatest_distance_and_the_likelihood_of_the_floor_to_disjoint_densities) {
    const auto counts = one_bin(1000, 10, 4), density = one_bin(1000, 900, 1);
    const auto figures = judge(counts, density, 1.0);
    EXPECT_NEAR(figures.js, std::sqrt(std::log(2.0)), 1e-12);
    EXPECT_NEAR(figures.log_likelihood, std::log(likelihood_floor / 1000.0), 1e-9);
}

TEST(Judge, measures_a_shift_in_nanoseconds) {
    const auto counts = one_bin(640, 105, 20), density = one_bin(640, 112, 1);
    const auto figures = judge(counts, density, 2.5);
    EXPECT_NEAR(figures.first_error, 17.5, 1e-9);
    EXPECT_NEAR(figures.median_error, 17.5, 1e-9);
    EXPECT_NEAR(figures.width_error, 0.0, 1e-9);
    EXPECT_NEAR(figures.wasserstein, 17.5, 1e-9);
    EXPECT_LT(figures.js_32ns, figures.js);  // 32 ns see less of a shift of 17.5 ns.
}

TEST(Judge, knows_nothing_of_a_module_without_photons) {
    const std::vector<double> counts(64, 0.0), density(64, 1.0 / 64);
    EXPECT_TRUE(std::isnan(judge(counts, density, 1.0).js));
    EXPECT_TRUE(std::isnan(judge(counts, density, 1.0).wasserstein));
}

TEST(SplitPhotons, deals_every_photon_once_and_fairly) {
    std::vector<double> counts(100);
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = static_cast<double>(i % 21);
    base::Random random(3, "test");
    const auto halves = split_photons(counts, random);
    const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        EXPECT_EQ(halves.first[i] + halves.second[i], counts[i]);
        EXPECT_GE(std::min(halves.first[i], halves.second[i]), 0.0);
    }
    const double first = std::accumulate(halves.first.begin(), halves.first.end(), 0.0);
    EXPECT_NEAR(first, total / 2, 5 * std::sqrt(total) / 2);  // Five standard deviations.
}

TEST(SplitPhotons, refuses_weights_that_are_no_photons) {
    base::Random random(3, "test");
    EXPECT_TRUE(split_photons(std::vector<double>{1.0, 0.5}, random).first.empty());
}

TEST(SpreadOf, leaves_out_what_is_not_known) {
    const auto spread = spread_of({5.0, not_known, 1.0, 3.0});
    EXPECT_EQ(spread.count, 3);
    EXPECT_EQ(spread.median, 3.0);
    EXPECT_EQ(spread_of({not_known}).count, 0);
    EXPECT_TRUE(std::isnan(spread_of({}).median));
    EXPECT_TRUE(std::isnan(spread_of({2.0}).error));
}

TEST(SpreadOf, covers_the_true_median_as_often_as_a_standard_error_should) {
    base::Random random(11, "spread");
    constexpr int trials = 400;
    int covered = 0;
    for (int trial = 0; trial < trials; ++trial) {
        std::vector<double> values(101);
        for (auto& v : values) v = random.exponential();
        const auto spread = spread_of(values);
        covered += std::abs(spread.median - std::log(2.0)) <= spread.error ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(covered) / trials, 0.683, 0.08);
}

TEST(CodeNames, drop_the_second_quantile_code_where_it_would_be_the_first) {
    EXPECT_EQ(code_names(32).back(), "quantiles_64");
    EXPECT_EQ(code_names(64).back(), "equal_bins");
}

TEST(Evaluation, comes_back_from_its_files) {
    const test::TemporaryFolder folder;
    const auto written = test::example_modules(40);
    test::write_evaluation(folder.path(), written);
    const auto read = read_evaluation(folder.path());
    ASSERT_EQ(read.modules.size(), written.size());
    EXPECT_EQ(read.modules.codes, written.codes);
    EXPECT_EQ(read.modules.row, written.row);
    EXPECT_EQ(read.modules.id, written.id);
    EXPECT_EQ(read.modules.position, written.position);
    EXPECT_EQ(read.modules.hits, written.hits);
    for (const auto& code : written.codes) {
        for (const auto& field : figure_fields) {
            const auto a = read.modules.values(code, field.member);
            const auto b = written.values(code, field.member);
            for (std::size_t i = 0; i < a.size(); ++i) {
                EXPECT_TRUE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) << field.name;
            }
        }
    }
}

TEST(Evaluation, has_one_class_per_module) {
    const auto modules = test::example_modules(300);
    std::int64_t sum = 0;
    const auto summary = class_summary(modules);
    for (const auto& entry : summary.items()) sum += entry.at("modules").integer();
    EXPECT_EQ(sum, modules.size());
    EXPECT_EQ(summary.items().size(), optical::hit_class_names.size());
    const auto& first = summary.items().front();
    EXPECT_EQ(first.at("quantiles").at("js").at("median").number(),
              spread_of(modules.values("quantiles", &CodeFigures::js, 0)).median);
}

TEST(Evaluation, explains_every_figure_and_code) {
    const auto conventions = evaluation_conventions();
    for (const auto& field : figure_fields) {
        EXPECT_TRUE(conventions.has(field.name)) << field.name;
    }
    for (const auto* code :
         {"sampled", "mean", "quantiles", "tight_quantiles", "equal_bins", "quantiles_64"}) {
        EXPECT_TRUE(conventions.has(code)) << code;
    }
}

TEST(Evaluation, says_which_folder_is_not_one) {
    const test::TemporaryFolder folder;
    const auto empty = test::error_of([&] { read_evaluation(folder.path()); });
    EXPECT_THAT(empty, testing::HasSubstr(folder.path().string()));
    EXPECT_THAT(empty, testing::HasSubstr("hodo om2vec evaluate"));
    io::write_text(folder / "evaluation.json", "{}");
    io::ParquetWriter table(folder / "modules.parquet", {{"hits"}});
    table.finish();
    EXPECT_THAT(test::error_of([&] { read_evaluation(folder.path()); }),
                testing::HasSubstr("not an evaluation of om2vec"));
}

}  // namespace hodo::om2vec
