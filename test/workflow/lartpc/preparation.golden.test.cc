// Parsed files to xy files, file by file, as the published pipeline made them.

#include "hodo/workflow/lartpc/preparation.hh"
#include "hodo/base/text.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "workflow/lartpc/published_pipeline.hh"

#include <gtest/gtest.h>

#include <algorithm>
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

enum class Compare { voxels, voxels_and_truth };

void expect_same_file(const base::Path& expected, const base::Path& found,
                      Compare compare = Compare::voxels_and_truth) {
    SCOPED_TRACE(expected.filename().string());
    ASSERT_TRUE(std::filesystem::exists(found)) << "was not written";
    auto golden = lartpc::read_xy(expected), ours = lartpc::read_xy(found);
    EXPECT_EQ(golden.cloud.starts, ours.cloud.starts);
    if (compare == Compare::voxels_and_truth) {
        EXPECT_EQ(golden.has_truth, ours.has_truth);
    } else {
        golden.has_truth = ours.has_truth = false;
        golden.truth = ours.truth = {};
    }
    expect_same(rows_of(golden), rows_of(ours), "voxels");
    expect_same(truth_of(golden), truth_of(ours), "all true voxels");
}

bool has_parsed_truth(const base::Path& xy) {
    const auto products = lartpc::PrepareOptions{}.truth;
    return std::any_of(products.begin(), products.end(), [&](const auto& product) {
        return !test::published_files("parsed", test::parsed_name(xy, product)).empty();
    });
}

/// A joined file and those that it was made of; the latter are empty where one is absent.
struct JoinedCase {
    base::Path file;
    std::vector<base::Path> parts;
    std::vector<std::int64_t> tpcs;
};

std::vector<JoinedCase> joined_cases() {
    std::vector<JoinedCase> cases;
    for (const auto& file : test::published_files("xy", "*_xy-TPC*.npz")) {
        const auto name = lartpc::parse_file_name(file.filename().string()).value();
        if (!test::is_joined(name.tpc.value())) continue;
        JoinedCase joined{file, {}, {}};
        for (const char digit : std::to_string(*name.tpc)) {
            const auto part = test::published_files("xy", name.with_tpcs(std::string(1, digit)));
            joined.parts.insert(joined.parts.end(), part.begin(), part.end());
            joined.tpcs.push_back(digit - '0');
        }
        if (joined.parts.size() != joined.tpcs.size()) joined.parts.clear();
        cases.push_back(std::move(joined));
    }
    return cases;
}

}  // namespace

TEST(PreparationGolden, every_xy_file_of_the_published_run_is_made_again) {
    const auto golden = test::published_xy();
    HODO_REQUIRE_REFERENCE(golden, "lartpc/pipeline/xy");
    const test::TemporaryFolder folder;
    std::vector<base::Path> made;
    lartpc::PrepareOptions options;
    options.output = folder.path().string();
    options.box = test::published_box();
    for (const auto& file : golden) {
        std::cout << "case " << file.filename();
        const auto wires = test::published_files("parsed", test::parsed_name(file, "wire"));
        if (wires.empty()) {
            std::cout << ": without its wires\n";
            continue;
        }
        options.batch_size = lartpc::read_xy(file).cloud.events();
        const auto count = lartpc::prepare_files(wires, options, lartpc::Present::keep, [] {});
        EXPECT_EQ(count.written + count.present, 1);
        const bool has_truth = has_parsed_truth(file);
        std::cout << (has_truth ? "\n" : ": without its truth\n");
        expect_same_file(file, folder / file.filename().string(),
                         has_truth ? Compare::voxels_and_truth : Compare::voxels);
        made.push_back(wires.front());
    }
    HODO_REQUIRE_REFERENCE(made, "lartpc/pipeline/parsed/*_wire-*.npz of lartpc/pipeline/xy");
    const auto again = lartpc::prepare_files(made, options, lartpc::Present::keep, [] {});
    EXPECT_EQ(again.present, std::ssize(made));
    EXPECT_EQ(again.written, 0);
}

TEST(PreparationGolden, joined_tpcs_lie_where_the_published_code_puts_them) {
    auto cases = joined_cases();
    for (const auto& joined : cases) {
        std::cout << "case " << joined.file.filename()
                  << (joined.parts.empty() ? ": a TPC of it is absent\n" : "\n");
    }
    std::erase_if(cases, [](const auto& joined) { return joined.parts.empty(); });
    HODO_REQUIRE_REFERENCE(cases, "lartpc/pipeline/xy/*TPC15.npz with its parts");
    const test::TemporaryFolder folder;
    for (const auto& joined : cases) {
        lartpc::JoinOptions options;
        options.input = joined.parts.front().parent_path().string();
        options.output = folder.path().string();
        options.tpcs = joined.tpcs;
        lartpc::join_files(options, lartpc::Present::keep);
        expect_same_file(joined.file, folder / joined.file.filename().string());
    }
}

TEST(PreparationGolden, pixels_saved_and_merged_anew_give_the_same_voxels) {
    const auto parsed = test::published_files("parsed", "*_wire-TPC*.npz");
    HODO_REQUIRE_REFERENCE(parsed, "lartpc/pipeline/parsed");
    std::cout << "case " << parsed.front().filename() << "\n";
    const test::TemporaryFolder direct, pixels, merged;
    lartpc::PrepareOptions options;
    options.box = test::published_box();
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
