#include "hodo/detector/lartpc/overlap.hh"

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/base/units.hh"

#include <algorithm>
#include <cmath>

namespace hodo::lartpc {

namespace {

/// The published tables round sines, cosines and offsets so.
double to_six_decimals(double value) {
    return std::round(value * 1e6) / 1e6;
}

constexpr std::int64_t columns_per_thread = 64;

}  // namespace

PlaneBands::PlaneBands(const WirePlane& plane, const AnodeFace& face, double pixel)
    : cos_(to_six_decimals(std::cos(plane.angle * units::degree))),
      sin_(to_six_decimals(std::sin(plane.angle * units::degree))),
      below_(sin_ < 0 ? 1 : 0),
      pitch_(plane.pitch / pixel),
      half_pitch_(pitch_ / 2),
      inverse_pitch_(1 / pitch_),
      offset_(to_six_decimals(plane.offset / pixel -
                              (face.origin_z / pixel * cos_ + face.origin_y / pixel * sin_))),
      first_(boundary(0)),
      extent_(cos_ + std::abs(sin_)),
      thin_(std::min(cos_, std::abs(sin_))),
      thick_(std::max(cos_, std::abs(sin_))),
      corner_(thin_ > 0 ? 1 / (2 * cos_ * std::abs(sin_)) : 0),
      inverse_thick_(1 / thick_),
      wires_(plane.wires()) {
    HODO_CHECK(cos_ >= 0, "plane {}: angle {} degrees; give an angle from -90 to 90", plane.name,
               plane.angle);
    HODO_CHECK(pitch_ > extent_,
               "plane {}: a pixel of {} mm extends over {:.3f} mm across wires of pitch {} mm, so "
               "it could meet three wires; choose smaller pixels",
               plane.name, pixel, extent_ * pixel, plane.pitch);
    for (int band = -1; band <= wires_; ++band) {
        channels_.push_back(static_cast<std::int16_t>(plane.channel(band)));
    }
}

CornerRange PlaneBands::corners(int first, int last) const {
    constexpr double everywhere = 1e7;
    const double shift = below_ * sin_;
    CornerRange range{-everywhere, everywhere};
    if (first >= 0) range.low = boundary(first) - extent_ - shift;
    if (last < wires_) range.high = boundary(last + 1) - shift;
    return range;
}

PixelGrid::PixelGrid(const Detector& detector, int face, int pixels_z, int pixels_y)
    : pixels_z_(pixels_z > 0 ? pixels_z : detector.pixels_z),
      pixels_y_(pixels_y > 0 ? pixels_y : detector.pixels_y),
      channels_(detector.channels_per_anode) {
    HODO_CHECK(face >= 0 && face < std::ssize(detector.faces), "there is no face {} in {}",
               face + 1, detector.name);
    constexpr std::int64_t most_pixels = 100'000'000;
    HODO_CHECK(pixels_z_ <= most_pixels_of_side && pixels_y_ <= most_pixels_of_side &&
                   std::int64_t{pixels_z_} * pixels_y_ <= most_pixels,
               "{} by {} pixels are more than {} in all or {} along a side; choose a smaller box "
               "or larger pixels",
               pixels_z_, pixels_y_, most_pixels, most_pixels_of_side);
    const auto& chosen = detector.faces[static_cast<std::size_t>(face)];
    for (const auto& plane : chosen.planes) planes_.emplace_back(plane, chosen, detector.pixel);
}

OverlapTable overlap_table(const PixelGrid& grid) {
    OverlapTable table{grid.pixels_z(), grid.pixels_y(), {}};
    const auto rows = static_cast<std::size_t>(grid.pixels_y());
    table.shares.assign(planes_per_face,
                        std::vector<PixelShare>(static_cast<std::size_t>(grid.pixels_z()) * rows));
    base::parallel_for(
        grid.pixels_z(), columns_per_thread, [&](std::int64_t begin, std::int64_t end) {
            for (int k = 0; k < planes_per_face; ++k) {
                const auto& plane = grid.plane(k);
                auto* share = table.shares[static_cast<std::size_t>(k)].data() +
                              static_cast<std::size_t>(begin) * rows;
                for (auto z = static_cast<int>(begin); z < static_cast<int>(end); ++z) {
                    for (int y = 0; y < grid.pixels_y(); ++y) *share++ = plane.share(z, y);
                }
            }
        });
    return table;
}

}  // namespace hodo::lartpc
