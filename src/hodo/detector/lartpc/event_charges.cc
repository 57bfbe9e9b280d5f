#include "hodo/detector/lartpc/event_charges.hh"

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hodo::lartpc {

namespace {

/// Whole voxels, the last one perhaps in part on the face.
int voxels_in(int length, int factor) {
    return (length + factor - 1) / factor;
}

void check_voxels(const PixelGrid& grid, const WireSignals& signals, std::span<const Voxel> voxels,
                  Downsampling factors, std::string_view origin) {
    HODO_CHECK(signals.channels == grid.channels(),
               "{}: the wires have {} channels where an anode has {}; they are of another detector",
               origin, signals.channels, grid.channels());
    HODO_CHECK(signals.ticks() % factors.x == 0,
               "{}: {} ticks cannot be cut into slices of {}; give the factors of 'prepare' with "
               "--downsample",
               origin, signals.ticks(), factors.x);
    const Voxel end{signals.ticks() / factors.x, voxels_in(grid.pixels_y(), factors.y),
                    voxels_in(grid.pixels_z(), factors.z)};
    for (const auto& voxel : voxels) {
        for (std::size_t d = 0; d < 3; ++d) {
            HODO_CHECK(voxel[d] >= 0 && voxel[d] < end[d],
                       "{}: voxel ({}, {}, {}) lies outside the {} x {} x {} voxels of the wires; "
                       "give the factors of 'prepare' with --downsample",
                       origin, voxel[0], voxel[1], voxel[2], end[0], end[1], end[2]);
        }
    }
}

/// The sum of every channel over the ticks of slice x.
std::vector<double> slice_samples(const WireSignals& signals, int x, int factor,
                                  std::string_view origin) {
    std::vector<double> samples(static_cast<std::size_t>(signals.channels));
    const auto begin = signals.starts[static_cast<std::size_t>(x) * std::size_t(factor)];
    const auto end = signals.starts[(static_cast<std::size_t>(x) + 1) * std::size_t(factor)];
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        HODO_CHECK(std::isfinite(signals.value[i]),
                   "{}: a sample of channel {} is not a finite number; mend the parsed file",
                   origin, signals.channel[i]);
        samples[static_cast<std::size_t>(signals.channel[i])] += signals.value[i];
    }
    return samples;
}

/// A voxel exists because wires fired: one that crosses none of them belongs to other signals.
void check_signals(const WireMatrix& matrix, std::span<const double> samples,
                   std::span<const std::array<int, 2>> pixels, int x, std::string_view origin) {
    for (std::size_t c = 0; c < pixels.size(); ++c) {
        const auto rows = std::span(matrix.row)
                              .subspan(static_cast<std::size_t>(matrix.starts[c]),
                                       static_cast<std::size_t>(matrix.starts[c + 1]) -
                                           static_cast<std::size_t>(matrix.starts[c]));
        const bool is_crossed = std::any_of(rows.begin(), rows.end(), [&](std::int32_t row) {
            return samples[static_cast<std::size_t>(row)] != 0;
        });
        HODO_CHECK(is_crossed,
                   "{}: no wire with a signal crosses voxel ({}, {}, {}), so it was prepared from "
                   "other wires or with other factors; check --parsed and --downsample",
                   origin, x, pixels[c][1], pixels[c][0]);
    }
}

}  // namespace

std::vector<double> solve_charges(const PixelGrid& grid, const WireSignals& signals,
                                  std::span<const Voxel> voxels, const ChargeOptions& options,
                                  std::string_view origin) {
    const auto& factors = options.factors;
    check_voxels(grid, signals, voxels, factors, origin);
    std::vector<std::size_t> order(voxels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return voxels[a][0] < voxels[b][0]; });
    std::vector<std::size_t> starts;  // of the slices, in `order`
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (i == 0 || voxels[order[i]][0] != voxels[order[i - 1]][0]) starts.push_back(i);
    }
    starts.push_back(order.size());

    std::vector<double> charges(voxels.size());
    const auto solve_slice = [&](std::size_t slice) {
        const auto rows =
            std::span(order).subspan(starts[slice], starts[slice + 1] - starts[slice]);
        std::vector<std::array<int, 2>> pixels;
        for (const auto row : rows) pixels.push_back({voxels[row][2], voxels[row][1]});
        const int x = voxels[rows.front()][0];
        const auto samples = slice_samples(signals, x, factors.x, origin);
        const auto matrix = wire_matrix(grid, pixels, factors);
        check_signals(matrix, samples, pixels, x, origin);
        const auto solved = options.method == ChargeMethod::lasso
                                ? solve_lasso(matrix, samples, options.lasso)
                                : solve_least_squares(matrix, samples);
        for (std::size_t i = 0; i < rows.size(); ++i) charges[rows[i]] = solved[i];
    };
    base::parallel_for(std::ssize(starts) - 1, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto s = begin; s < end; ++s) solve_slice(static_cast<std::size_t>(s));
    });
    return charges;
}

}  // namespace hodo::lartpc
