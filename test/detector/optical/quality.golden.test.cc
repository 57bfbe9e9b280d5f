#include "hodo/detector/optical/quality.hh"

#include <algorithm>
#include <array>
#include <cstdio>

#include <gmock/gmock.h>

#include "hodo/io/npz.hh"
#include "support/reference.hh"

namespace hodo::optical {
namespace {

double median_of(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

/// Modules per hit class and median distances of 32, 64, 128 quantiles and 64 equal bins, measured
/// with an independent program on the sample of 2136 modules in 6400 bins.
struct Row {
    std::size_t modules;
    std::array<double, 4> medians;
};
constexpr std::array<Row, 7> published{{{615, {0.106, 0.074, 0.052, 0.816}},
                                        {347, {0.152, 0.106, 0.074, 0.816}},
                                        {517, {0.296, 0.200, 0.140, 0.811}},
                                        {375, {0.739, 0.494, 0.317, 0.794}},
                                        {190, {0.743, 0.708, 0.614, 0.750}},
                                        {62, {0.601, 0.593, 0.574, 0.607}},
                                        {30, {0.357, 0.350, 0.343, 0.370}}}};

/// Distances [class][code] of every module of a file of sparse histograms.
std::array<std::array<std::vector<double>, 4>, 7> distances_of(const base::Path& file,
                                                               std::int64_t bins) {
    const auto arrays = io::read_npz(file);
    const auto rows = io::find(arrays, "row", "bins").integers();
    const auto bin = io::find(arrays, "bin", "bins").integers();
    const auto count = io::find(arrays, "count", "bins").integers();
    std::array<std::array<std::vector<double>, 4>, 7> distances;
    for (std::size_t i = 0; i < rows.size();) {
        std::vector<double> counts(static_cast<std::size_t>(bins), 0.0);
        double hits = 0;
        const std::int64_t module = rows[i];
        for (; i < rows.size() && rows[i] == module; ++i) {
            counts[static_cast<std::size_t>(bin[i])] = static_cast<double>(count[i]);
            hits += static_cast<double>(count[i]);
        }
        auto& row = distances[static_cast<std::size_t>(hit_class(hits))];
        std::size_t code = 0;
        for (const std::int64_t size : {32, 64, 128}) {
            row[code++].push_back(
                jensen_shannon(counts, density_of_quantiles(quantile_code(counts, size), bins)));
        }
        row[code].push_back(jensen_shannon(counts, equal_bins(counts, 64)));
    }
    return distances;
}

TEST(QualityGolden, baselines_have_the_published_distances) {
    const auto files = test::reference_files("om2vec", "bins_*_6400_6400.npz");
    int cases = 0;
    for (const auto& file : files) {
        const auto modules = io::read_npz(file, "n_modules").integers().at(0);
        if (modules != 2136) continue;  // the sample of the published table
        ++cases;
        std::printf("case: %s\n", file.filename().c_str());
        const auto distances = distances_of(file, 6400);
        for (std::size_t k = 0; k < published.size(); ++k) {
            EXPECT_EQ(distances[k][0].size(), published[k].modules);
            std::printf("%9s", std::string(hit_class_names[k]).c_str());
            for (std::size_t code = 0; code < 4; ++code) {
                const double median = median_of(distances[k][code]);
                std::printf("  %.3f", median);
                // The published figures do not say how ties within a bin are broken.
                EXPECT_NEAR(median, published[k].medians[code], 0.005);
            }
            std::printf("\n");
        }
    }
    if (cases == 0) GTEST_SKIP() << "the sample of the published table is not there";
}

TEST(QualityGolden, distances_of_recorded_outputs_agree) {
    int cases = 0;
    for (const auto& file : test::reference_files("om2vec", "golden_*.npz")) {
        const auto names = io::npz_names(file);
        const auto has = [&](const char* name) {
            return std::find(names.begin(), names.end(), name) != names.end();
        };
        if (!has("js_distance") || !has("prob_f32")) continue;
        ++cases;
        std::printf("case: %s\n", file.filename().c_str());
        const auto prob = io::read_npz(file, "prob_f32");
        const auto bins = static_cast<std::size_t>(prob.shape.at(1));
        const auto values = prob.doubles();
        const auto expected = io::read_npz(file, "js_distance").doubles();
        const auto rows = io::read_npz(file, "counts_row").integers();
        const auto columns = io::read_npz(file, "counts_bin").integers();
        const auto counts = io::read_npz(file, "counts_val").doubles();
        std::vector<double> dense(values.size(), 0.0);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            dense[static_cast<std::size_t>(rows[i]) * bins + static_cast<std::size_t>(columns[i])] =
                counts[i];
        }
        ASSERT_EQ(expected.size() * bins, values.size());
        for (std::size_t m = 0; m < expected.size(); ++m) {
            const double found = jensen_shannon(std::span(dense).subspan(m * bins, bins),
                                                std::span(values).subspan(m * bins, bins));
            EXPECT_NEAR(found, expected[m], 1e-6) << "module " << m;
        }
    }
    if (cases == 0) GTEST_SKIP() << "no golden_*.npz with js_distance";
}

}  // namespace
}  // namespace hodo::optical
