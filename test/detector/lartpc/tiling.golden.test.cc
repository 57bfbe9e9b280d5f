// Tiled pixels and merged voxels of the published code.

#include "hodo/detector/lartpc/tiling.hh"
#include "hodo/base/text.hh"
#include "hodo/io/npz.hh"
#include "support/reference.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>

namespace base = hodo::base;
namespace io = hodo::io;
namespace lartpc = hodo::lartpc;
namespace test = hodo::test;

namespace {

constexpr double relative = 1e-3, absolute = 1e-4;

using Charges = std::map<lartpc::Voxel, std::array<double, 3>>;

/// Rows tick, z, y, event, charges of the stored array that belong to one event.
Charges stored(const base::Path& file, const std::string& name, int event) {
    const auto array = io::read_npz(file, name);
    const auto values = array.doubles();
    Charges charges;
    for (std::size_t i = 0; i < values.size(); i += 7) {
        if (static_cast<int>(values[i + 3]) != event) continue;
        charges[{static_cast<int>(values[i]), static_cast<int>(values[i + 2]),
                 static_cast<int>(values[i + 1])}] = {values[i + 4], values[i + 5], values[i + 6]};
    }
    return charges;
}

/// One event of the sparse channel matrix.
lartpc::WireSignals signals_of(const base::Path& file, int event) {
    const auto shape = io::read_npz(file, "chan_shape").integers();
    const auto index = io::read_npz(file, "chan_index").integers();
    const auto value = io::read_npz(file, "chan_value").doubles();
    std::vector<double> matrix(static_cast<std::size_t>(shape[1] * shape[2]));
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (index[3 * i] != event) continue;
        matrix[static_cast<std::size_t>(index[3 * i + 1] * shape[2] + index[3 * i + 2])] = value[i];
    }
    return lartpc::sparse_signals(matrix, static_cast<int>(shape[1]), static_cast<int>(shape[2]));
}

void expect_same(const Charges& expected, const lartpc::TiledEvent& event) {
    std::size_t matched = 0;
    int different = 0;
    double worst = 0;
    for (std::size_t i = 0; i < event.voxels.size(); ++i) {
        const auto same = expected.find(event.voxels[i]);
        if (same == expected.end()) continue;
        ++matched;
        for (std::size_t k = 0; k < 3; ++k) {
            const double error = std::abs(event.charge[i][k] - same->second[k]);
            worst = std::max(worst, error);
            if (error > relative * std::abs(same->second[k]) + absolute) ++different;
        }
    }
    EXPECT_EQ(matched, expected.size());
    EXPECT_EQ(matched, event.voxels.size());
    EXPECT_EQ(different, 0) << "largest difference " << worst;
    EXPECT_TRUE(std::is_sorted(event.voxels.begin(), event.voxels.end()));
}

/// Pixels in z and y of the tiled box: that of the face's small overlap table; without one, as far
/// as the stored pixels reach, since nothing is active beyond.
std::vector<std::int64_t> box_of(const base::Path& file, int face) {
    const auto tables =
        test::reference_files("lartpc", base::format("geom_mini_face{}.npz", face + 1));
    if (!tables.empty()) return io::read_npz(tables.front(), "shape").integers();
    std::vector<std::int64_t> box{1, 1};
    const auto pixels = io::read_npz(file, "pix").doubles();
    for (std::size_t i = 0; i < pixels.size(); i += 7) {
        box[0] = std::max(box[0], static_cast<std::int64_t>(pixels[i + 1]) + 1);
        box[1] = std::max(box[1], static_cast<std::int64_t>(pixels[i + 2]) + 1);
    }
    return box;
}

struct Variant {
    std::string name;
    lartpc::Border border;
    lartpc::Downsampling factors;
};

}  // namespace

TEST(TilingGolden, pixels_and_merged_voxels_agree_with_the_published_code) {
    const auto files = test::reference_files("lartpc", "tiling_face[12].npz");
    HODO_REQUIRE_REFERENCE(files, "lartpc/tiling_face*.npz");
    const std::vector<Variant> variants{
        {"pix", lartpc::Border::active, {1, 1, 1}},
        {"pix_active_none_false", lartpc::Border::inactive, {1, 1, 1}},
        {"down844", lartpc::Border::active, {8, 4, 4}},
        {"down422", lartpc::Border::active, {4, 2, 2}}};
    for (const auto& file : files) {
        const int face = file.stem().string().back() - '1';
        const auto events = io::read_npz(file, "chan_shape").integers()[0];
        const auto box = box_of(file, face);
        const lartpc::PixelGrid grid(lartpc::protodune_sp(), face, static_cast<int>(box[0]),
                                     static_cast<int>(box[1]));
        for (const auto& variant : variants) {
            const lartpc::Tiler tiler(grid, {.threshold = 0.001, .border = variant.border});
            for (int event = 0; event < events; ++event) {
                SCOPED_TRACE(file.filename().string() + ": " + variant.name + " of event " +
                             std::to_string(event));
                const auto found = tiler.tile(signals_of(file, event), variant.factors);
                expect_same(stored(file, variant.name, event), found);
            }
        }
        std::cout << file.filename().string() << ": " << events << " events in a box of " << box[0]
                  << " x " << box[1] << "\n";
    }
}
