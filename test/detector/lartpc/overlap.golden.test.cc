// The overlap tables of the published geometry files, pixel by pixel.

#include "hodo/detector/lartpc/overlap.hh"
#include "hodo/base/text.hh"
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

/// Entries below this may be absent or present: they rest on rounding.
constexpr double negligible = 0.002;
constexpr double area_tolerance = 0.0011;
constexpr double sum_tolerance = 0.05;

using Entry = std::array<int, 4>;  // z, y, channel, plane
using Entries = std::map<Entry, double>;

/// The face that a file's name tells: "geom_mini_face2.npz" is face 2, index 1.
int face_of(const base::Path& file) {
    return file.stem().string().back() - '1';
}

void add_pixel(Entries& entries, const lartpc::PixelGrid& grid, int z, int y) {
    for (int k = 0; k < lartpc::planes_per_face; ++k) {
        const auto share = grid.plane(k).share(z, y);
        const double lower = share.lower / double{lartpc::whole_share};
        if (share.lower > 0) entries[{z, y, grid.plane(k).channel(share.band), k}] += lower;
        if (share.lower < lartpc::whole_share) {
            entries[{z, y, grid.plane(k).channel(share.band + 1), k}] += 1 - lower;
        }
    }
}

Entries stored_entries(const base::Path& file, const std::string& prefix) {
    const auto z = io::read_npz(file, prefix + "x").integers();
    const auto y = io::read_npz(file, prefix + "y").integers();
    const auto channel = io::read_npz(file, prefix + "chan").integers();
    const auto plane = io::read_npz(file, prefix + "color").integers();
    const auto area = io::read_npz(file, prefix + "area").doubles();
    Entries entries;
    for (std::size_t i = 0; i < area.size(); ++i) {
        entries[{static_cast<int>(z[i]), static_cast<int>(y[i]), static_cast<int>(channel[i]),
                 static_cast<int>(plane[i])}] = area[i];
    }
    return entries;
}

void expect_same(const Entries& expected, const Entries& found) {
    int missing = 0, extra = 0, different = 0;
    for (const auto& [entry, area] : expected) {
        const auto same = found.find(entry);
        if (same == found.end()) {
            missing += area > negligible ? 1 : 0;
        } else {
            different += std::abs(same->second - area) > area_tolerance ? 1 : 0;
        }
    }
    for (const auto& [entry, area] : found) {
        extra += area > negligible && !expected.contains(entry) ? 1 : 0;
    }
    EXPECT_EQ(missing, 0);
    EXPECT_EQ(extra, 0);
    EXPECT_EQ(different, 0);
}

/// Sums over channels (the last row: pixels without channel) of a whole table.
void expect_same_sums(const base::Path& file, const lartpc::PixelGrid& grid) {
    const auto area = io::read_npz(file, "area_sum");
    const auto sums = area.doubles();
    const auto counts = io::read_npz(file, "pixel_count").integers();
    const auto planes = static_cast<std::size_t>(area.shape.at(1));
    std::vector<double> sum(sums.size());
    std::vector<std::int64_t> count(sums.size());
    const auto table = lartpc::overlap_table(grid);
    std::int64_t entries = 0;
    for (std::size_t k = 0; k < table.shares.size(); ++k) {
        const auto& plane = grid.plane(static_cast<int>(k));
        for (const auto share : table.shares[k]) {
            for (const int upper : {0, 1}) {
                const int part = upper ? lartpc::whole_share - share.lower : share.lower;
                if (part == 0) continue;
                const int channel = plane.channel(share.band + upper);
                const auto row = channel < 0 ? sums.size() / planes - 1 : std::size_t(channel);
                sum[row * planes + k] += part / double{lartpc::whole_share};
                ++count[row * planes + k];
                ++entries;
            }
        }
    }
    double worst = 0;
    std::int64_t pixels = 0;
    for (std::size_t i = 0; i < sum.size(); ++i) {
        worst = std::max(worst, std::abs(sum[i] - sums[i]));
        pixels = std::max(pixels, std::abs(count[i] - counts[i]));
    }
    EXPECT_LT(worst, sum_tolerance);
    std::cout << file.filename().string() << ": area sums differ by at most " << worst
              << ", pixel counts by " << pixels << ", entries by "
              << entries - io::read_npz(file, "n_entries").integers().front() << "\n";
    EXPECT_LE(pixels, 2);
}

}  // namespace

TEST(OverlapGolden, complete_tables_of_small_boxes_agree_entry_by_entry) {
    const auto files = test::reference_files("lartpc", "geom_mini_face[12].npz");
    HODO_REQUIRE_REFERENCE(files, "lartpc/geom_mini_face*.npz");
    for (const auto& file : files) {
        SCOPED_TRACE(file.string());
        const auto shape = io::read_npz(file, "shape").integers();
        const lartpc::PixelGrid grid(lartpc::protodune_sp(), face_of(file),
                                     static_cast<int>(shape[0]), static_cast<int>(shape[1]));
        Entries found;
        for (int z = 0; z < grid.pixels_z(); ++z) {
            for (int y = 0; y < grid.pixels_y(); ++y) add_pixel(found, grid, z, y);
        }
        expect_same(stored_entries(file, ""), found);
        expect_same_sums(file, grid);
    }
}

TEST(OverlapGolden, the_whole_face_agrees_in_sums_and_windows) {
    const auto files = test::reference_files("lartpc", "geom_full_face[12].npz");
    HODO_REQUIRE_REFERENCE(files, "lartpc/geom_full_face*.npz");
    for (const auto& file : files) {
        SCOPED_TRACE(file.string());
        const lartpc::PixelGrid grid(lartpc::protodune_sp(), face_of(file));
        const auto shape = io::read_npz(file, "shape").integers();
        ASSERT_EQ(grid.pixels_z(), shape[0]);
        ASSERT_EQ(grid.pixels_y(), shape[1]);
        expect_same_sums(file, grid);
        int windows = 0;
        for (const auto& name : io::npz_names(file)) {
            if (!name.ends_with("/origin")) continue;
            const auto expected = stored_entries(file, name.substr(0, name.find('/') + 1));
            Entries found;
            for (const auto& [entry, area] : expected) {
                if (!found.contains({entry[0], entry[1], entry[2], entry[3]})) {
                    Entries pixel;
                    add_pixel(pixel, grid, entry[0], entry[1]);
                    found.merge(pixel);
                }
            }
            expect_same(expected, found);
            ++windows;
        }
        std::cout << file.filename().string() << ": " << windows << " windows\n";
        EXPECT_GT(windows, 0);
    }
}
