// Curves, voxels, tracks and charges of the published analysis.

#include "hodo/base/text.hh"
#include "hodo/detector/lartpc/charge_solve.hh"
#include "hodo/detector/lartpc/event_charges.hh"
#include "hodo/detector/lartpc/purity.hh"
#include "hodo/detector/lartpc/track_fit.hh"
#include "hodo/detector/lartpc/truth.hh"
#include "hodo/io/npz.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <map>

namespace base = hodo::base;
namespace io = hodo::io;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

namespace {

class LartpcAnalysisGolden : public testing::Test {
  protected:
    void SetUp() override {
        files_ = test::reference_files("lartpc", "analysis.npz");
        HODO_REQUIRE_REFERENCE(files_, "lartpc/analysis.npz");
        names_ = io::npz_names(files_.front());
    }
    std::vector<double> of(const std::string& key) const {
        return io::read_npz(files_.front(), key).doubles();
    }
    std::vector<lartpc::Voxel> voxels(const std::string& key) const {
        const auto numbers = io::read_npz(files_.front(), key).integers();
        std::vector<lartpc::Voxel> voxels;
        for (std::size_t i = 0; i < numbers.size(); i += 3) {
            voxels.push_back({int(numbers[i]), int(numbers[i + 1]), int(numbers[i + 2])});
        }
        return voxels;
    }
    void expect_near(const std::string& key, const std::vector<double>& found,
                     double tolerance) const {
        const auto expected = of(key);
        ASSERT_EQ(expected.size(), found.size()) << key;
        for (std::size_t i = 0; i < found.size(); ++i) {
            ASSERT_NEAR(expected[i], found[i], tolerance) << key << " " << i;
        }
    }
    std::vector<base::Path> files_;
    std::vector<std::string> names_;
};

}  // namespace

TEST_F(LartpcAnalysisGolden, purity_and_sensitivity_curves) {
    const lartpc::VoxelImage truth{voxels("sp/true_coord"), 1, of("sp/true_val")};
    const auto inferred = voxels("sp/inf_coord");
    const auto scores = io::read_npz(files_.front(), "sp/inf_val").floats();
    const auto curve = lartpc::purity_curve(truth, inferred, scores);
    expect_near("sp/thresholds", curve.thresholds, 1e-12);
    expect_near("sp/purity", curve.purity, 1e-9);
    expect_near("sp/sensitivity", curve.sensitivity, 1e-9);
    expect_near("sp/score", {curve.area()}, 1e-9);
    const auto best = curve.best();
    expect_near("sp/optim", {curve.thresholds[best], curve.purity[best], curve.sensitivity[best]},
                1e-9);
    expect_near("sp/stats_thr0.5", {curve.purity[25], curve.sensitivity[25]}, 1e-9);
    const auto weighted = lartpc::purity_curve(
        truth, inferred, scores,
        {.weighting = lartpc::Weighting::charge, .comparison = lartpc::Comparison::at_least});
    expect_near("sp/weighted_purity", weighted.purity, 1e-9);
    expect_near("sp/weighted_sensitivity", weighted.sensitivity, 1e-9);
    expect_near("sp/weighted_score", {weighted.area()}, 1e-9);
    const auto merged = lartpc::merged_purity_curve(truth, inferred, scores, {2, 2, 2},
                                                    {.comparison = lartpc::Comparison::at_least});
    expect_near("sp/down222_purity", merged.purity, 1e-9);
    expect_near("sp/down222_sensitivity", merged.sensitivity, 1e-9);
    std::cout << truth.size() << " true voxels, " << scores.size() << " scores\n";
}

TEST_F(LartpcAnalysisGolden, merged_truth_and_voxelized_points) {
    const lartpc::VoxelImage truth{voxels("sp/true_coord"), 1, of("sp/true_val")};
    const auto merged = lartpc::merge_truth(truth, {8, 4, 4});
    const auto coarse = voxels("down844_reduce/coord");
    const auto values = of("down844_reduce/val");
    ASSERT_EQ(merged.voxels.size(), coarse.size());
    std::map<lartpc::Voxel, double> expected;
    for (std::size_t i = 0; i < coarse.size(); ++i) expected[coarse[i]] = values[i];
    for (std::int64_t i = 0; i < merged.size(); ++i) {
        EXPECT_NEAR(merged.value(i), expected.at(merged.voxels[std::size_t(i)]), 1e-9);
    }
    const auto sides = of("voxelize/size");
    using lartpc::Merge;
    const std::vector<std::pair<std::string, std::vector<Merge>>> cases{
        {"voxelize/out", {Merge::sum, Merge::vote, Merge::vote}},
        {"voxelize/out_sum1_avg1", {Merge::sum, Merge::mean, Merge::vote}}};
    for (const auto& [key, columns] : cases) {
        const auto image =
            lartpc::voxelize(of("voxelize/pts"), {sides[0], sides[1], sides[2]}, columns);
        const auto rows = of(key);
        std::map<lartpc::Voxel, std::array<double, 3>> stored;
        for (std::size_t i = 0; i < rows.size(); i += 6) {
            stored[{int(rows[i]), int(rows[i + 1]), int(rows[i + 2])}] = {rows[i + 3], rows[i + 4],
                                                                          rows[i + 5]};
        }
        ASSERT_EQ(image.voxels.size(), stored.size());
        for (std::int64_t i = 0; i < image.size(); ++i) {
            for (int k = 0; k < 3; ++k) {
                EXPECT_NEAR(image.value(i, k),
                            stored.at(image.voxels[std::size_t(i)])[std::size_t(k)], 1e-9);
            }
        }
    }
}

TEST_F(LartpcAnalysisGolden, tracks_and_their_charge_per_length) {
    // Half a circle of radius 100 with unit charge every 0.005 rad.
    std::vector<lartpc::Point3> arc;
    for (int i = 0; i * 0.005 < 3.14159265358979; ++i) {
        arc.push_back({100 * std::sin(i * 0.005), 100 * std::cos(i * 0.005), 0});
    }
    const auto fit = lartpc::fit_track(arc, std::vector<double>(arc.size(), 1.0), {.step = 1}, 0);
    expect_near("track/arc_range", fit.range, 1e-6);
    expect_near("track/arc_dqdx", fit.dqdx, 1e-6);
    expect_near("track/arc_end", {fit.end[0], fit.end[1], fit.end[2]}, 1e-6);

    const auto sides = of("track/vox_size");
    std::vector<lartpc::Point3> points, whole;
    for (const auto& v : voxels("track/vox_coord")) {
        points.push_back({v[0] * sides[0], v[1] * sides[1], v[2] * sides[2]});
        whole.push_back({double(v[0]), double(v[1]), double(v[2])});
    }
    const double diagonal = std::hypot(sides[0], sides[1], sides[2]);
    const auto track =
        lartpc::fit_track(points, of("track/vox_val"), {.step = 20, .diagonal = diagonal});
    expect_near("track/vox_range", track.range, 1e-6);
    expect_near("track/vox_dqdx", track.dqdx, 1e-6);
    expect_near("track/vox_end",
                {track.end[0] / sides[0], track.end[1] / sides[1], track.end[2] / sides[2]}, 1e-9);

    auto axis = lartpc::principal_axis(whole);
    const auto angles = of("track/pca_theta_phi_ratio");
    if (std::abs(axis.theta() - angles[0]) > 1) {
        for (double& component : axis.direction) component = -component;
    }
    EXPECT_NEAR(axis.theta(), angles[0], 1e-6);
    EXPECT_NEAR(axis.phi(), angles[1], 1e-6);
    EXPECT_NEAR(axis.explained, angles[2], 1e-9);
}

TEST_F(LartpcAnalysisGolden, charges_of_pixels) {
    int cases = 0;
    for (const auto& name : names_) {
        if (!name.ends_with("/solution")) continue;
        const auto prefix = name.substr(0, name.find('/') + 1);
        SCOPED_TRACE(prefix);
        const auto numbers = io::read_npz(files_.front(), prefix + "pixels").integers();
        const auto rows = io::read_npz(files_.front(), prefix + "A_rows").integers();
        const auto columns = io::read_npz(files_.front(), prefix + "A_cols").integers();
        const auto values = of(prefix + "A_vals");
        std::vector<std::array<int, 2>> pixels;
        for (std::size_t i = 0; i < numbers.size(); i += 2) {
            pixels.push_back({int(numbers[i]), int(numbers[i + 1])});
        }
        // Straight wires of the second face are read by channels from 2080 on.
        const int face = *std::max_element(rows.begin(), rows.end()) >= 2080 ? 1 : 0;
        const int factor = prefix.find("44") != std::string::npos ? 4 : 1;
        const auto matrix = lartpc::wire_matrix(lartpc::PixelGrid(lartpc::protodune_sp(), face),
                                                pixels, {1, factor, factor});
        std::map<std::pair<std::int64_t, std::int64_t>, double> expected;
        for (std::size_t i = 0; i < values.size(); ++i) expected[{rows[i], columns[i]}] = values[i];
        ASSERT_EQ(matrix.value.size(), expected.size());
        for (int c = 0; c < matrix.columns(); ++c) {
            for (auto i = matrix.starts[std::size_t(c)]; i < matrix.starts[std::size_t(c) + 1];
                 ++i) {
                const auto k = std::size_t(i);
                EXPECT_NEAR(matrix.value[k], expected.at({matrix.row[k], c}), 1e-6);
            }
        }
        const auto samples = of(prefix + "chan");
        if (prefix.find("OLS") != std::string::npos) {
            expect_near(name, lartpc::solve_least_squares(matrix, samples), 1e-6);
        } else {
            expect_near(name, lartpc::solve_lasso(matrix, samples), 1e-3);
        }
        // The same as the only slice of an event.
        const bool is_ols = prefix.find("OLS") != std::string::npos;
        std::vector<lartpc::Voxel> slice;
        for (const auto& pixel : pixels) slice.push_back({0, pixel[1], pixel[0]});
        const auto charges = lartpc::solve_charges(
            lartpc::PixelGrid(lartpc::protodune_sp(), face),
            lartpc::sparse_signals(samples, 1, static_cast<int>(samples.size())), slice,
            {.method = is_ols ? lartpc::ChargeMethod::ols : lartpc::ChargeMethod::lasso,
             .factors = {1, factor, factor}},
            name);
        expect_near(name, charges, is_ols ? 1e-6 : 1e-3);
        ++cases;
    }
    std::cout << cases << " cases\n";
    EXPECT_GT(cases, 0);
}
