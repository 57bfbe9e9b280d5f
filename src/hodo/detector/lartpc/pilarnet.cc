#include "hodo/detector/lartpc/pilarnet.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/purity.hh"
#include "hodo/io/npz.hh"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace hodo::lartpc {

namespace {

constexpr std::size_t point_width = 8;
constexpr std::size_t energy_column = 3, time_column = 5;
constexpr int unknown = -1;
/// An archive of voxels holds one event: eight million points of four numbers.
constexpr std::uint64_t largest_event = std::uint64_t{256} << 20;

/// Columns of a cluster; the particle's class stands in version 2 only.
enum ClusterColumn : std::size_t { points, fragment, group, interaction, semantic, particle };

std::vector<double> row_of(const io::Hdf5File& file, const char* name, std::int64_t event) {
    return file.read_lists(name, event, 1).to_doubles();
}

}  // namespace

void PilarnetOptions::describe(base::Fields& f) {
    f("low_energy", low_energy, "PILArNet-M: whether to keep the scatter of low energy");
    f("min_energy", min_energy, "PILArNet-M: leave out points with less energy [MeV]").at_least(0);
    f("min_points", min_points, "PILArNet-M: leave out events with fewer points").at_least(0);
    f("no_particle", no_particle, "PILArNet-M: class of points that belong to no particle");
}

bool is_pilarnet(const base::Path& file) {
    const auto opened = io::Hdf5File::open(file);
    return opened.has("point") && opened.has("cluster");
}

PilarnetFile::PilarnetFile(const base::Path& file) : path_(file), file_(io::Hdf5File::open(file)) {
    HODO_CHECK(file_.has("point") && file_.has("cluster"),
               "{}: has no datasets 'point' and 'cluster', so it is no PILArNet-M file", file);
    events_ = file_.rows("point");
    HODO_CHECK(file_.rows("cluster") == events_, "{}: 'cluster' has {} events where 'point' has {}",
               file, file_.rows("cluster"), events_);
    has_extra_ = file_.has("cluster_extra");
    version_ = has_extra_ ? 2 : 1;
}

VoxelCloud PilarnetFile::read(std::int64_t first, std::int64_t count,
                              const PilarnetOptions& options) const {
    HODO_CHECK(first >= 0 && count >= 0 && first + count <= events_,
               "{}: has {} events, so {} from number {} on cannot be read", path_, events_, count,
               first);
    VoxelCloud cloud{.voxels = {}, .width = 2};
    for (auto event = first; event < first + count; ++event) append(cloud, event, options);
    return cloud;
}

void PilarnetFile::append(VoxelCloud& cloud, std::int64_t event,
                          const PilarnetOptions& options) const {
    const auto numbers = row_of(file_, "point", event);
    const auto clusters = row_of(file_, "cluster", event);
    const std::size_t width = version_ == 1 ? 5 : 6, count = numbers.size() / point_width;
    HODO_CHECK(numbers.size() % point_width == 0 && clusters.size() % width == 0,
               "{}: event {} has {} numbers for points and {} for clusters; rows need {} and {}",
               path_, event, numbers.size(), clusters.size(), point_width, width);
    const std::size_t rows = clusters.size() / width;
    const auto extra = has_extra_ ? row_of(file_, "cluster_extra", event) : std::vector<double>();
    HODO_CHECK(extra.empty() || (rows > 0 && extra.size() % rows == 0),
               "{}: event {} has {} extra numbers for {} clusters", path_, event, extra.size(),
               rows);
    const std::size_t extra_width = rows > 0 ? extra.size() / rows : 0;
    if (static_cast<std::int64_t>(count) < options.min_points) return;

    std::size_t point = 0;
    for (std::size_t row = 0; row < rows; ++row) {
        const auto* cluster = clusters.data() + row * width;
        const double size = cluster[points];
        HODO_CHECK(size >= 0 && size <= static_cast<double>(count - point),
                   "{}: event {}: clusters hold more points than there are ({})", path_, event,
                   count);
        const bool is_scatter = cluster[fragment] == unknown && cluster[group] == unknown;
        const auto end = point + static_cast<std::size_t>(size);
        for (; point < end; ++point) {
            const auto* values = numbers.data() + point * point_width;
            if (values[energy_column] < options.min_energy) continue;
            if (is_scatter && options.low_energy == LowEnergy::drop) continue;
            Voxel voxel{};
            for (std::size_t d = 0; d < 3; ++d) {
                HODO_CHECK(std::abs(values[d]) < 1e9, "{}: event {} has a point at {}", path_,
                           event, values[d]);
                voxel[d] = static_cast<std::int32_t>(values[d]);
            }
            cloud.voxels.push_back(voxel);
            for (const auto column : {energy_column, time_column}) {
                HODO_CHECK(std::abs(values[column]) <= std::numeric_limits<float>::max(),
                           "{}: event {} has a point with {} as its {}", path_, event,
                           values[column], column == energy_column ? "energy" : "time");
                cloud.features.push_back(static_cast<float>(values[column]));
            }
            const auto label = [&](ClusterColumn column) {
                const double value = cluster[column];
                HODO_CHECK(value == std::floor(value) && std::abs(value) < 2e9,
                           "{}: event {} has a cluster labelled {}, which is no integer", path_,
                           event, value);
                return static_cast<std::int32_t>(value);
            };
            cloud.semantic.push_back(label(semantic));
            cloud.group.push_back(label(group));
            cloud.interaction.push_back(label(interaction));
            const int kind = version_ == 1 ? unknown : label(particle);
            cloud.particle.push_back(kind == unknown ? options.no_particle : kind);
            cloud.truth.push_back(extra_width > 1 ? static_cast<float>(extra[row * extra_width + 1])
                                                  : -1.0F);
        }
    }
    HODO_CHECK(point == count, "{}: event {}: clusters hold {} points of {}", path_, event, point,
               count);
    cloud.starts.push_back(cloud.size());
}

std::vector<std::int64_t> instances(const VoxelCloud& cloud) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t event = 0; event < cloud.events(); ++event) {
        const auto first = cloud.group.begin() + cloud.begin(event);
        const auto last = cloud.group.begin() + cloud.end(event);
        std::set<std::int32_t> ids(first, last);
        ids.erase(ids.begin(), ids.lower_bound(0));
        for (auto id = first; id != last; ++id) {
            numbers.push_back(*id < 0 ? unknown : std::distance(ids.begin(), ids.find(*id)));
        }
    }
    return numbers;
}

bool is_voxel_archive(const base::Path& file) {
    if (file.extension() != ".npz") return false;
    const auto names = io::npz_names(file);
    return std::any_of(names.begin(), names.end(),
                       [](const auto& name) { return name == "points" || name == "coordinates"; });
}

VoxelArchive read_voxel_npz(const base::Path& file, double side) {
    HODO_CHECK(side > 0, "{}: the side of a voxel must be above 0, not {}", file, side);
    const auto names = io::npz_names(file);
    const auto has = [&](const char* name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    std::vector<double> rows;
    if (has("points")) {
        const auto array = io::read_npz(file, "points", largest_event);
        HODO_CHECK(array.shape.size() == 2 && array.shape[1] == 4,
                   "{}: 'points' must have rows of x, y, z, energy", file);
        rows = array.doubles();
    } else {
        HODO_CHECK(has("coordinates") && (has("charge") || has("adc")),
                   "{}: needs 'points', or 'coordinates' with 'charge' or 'adc'", file);
        const auto places = io::read_npz(file, "coordinates", largest_event).doubles();
        const auto charge =
            io::read_npz(file, has("charge") ? "charge" : "adc", largest_event).doubles();
        HODO_CHECK(places.size() == 3 * charge.size(), "{}: {} coordinates for {} charges", file,
                   places.size(), charge.size());
        for (std::size_t i = 0; i < charge.size(); ++i) {
            rows.insert(rows.end(), {places[3 * i], places[3 * i + 1], places[3 * i + 2]});
            rows.push_back(charge[i]);
        }
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        HODO_CHECK(i % 4 == 3 || std::abs(rows[i] / side) < 1e9, "{}: a point lies at {}", file,
                   rows[i]);
    }
    const Merge columns[] = {Merge::sum};
    const auto image = voxelize(rows, {side, side, side}, columns);
    VoxelArchive archive;
    archive.cloud.voxels = image.voxels;
    archive.cloud.width = 1;
    for (const double value : image.values) {
        archive.cloud.features.push_back(static_cast<float>(value));
    }
    archive.cloud.starts.push_back(archive.cloud.size());
    if (has("label")) {
        const auto texts = io::read_npz_text(file, "label");
        if (!texts.empty()) archive.label = texts.front();
    }
    return archive;
}

float log_energy(float energy, double floor, double largest) {
    const double low = std::log10(floor), high = std::log10(largest + floor);
    return static_cast<float>(2 * (std::log10(energy + floor) - low) / (high - low) - 1);
}

}  // namespace hodo::lartpc
