// PILArNet-M files and plain archives, as their readers in use see them.

#include "hodo/detector/lartpc/pilarnet.hh"
#include "hodo/base/text.hh"
#include "hodo/io/npz.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <optional>

namespace base = hodo::base;
namespace io = hodo::io;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

namespace {

/// Threshold of the stored expectation, from the name of its logarithms: "e0_logE_0.13_20".
struct Scale {
    double floor = 0, largest = 0;
};

Scale scale_of(const std::vector<std::string>& names) {
    for (const auto& name : names) {
        const auto at = name.find("_logE_");
        if (at == std::string::npos) continue;
        const auto parts = base::split(std::string_view(name).substr(at + 6), '_');
        return {base::parse_double(parts[0]).value(), base::parse_double(parts[1]).value()};
    }
    return {};
}

void expect_event(const base::Path& expected, const std::string& event,
                  const lartpc::VoxelCloud& cloud, const Scale& scale) {
    SCOPED_TRACE(event);
    const auto names = io::npz_names(expected);
    const auto has = [&](const std::string& key) {
        return std::find(names.begin(), names.end(), event + key) != names.end();
    };
    const auto points = io::read_npz(expected, event + "_xyz_e").floats();
    ASSERT_EQ(points.size(), 4 * cloud.voxels.size());
    const auto logarithms =
        io::read_npz(expected, base::format("{}_logE_{}_{}", event, scale.floor, scale.largest))
            .floats();
    const auto labels = [&](const std::string& key, const auto& found) {
        if (!has(key)) return;
        const auto stored = io::read_npz(expected, event + key).integers();
        EXPECT_TRUE(std::equal(stored.begin(), stored.end(), found.begin(), found.end())) << key;
    };
    for (std::size_t i = 0; i < cloud.voxels.size(); ++i) {
        for (std::size_t d = 0; d < 3; ++d) ASSERT_EQ(points[4 * i + d], cloud.voxels[i][d]);
        const float energy = cloud.row(std::int64_t(i))[0];
        ASSERT_EQ(points[4 * i + 3], energy);
        ASSERT_NEAR(logarithms[i], lartpc::log_energy(energy, scale.floor, scale.largest), 2e-6);
    }
    labels("_semantic", cloud.semantic);
    labels("_pid", cloud.particle);
    labels("_instance", lartpc::instances(cloud));
    if (!has("_mom")) return;
    EXPECT_EQ(io::read_npz(expected, event + "_mom").floats(), cloud.truth);
}

/// The file of another ending that belongs to one of events, if it is there.
std::optional<base::Path> beside(const base::Path& path, const std::string& ending) {
    auto other = path;
    other.replace_filename(path.stem().string() + ending);
    if (!std::filesystem::exists(other)) return std::nullopt;
    return other;
}

void expect_events(const base::Path& expected, const lartpc::PilarnetFile& file) {
    const auto scale = scale_of(io::npz_names(expected));
    for (std::int64_t event = 0; event < file.events(); ++event) {
        const auto cloud = file.read(event, 1, {.min_energy = scale.floor});
        ASSERT_EQ(cloud.events(), 1);
        expect_event(expected, base::format("e{}", event), cloud, scale);
    }
}

void expect_counts(const std::vector<std::int64_t>& points, const lartpc::PilarnetFile& file) {
    constexpr std::int64_t least = 100;
    const auto all = file.read(0, file.events(), {});
    ASSERT_EQ(std::ssize(points), all.events());
    for (std::size_t event = 0; event < points.size(); ++event) {
        EXPECT_EQ(all.end(std::int64_t(event)) - all.begin(std::int64_t(event)), points[event]);
    }
    const auto large = file.read(0, file.events(), {.min_points = least});
    EXPECT_EQ(large.events(),
              std::count_if(points.begin(), points.end(), [](auto n) { return n >= least; }));
    const auto bare = file.read(0, file.events(), {.low_energy = lartpc::LowEnergy::drop});
    EXPECT_EQ(all.size() - bare.size(), std::count(all.group.begin(), all.group.end(), -1));
    EXPECT_EQ(std::count(bare.group.begin(), bare.group.end(), -1), 0);
}

/// Events of users in folders: split / class / file.
std::vector<base::Path> voxel_archives() {
    const base::Path top = "contrastive/npz_dataset";
    std::vector<base::Path> all;
    for (const auto& split : test::reference_files(top.string(), "*")) {
        for (const auto& kind : test::reference_files((top / split.filename()).string(), "*")) {
            const auto folder = top / split.filename() / kind.filename();
            const auto files = test::reference_files(folder.string(), "*.npz");
            all.insert(all.end(), files.begin(), files.end());
        }
    }
    return all;
}

}  // namespace

TEST(PilarnetGolden, both_versions_are_read_as_expected) {
    const auto files = test::reference_files("contrastive", "pilarnet_m_*_v?.h5");
    int compared = 0;
    for (const auto& path : files) {
        SCOPED_TRACE(path.string());
        EXPECT_TRUE(lartpc::is_pilarnet(path));
        const lartpc::PilarnetFile file(path);
        EXPECT_EQ(file.version(), path.stem().string().back() - '0');
        const auto expected = beside(path, "_expected.npz"), counts = beside(path, "_points.npy");
        std::cout << "case " << path.filename() << ": " << file.events() << " events, "
                  << (expected ? "" : "without what readers give, ")
                  << (counts ? "" : "without numbers of points, ") << "\n";
        if (expected) expect_events(*expected, file);
        if (counts) expect_counts(io::read_npy(*counts).integers(), file);
        compared += expected || counts ? 1 : 0;
    }
    if (compared == 0) GTEST_SKIP() << "no contrastive/pilarnet_m_*.h5 with what stands beside it";
}

TEST(PilarnetGolden, plain_archives_give_energies_and_labels) {
    const auto files = test::reference_files("contrastive/npz_pilarnet", "*.npz");
    const auto expected =
        test::reference_files("contrastive", "npz_pilarnet_expected_features.npz");
    HODO_REQUIRE_REFERENCE(files, "contrastive/npz_pilarnet");
    for (const auto& file : files) {
        const auto archive = lartpc::read_voxel_npz(file);
        const auto name = file.filename().string();
        EXPECT_EQ(archive.label, name.substr(0, name.find('_')));
        double sum = 0, stored = 0;
        for (const float energy : archive.cloud.features) sum += energy;
        const auto points = io::read_npz(file, "points").doubles();
        for (std::size_t i = 3; i < points.size(); i += 4) stored += points[i];
        EXPECT_NEAR(sum, stored, 1e-5 * stored);
        if (expected.empty()) continue;
        const auto key = archive.label + "_feat";
        if (!std::ranges::count(io::npz_names(expected.front()), key)) continue;
        // The stored features are the roots of the energies, at most 1, in the order of the points.
        const auto roots = io::read_npz(expected.front(), key).floats();
        ASSERT_EQ(4 * roots.size(), points.size());
        std::map<lartpc::Voxel, float> by_voxel;
        for (std::size_t i = 0; i < roots.size(); ++i) {
            by_voxel[{int(points[4 * i]), int(points[4 * i + 1]), int(points[4 * i + 2])}] =
                roots[i];
        }
        if (by_voxel.size() != roots.size()) continue;  // points share a voxel
        for (std::int64_t i = 0; i < archive.cloud.size(); ++i) {
            const float root = std::min(1.0F, std::sqrt(archive.cloud.row(i)[0]));
            EXPECT_NEAR(root, by_voxel.at(archive.cloud.voxels[std::size_t(i)]), 1e-6);
        }
    }
    std::cout << files.size() << " archives\n";
}

TEST(PilarnetGolden, charges_at_real_coordinates_become_voxels) {
    const auto files = voxel_archives();
    HODO_REQUIRE_REFERENCE(files, "contrastive/npz_dataset");
    for (const auto& file : files) {
        const auto archive = lartpc::read_voxel_npz(file, 0.38);
        const auto charge = io::read_npz(file, "charge").doubles();
        double sum = 0, stored = 0;
        for (const float value : archive.cloud.features) sum += value;
        for (const double value : charge) stored += value;
        EXPECT_NEAR(sum, stored, 1e-4 * stored);
        EXPECT_LE(archive.cloud.voxels.size(), charge.size());
        EXPECT_TRUE(std::is_sorted(archive.cloud.voxels.begin(), archive.cloud.voxels.end()));
    }
    std::cout << files.size() << " archives\n";
}
