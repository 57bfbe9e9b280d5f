#pragma once
/// Tiling: which pixels of the anode plane are compatible with the wires that fired.
///
/// At every tick a channel fires when its sample exceeds the threshold. A pixel is active when on
/// each of the three planes it overlaps a band of a firing channel, or (`border` active) a band
/// without channel. Every channel, firing or not, spreads its sample over the active pixels in
/// proportion to its overlaps with them; feature k of a pixel is what it gets from plane k. So
/// each plane's charge is conserved wherever a channel overlaps an active pixel. A wrapped
/// channel lights all of its wires.
///
/// Ticks and pixels are then merged into coarse voxels and the features summed.
///
/// Method: consecutive firing bands are one strip; the triples of strips that meet are found from
/// the corners of their intersections, and only the rows of pixels inside are visited. Slices of
/// ticks are independent, so the result does not depend on threads.

#include "hodo/detector/lartpc/overlap.hh"
#include "hodo/detector/lartpc/voxel_cloud.hh"
#include "hodo/detector/lartpc/wire_signals.hh"

#include <array>
#include <cstdint>
#include <vector>

namespace hodo::lartpc {

/// How many ticks and pixels become one voxel: drift, y, z.
struct Downsampling {
    int x = 8, y = 4, z = 4;
};

/// Whether pixels that no wire of a plane covers count as covered.
enum class Border { active, inactive };

struct TilingOptions {
    double threshold = 0.001;  ///< A sample above it fires.
    Border border = Border::active;
};

/// Active voxels of one event, ordered by (x, y, z), with the charge from each plane.
struct TiledEvent {
    std::vector<Voxel> voxels;
    std::vector<std::array<double, planes_per_face>> charge;

    std::int64_t size() const { return static_cast<std::int64_t>(voxels.size()); }
};

/// Tiles events of one face.
class Tiler {
  public:
    explicit Tiler(PixelGrid grid, TilingOptions options = {});

    /// The number of ticks must be divisible by `factors.x`, or the error says so.
    TiledEvent tile(const WireSignals& signals, Downsampling factors = {}) const;

    const PixelGrid& grid() const { return grid_; }
    const TilingOptions& options() const { return options_; }

  private:
    PixelGrid grid_;
    TilingOptions options_;
};

/// The same voxels merged further.
TiledEvent downsample(const TiledEvent& event, Downsampling factors);

}  // namespace hodo::lartpc
