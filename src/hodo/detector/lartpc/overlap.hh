#pragma once
/// How much of each pixel of an anode face belongs to which wire.
///
/// Pixels are unit squares: pixel (z, y) covers [z, z + 1] x [y, y + 1] in units of the pixel side,
/// counted from the corner of the tiled box. The bands of a plane (geometry.hh) tile the face, and
/// a pixel meets at most two of them: the pitch is larger than the pixel's extent along s, or the
/// constructor says so. The share of the lower band is the exact area of the square below the
/// boundary between the two, rounded to thousandths (half to even) as the published code stores
/// it; the upper band gets the rest.
///
/// Bands are numbered like wires; band -1 lies below wire 0 and band `wires` above the last. These
/// two belong to no channel.

#include "hodo/detector/lartpc/geometry.hh"

#include <cstdint>
#include <vector>

namespace hodo::lartpc {

/// Places of pixels are 16 bit wide.
inline constexpr int most_pixels_of_side = 32766;

/// Shares are counted in thousandths of a pixel.
inline constexpr int whole_share = 1000;

/// The bands of one pixel on one plane.
struct PixelShare {
    std::int16_t band = 0;   ///< The lower one; the other is `band + 1`.
    std::int16_t lower = 0;  ///< Thousandths of the lower one, 0 to `whole_share`.
};

/// Bounds of the lower left corner of pixels that may touch a range of bands: along s, exclusive.
struct CornerRange {
    double low = 0, high = 0;
};

/// One plane in units of pixels.
class PlaneBands {
  public:
    PlaneBands(const WirePlane& plane, const AnodeFace& face, double pixel);

    PixelShare share(int z, int y) const {
        const double least = z * cos_ + (y + below_) * sin_;
        const double place = (least - first_) * inverse_pitch_;
        const int band = floor_of(place);
        const double inside = boundary(band + 1) - least;
        const int limited = band < -1 ? -1 : band > wires_ ? wires_ : band;
        // Beyond the last wire there is one band only, whatever the distance.
        const double lower = limited != band ? whole_share : area_below(inside);
        return {static_cast<std::int16_t>(limited), static_cast<std::int16_t>(lower)};
    }
    /// Corners of pixels that may touch bands [first, last].
    CornerRange corners(int first, int last) const;

    /// s of a point (z, y) in pixels.
    double perpendicular(double z, double y) const { return z * cos_ + y * sin_; }
    /// The band that holds s, from -1 on; not limited to the plane.
    int band_at(double s) const { return floor_of((s - first_) * inverse_pitch_); }
    /// Lower boundary of a band. X wires of ProtoDUNE-SP bound pixels at exact halves of a
    /// thousandth, where the order of these operations decides how the share is rounded.
    double boundary(int band) const { return (offset_ + band * pitch_) - half_pitch_; }

    int wires() const { return wires_; }
    double cosine() const { return cos_; }
    double sine() const { return sin_; }
    /// Local channel of a band; `no_channel` for bands -1 and `wires`.
    int channel(int band) const { return channels_[static_cast<std::size_t>(band + 1)]; }

  private:
    static int floor_of(double value) {
        const int whole = static_cast<int>(value);
        return whole - (whole > value ? 1 : 0);
    }
    /// Thousandths of the unit square with z cos + y |sin| < t.
    double area_below(double t) const {
        double area = 1;
        if (t < thin_) {
            area = t * t * corner_;
        } else if (t < thick_) {
            area = (t - 0.5 * thin_) * inverse_thick_;
        } else if (t < extent_) {
            const double rest = extent_ - t;
            area = 1 - rest * rest * corner_;
        }
        // Adding and taking away 1.5 * 2^52 rounds to the nearest integer, halves to even.
        constexpr double rounding = 6755399441055744.0;
        return (area * whole_share + rounding) - rounding;
    }

    double cos_, sin_;
    int below_;  ///< 1 when s falls with y: the least s is then at the upper side.
    double pitch_, half_pitch_, inverse_pitch_;
    double offset_, first_;  ///< Of wire 0: its centre and the lower boundary of its band.
    double extent_;          ///< Of a pixel along s.
    double thin_, thick_;    ///< The lesser and the greater of cos and |sin|.
    double corner_, inverse_thick_;
    int wires_;
    std::vector<std::int16_t> channels_;
};

/// A rectangle of pixels of one face with its three planes.
class PixelGrid {
  public:
    /// `pixels_z`, `pixels_y` limit the box; 0 means the whole face. An error when it has more
    /// pixels than memory should hold.
    PixelGrid(const Detector& detector, int face, int pixels_z = 0, int pixels_y = 0);

    int pixels_z() const { return pixels_z_; }
    int pixels_y() const { return pixels_y_; }
    int channels() const { return channels_; }
    const PlaneBands& plane(int k) const { return planes_[static_cast<std::size_t>(k)]; }

  private:
    int pixels_z_, pixels_y_, channels_;
    std::vector<PlaneBands> planes_;
};

/// The shares of all pixels: shares[k][z * pixels_y + y].
struct OverlapTable {
    int pixels_z = 0, pixels_y = 0;
    std::vector<std::vector<PixelShare>> shares;
};
OverlapTable overlap_table(const PixelGrid& grid);

}  // namespace hodo::lartpc
