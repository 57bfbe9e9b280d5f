#pragma once
/// Users' voxel data: PILArNet-M files and plain voxel archives.
///
/// PILArNet-M (HDF5), one variable-length row per event:
///   point          float (N x 8): x, y, z voxel, energy [MeV], the same again, time, electrons, dx
///   cluster        integer (M x 6, or M x 5 in version 1): points, fragment, group, interaction,
///                  semantic class, (particle class)
///   cluster_extra  float (M x 5 or 6; from version 2 on): mass [MeV], momentum, vertex x, y, z
/// Points stand in the order of clusters, so clusters' labels are repeated. The first cluster is
/// the low-energy scatter when its ids are -1.
///
/// Plain archives (npz): `points` (n x 4: x, y, z, energy), or `coordinates` (n x 3) with `charge`
/// or `adc`; a text `label` may name the class.

#include "hodo/base/fields.hh"
#include "hodo/base/text.hh"
#include "hodo/detector/lartpc/voxel_cloud.hh"
#include "hodo/io/hdf5.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hodo::lartpc {

enum class LowEnergy { keep, drop };
constexpr auto names(LowEnergy) {
    return std::array<std::string_view, 2>{"keep", "drop"};
}

struct PilarnetOptions {
    LowEnergy low_energy = LowEnergy::keep;
    double min_energy = 0;        ///< Points with less are left out [MeV].
    std::int64_t min_points = 0;  ///< Events with fewer points are left out.
    int no_particle = 5;          ///< Class of points without particle.

    void describe(base::Fields& f);
};

/// A PILArNet-M file of either version, read row by row.
class PilarnetFile {
  public:
    explicit PilarnetFile(const base::Path& file);

    std::int64_t events() const { return events_; }
    int version() const { return version_; }
    /// Events [first, first + count) that have enough points. Features: energy, time; truth:
    /// momentum (-1 where unknown); semantic, particle, group, interaction per voxel.
    VoxelCloud read(std::int64_t first, std::int64_t count, const PilarnetOptions& options) const;

  private:
    void append(VoxelCloud& cloud, std::int64_t event, const PilarnetOptions& options) const;

    base::Path path_;
    io::Hdf5File file_;
    std::int64_t events_ = 0;
    int version_ = 2;
    bool has_extra_ = false;
};

/// Whether a file is one of PILArNet-M by its datasets.
bool is_pilarnet(const base::Path& file);

/// The groups of every event numbered 0, 1, ... in order of their ids; -1 stays.
std::vector<std::int64_t> instances(const VoxelCloud& cloud);

/// One event of a plain archive; coordinates are divided by `side` and rounded down, charges of
/// points that share a voxel are summed. Arrays of more than 256 MiB are refused.
struct VoxelArchive {
    VoxelCloud cloud;
    std::string label;  ///< Empty where the archive has none.
};
/// Whether a file is an archive that holds points or coordinates.
bool is_voxel_archive(const base::Path& file);
VoxelArchive read_voxel_npz(const base::Path& file, double side = 1);

/// Energies as a network likes them, from -1 at 0 to 1 at `largest`: logarithms of (energy +
/// floor).
float log_energy(float energy, double floor, double largest);

}  // namespace hodo::lartpc
