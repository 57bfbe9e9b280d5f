// Parsed files to xy files, file by file, as the published pipeline made them.

#include "hodo/workflow/lartpc/preparation.hh"
#include "hodo/base/text.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/io/npz.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <map>
#include <set>

namespace base = hodo::base;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

namespace {

constexpr double relative = 1e-5, absolute = 1e-5;

using Rows = std::map<std::array<int, 4>, std::vector<float>>;

/// Features and truth by event and voxel.
Rows rows_of(const lartpc::TiledBatch& batch) {
    Rows rows;
    for (std::int64_t event = 0; event < batch.cloud.events(); ++event) {
        for (auto i = batch.cloud.begin(event); i < batch.cloud.end(event); ++i) {
            const auto& v = batch.cloud.voxels[std::size_t(i)];
            const auto row = batch.cloud.row(i);
            auto& found = rows[{int(event), v[0], v[1], v[2]}];
            found.assign(row.begin(), row.end());
            if (batch.has_truth) found.push_back(batch.cloud.truth[std::size_t(i)]);
        }
    }
    return rows;
}

using Truth = std::map<std::array<int, 4>, std::vector<double>>;

Truth truth_of(const lartpc::TiledBatch& batch) {
    Truth rows;
    for (std::size_t event = 0; event < batch.truth.size(); ++event) {
        const auto& image = batch.truth[event];
        for (std::int64_t i = 0; i < image.size(); ++i) {
            const auto& v = image.voxels[std::size_t(i)];
            for (int k = 0; k < image.width; ++k) {
                rows[{int(event), v[0], v[1], v[2]}].push_back(image.value(i, k));
            }
        }
    }
    return rows;
}

template <class Map>
void expect_same(const Map& expected, const Map& found, const char* what) {
    ASSERT_EQ(expected.size(), found.size()) << what;
    auto other = found.begin();
    for (const auto& [place, values] : expected) {
        ASSERT_EQ(place, other->first) << what;
        ASSERT_EQ(values.size(), other->second.size()) << what;
        for (std::size_t k = 0; k < values.size(); ++k) {
            const double scale = std::abs(static_cast<double>(values[k]));
            ASSERT_NEAR(values[k], other->second[k], relative * scale + absolute) << what;
        }
        ++other;
    }
}

void expect_same_file(const base::Path& expected, const base::Path& found) {
    SCOPED_TRACE(expected.filename().string());
    ASSERT_TRUE(std::filesystem::exists(found)) << "was not written";
    const auto golden = lartpc::read_xy(expected), ours = lartpc::read_xy(found);
    EXPECT_EQ(golden.cloud.starts, ours.cloud.starts);
    EXPECT_EQ(golden.has_truth, ours.has_truth);
    expect_same(rows_of(golden), rows_of(ours), "voxels");
    expect_same(truth_of(golden), truth_of(ours), "all true voxels");
}

/// The box of the small run is that of the small overlap tables.
std::vector<std::int64_t> golden_box() {
    const auto tables = test::reference_files("lartpc", "geom_mini_face*.npz");
    if (tables.empty()) return {0, 0};
    return hodo::io::read_npz(tables.front(), "shape").integers();
}

/// Events per batch in the stored files.
std::int64_t golden_batch(const std::vector<base::Path>& files) {
    return lartpc::read_xy(files.front()).cloud.events();
}

}  // namespace

TEST(PreparationGolden, every_xy_file_of_the_published_run_is_made_again) {
    const auto golden = test::reference_files("lartpc/pipeline/xy", "*_xy-TPC?.npz");
    const auto parsed = test::reference_files("lartpc/pipeline/parsed", "*_wire-TPC?.npz");
    HODO_REQUIRE_REFERENCE(golden, "lartpc/pipeline/xy");
    HODO_REQUIRE_REFERENCE(parsed, "lartpc/pipeline/parsed");
    const test::TemporaryFolder folder;
    lartpc::PrepareOptions options;
    options.output = folder.path().string();
    options.box = golden_box();
    options.batch_size = golden_batch(golden);
    const auto count = lartpc::prepare_files(parsed, options, lartpc::Present::keep, [] {});
    EXPECT_EQ(count.written, std::ssize(parsed));
    for (const auto& file : golden) expect_same_file(file, folder / file.filename().string());
    std::cout << parsed.size() << " parsed files, " << golden.size() << " xy files\n";

    const auto again = lartpc::prepare_files(parsed, options, lartpc::Present::keep, [] {});
    EXPECT_EQ(again.present, std::ssize(parsed));
    EXPECT_EQ(again.written, 0);
}

TEST(PreparationGolden, joined_tpcs_lie_where_the_published_code_puts_them) {
    const auto golden = test::reference_files("lartpc/pipeline/xy", "*_xy-TPC??.npz");
    const auto parts = test::reference_files("lartpc/pipeline/xy", "*_xy-TPC?.npz");
    HODO_REQUIRE_REFERENCE(golden, "lartpc/pipeline/xy/*TPC15.npz");
    const test::TemporaryFolder folder;
    std::map<std::string, int> digits;
    for (const auto& file : golden) {
        const auto name = lartpc::parse_file_name(file.filename().string());
        ASSERT_TRUE(name && name->tpc);
        ++digits[std::to_string(*name->tpc)];
    }
    for (const auto& [joined, files] : digits) {
        lartpc::JoinOptions options;
        options.input = parts.front().parent_path().string();
        options.output = folder.path().string();
        options.tpcs.clear();
        for (const char digit : joined) options.tpcs.push_back(digit - '0');
        EXPECT_GE(lartpc::join_files(options, lartpc::Present::keep).written, files);
        std::cout << files << " files of TPCs " << joined << "\n";
    }
    for (const auto& file : golden) expect_same_file(file, folder / file.filename().string());
}

TEST(PreparationGolden, pixels_saved_and_merged_anew_give_the_same_voxels) {
    const auto parsed = test::reference_files("lartpc/pipeline/parsed", "*_wire-TPC?.npz");
    HODO_REQUIRE_REFERENCE(parsed, "lartpc/pipeline/parsed");
    const test::TemporaryFolder direct, pixels, merged;
    lartpc::PrepareOptions options;
    options.box = golden_box();
    options.truth.clear();
    options.output = direct.path().string();
    lartpc::prepare_files({parsed.front()}, options, lartpc::Present::keep, [] {});
    options.output = pixels.path().string();
    options.save_pix = true;
    lartpc::prepare_files({parsed.front()}, options, lartpc::Present::keep, [] {});
    options.output = merged.path().string();
    options.source = lartpc::Source::pixel;
    const auto saved = lartpc::files_of_product({pixels.path().string()}, "pixel");
    ASSERT_EQ(saved.size(), 1u);
    lartpc::prepare_files(saved, options, lartpc::Present::keep, [] {});
    for (const auto& file : lartpc::files_of_product({direct.path().string()}, "xy")) {
        EXPECT_FALSE(lartpc::read_xy(file).has_truth);
        expect_same_file(file, merged / file.filename().string());
    }
}
