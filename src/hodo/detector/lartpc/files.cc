#include "hodo/detector/lartpc/files.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/volumes.hh"

#include <algorithm>
#include <cmath>
#include <map>

namespace hodo::lartpc {

namespace {

constexpr std::int64_t row_width = 7;
constexpr double largest_coordinate = 1e9;
constexpr double largest_sample = 1e12;

std::int32_t coordinate(double value, std::string_view origin) {
    HODO_CHECK(std::abs(value) < largest_coordinate && value == std::trunc(value),
               "{}: a voxel coordinate is {}; it must be a whole number below 1e9", origin, value);
    return static_cast<std::int32_t>(value);
}

/// An array of rows of at least `least` columns; one without rows may have any shape.
io::Array rows_of(io::Array array, std::int64_t least, std::string_view origin) {
    if (array.size() == 0) return array;
    HODO_CHECK(array.shape.size() == 2 && array.shape[1] >= least,
               "{}: has the wrong shape; it needs rows of at least {} numbers", origin, least);
    return array;
}

VoxelImage image_of(const io::Array& array, std::string_view origin) {
    VoxelImage image;
    const auto rows = rows_of(array, 4, origin);
    if (rows.size() == 0) {
        image.width = 1;
        return image;
    }
    const auto numbers = rows.doubles();
    const auto width = static_cast<std::size_t>(rows.shape[1]);
    image.width = static_cast<int>(width) - 3;
    for (std::size_t i = 0; i < numbers.size(); i += width) {
        image.voxels.push_back({coordinate(numbers[i], origin), coordinate(numbers[i + 1], origin),
                                coordinate(numbers[i + 2], origin)});
        image.values.insert(image.values.end(), numbers.begin() + std::ptrdiff_t(i + 3),
                            numbers.begin() + std::ptrdiff_t(i + width));
    }
    return image;
}

std::vector<std::string> shape_texts(const io::Array& array) {
    std::vector<std::string> sizes;
    for (const auto size : array.shape) sizes.push_back(std::to_string(size));
    return sizes;
}

/// Charges are float32 in the files of voxels, so samples must fit there too.
void check_samples(const WireSignals& signals, std::string_view origin, std::int64_t event) {
    const auto bad = std::find_if(signals.value.begin(), signals.value.end(),
                                  [](double value) { return !(std::abs(value) < largest_sample); });
    if (bad == signals.value.end()) return;
    const auto place = std::distance(signals.value.begin(), bad);
    const auto next = std::upper_bound(signals.starts.begin(), signals.starts.end(), place);
    base::fail(
        "{}: event {} has the sample {} at tick {}, channel {}; samples must be numbers "
        "below 1e12: mend the file or leave it out",
        origin, event, *bad, std::distance(signals.starts.begin(), next) - 1,
        signals.channel[static_cast<std::size_t>(place)]);
}

io::Array array_of(const VoxelImage& image) {
    std::vector<double> numbers;
    const auto width = static_cast<std::size_t>(image.width);
    numbers.reserve(image.voxels.size() * (3 + width));
    for (std::size_t i = 0; i < image.voxels.size(); ++i) {
        for (const auto place : image.voxels[i]) numbers.push_back(place);
        for (std::size_t k = 0; k < width; ++k) numbers.push_back(image.values[i * width + k]);
    }
    return io::make_array(std::span<const double>(numbers),
                          {image.size(), static_cast<std::int64_t>(3 + width)});
}

/// First rows of events, checked; the number of rows is added at the end.
std::vector<std::int64_t> starts_of(const io::NpzArchive& archive, std::int64_t rows) {
    auto starts = archive.read("starts").integers();
    starts.push_back(rows);
    bool is_right = starts.front() == 0;
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) is_right &= starts[i] <= starts[i + 1];
    HODO_CHECK(is_right, "{}: 'starts' must begin with 0 and rise to at most {} rows",
               archive.origin(), rows);
    return starts;
}

/// Rows of an event stand together, and column 3 says so: one number per event. Rows in another
/// order would become voxels of the wrong event.
void check_events(std::span<const float> numbers, std::size_t width,
                  const std::vector<std::int64_t>& starts, std::string_view origin) {
    for (std::size_t event = 0; event + 1 < starts.size(); ++event) {
        const auto first = static_cast<std::size_t>(starts[event]) * width + 3;
        const auto end = static_cast<std::size_t>(starts[event + 1]) * width;
        for (auto i = first; i < end; i += width) {
            HODO_CHECK(numbers[i] == numbers[first],
                       "{}: row {} is of event {} (column 3) but stands among rows of event {} "
                       "('starts'); sort the rows by event",
                       origin, i / width, numbers[i], numbers[first]);
        }
    }
}

io::Array starts_array(const std::vector<std::int64_t>& starts) {
    return io::make_array(std::vector<std::int64_t>(starts.begin(), starts.end() - 1));
}

}  // namespace

// ---- parsed ---------------------------------------------------------------------------------

std::int64_t ParsedFile::events() const {
    return std::ssize(archive_.names());
}

io::Array ParsedFile::array(std::int64_t event) const {
    return archive_.read(base::format("arr_{}", event));
}

WireSignals ParsedFile::signals(std::int64_t event) const {
    const auto matrix = array(event);
    HODO_CHECK(matrix.shape.size() == 2 && matrix.shape[0] < (1 << 24) && matrix.shape[1] < 32767,
               "{}: event {} has the shape [{}] but must be a matrix [ticks, channels]",
               archive_.origin(), event, base::join(shape_texts(matrix), ", "));
    const auto ticks = static_cast<int>(matrix.shape[0]);
    const auto channels = static_cast<int>(matrix.shape[1]);
    auto signals = matrix.dtype == io::DType::f64
                       ? sparse_signals(matrix.as<double>(), ticks, channels)
                       : sparse_signals(matrix.doubles(), ticks, channels);
    check_samples(signals, archive_.origin(), event);
    return signals;
}

VoxelImage ParsedFile::image(std::int64_t event) const {
    return image_of(array(event), base::format("{}: event {}", archive_.origin(), event));
}

std::map<std::int64_t, Point3> ParsedFile::track_ends(std::int64_t event) const {
    constexpr std::size_t columns = 8;  // number, points, start, end
    const auto rows = array(event);
    HODO_CHECK(rows.shape.size() == 2 && rows.shape[1] == std::int64_t{columns},
               "{}: event {} must hold rows of {} numbers: track, points, start and end",
               archive_.origin(), event, columns);
    const auto values = rows.doubles();
    std::map<std::int64_t, Point3> ends;
    for (std::size_t i = 0; i < values.size(); i += columns) {
        const Point3 start{values[i + 2], values[i + 3], values[i + 4]};
        const Point3 end{values[i + 5], values[i + 6], values[i + 7]};
        if (start != end) ends[static_cast<std::int64_t>(values[i])] = end;
    }
    return ends;
}

std::string ParsedWriter::next_name() {
    return base::format("arr_{}", events_++);
}

void ParsedWriter::add(const WireSignals& signals) {
    const auto matrix = dense_signals(signals);
    // The matrix is large: its bytes are lent, not copied.
    const io::Array array{io::DType::f64,
                          {signals.ticks(), signals.channels},
                          std::as_bytes(std::span(matrix)),
                          nullptr};
    writer_.add(next_name(), array);
}

void ParsedWriter::add(const VoxelImage& image) {
    writer_.add(next_name(), array_of(image));
}

void ParsedWriter::add(std::span<const double> rows, std::int64_t columns) {
    writer_.add(next_name(), io::make_array(rows, {std::ssize(rows) / columns, columns}));
}

void ParsedWriter::add_objects(const std::vector<io::Array>& arrays) {
    writer_.add_objects(next_name(), arrays);
}

// ---- xy -------------------------------------------------------------------------------------

void TiledBatch::append(const TiledEvent& event, const VoxelImage* image) {
    HODO_DOOR(cloud.events() == 0 || has_truth == (image != nullptr));
    has_truth = image != nullptr;
    cloud.voxels.insert(cloud.voxels.end(), event.voxels.begin(), event.voxels.end());
    for (const auto& charge : event.charge) {
        for (const double value : charge) cloud.features.push_back(static_cast<float>(value));
    }
    cloud.starts.push_back(cloud.size());
    if (image == nullptr) return;
    const auto values = truth_at(*image, event.voxels);
    cloud.truth.insert(cloud.truth.end(), values.begin(), values.end());
    truth.push_back(*image);
}

CoarseTruth coarse_truth(const TiledBatch& batch, Downsampling factors) {
    const auto& cloud = batch.cloud;
    HODO_CHECK(std::ssize(batch.truth) == cloud.events(),
               "coarse truth needs all true voxels (array Y_truth)");
    CoarseTruth coarse{.width = batch.truth.empty() ? 1 : batch.truth.front().width};
    for (std::int64_t event = 0; event < cloud.events(); ++event) {
        const auto truth = merge_truth(batch.truth[static_cast<std::size_t>(event)], factors);
        std::map<Voxel, std::int64_t> number;  // of the cells met so far
        for (auto i = cloud.begin(event); i < cloud.end(event); ++i) {
            const auto& voxel = cloud.voxels[static_cast<std::size_t>(i)];
            const auto place = merged_voxel(voxel, factors);
            const auto row = std::lower_bound(truth.voxels.begin(), truth.voxels.end(), place);
            if (row == truth.voxels.end() || *row != place) {
                coarse.cell.push_back(-1);
                continue;
            }
            const auto next = std::ssize(coarse.values) / coarse.width;
            const auto [cell, is_new] = number.emplace(place, next);
            coarse.cell.push_back(cell->second);
            for (int k = 0; is_new && k < coarse.width; ++k) {
                coarse.values.push_back(truth.value(row - truth.voxels.begin(), k));
            }
        }
    }
    return coarse;
}

TiledBatch read_xy(const base::Path& file) {
    return read_xy(io::NpzArchive::open(file));
}

TiledBatch read_xy(const io::NpzArchive& archive, TruthImages images) {
    TiledBatch batch;
    auto& cloud = batch.cloud;
    const auto origin = base::format("{}: array 'X'", archive.origin());
    const auto x = rows_of(archive.read("X"), row_width, origin);
    const auto width = x.size() == 0 ? row_width : x.shape[1];
    const auto numbers = x.floats();
    cloud.width = static_cast<int>(width) - 4;
    cloud.starts = starts_of(archive, std::ssize(numbers) / width);
    check_events(numbers, static_cast<std::size_t>(width), cloud.starts, origin);
    cloud.voxels.reserve(static_cast<std::size_t>(cloud.starts.back()));
    cloud.features.reserve(static_cast<std::size_t>(cloud.starts.back() * cloud.width));
    for (std::size_t i = 0; i < numbers.size(); i += static_cast<std::size_t>(width)) {
        cloud.voxels.push_back({coordinate(numbers[i], origin), coordinate(numbers[i + 1], origin),
                                coordinate(numbers[i + 2], origin)});
        cloud.features.insert(cloud.features.end(), numbers.begin() + std::ptrdiff_t(i + 4),
                              numbers.begin() + std::ptrdiff_t(i) + width);
    }
    batch.has_truth = archive.has("Y");
    if (batch.has_truth) {
        cloud.truth = archive.read("Y").floats();
        HODO_CHECK(std::ssize(cloud.truth) == cloud.size(),
                   "{}: 'Y' has {} values for the {} rows of 'X'", archive.origin(),
                   cloud.truth.size(), cloud.size());
    }
    if (images == TruthImages::read && archive.has("Y_truth")) {
        const auto place = base::format("{}: array 'Y_truth'", archive.origin());
        for (const auto& event : archive.read_objects("Y_truth")) {
            batch.truth.push_back(image_of(event, place));
        }
        HODO_CHECK(std::ssize(batch.truth) == cloud.events(),
                   "{}: has {} events where 'starts' has {}", place, batch.truth.size(),
                   cloud.events());
    }
    return batch;
}

void write_xy(const base::Path& file, const TiledBatch& batch) {
    const auto& cloud = batch.cloud;
    std::vector<float> x;
    x.reserve(cloud.voxels.size() * row_width);
    for (std::int64_t event = 0; event < cloud.events(); ++event) {
        for (auto i = cloud.begin(event); i < cloud.end(event); ++i) {
            for (const auto place : cloud.voxels[static_cast<std::size_t>(i)]) {
                x.push_back(static_cast<float>(place));
            }
            x.push_back(static_cast<float>(event));
            const auto row = cloud.row(i);
            x.insert(x.end(), row.begin(), row.end());
        }
    }
    io::NpzWriter writer(file);
    writer.add("X", io::make_array(std::span<const float>(x), {cloud.size(), 4 + cloud.width}));
    if (batch.has_truth) {
        writer.add("Y", io::make_array(std::span<const float>(cloud.truth), {cloud.size(), 1}));
    }
    writer.add("starts", starts_array(cloud.starts));
    if (batch.has_truth) {
        std::vector<io::Array> truth;
        for (const auto& image : batch.truth) truth.push_back(array_of(image));
        writer.add_objects("Y_truth", truth);
    }
    if (batch.coarse) {
        const auto& coarse = *batch.coarse;
        writer.add_objects(
            "Y_downsample",
            {io::make_array(std::span<const double>(coarse.values),
                            {std::ssize(coarse.values) / coarse.width, coarse.width}),
             io::make_array(coarse.cell)});
    }
    writer.commit();
}

// ---- pixel ----------------------------------------------------------------------------------

std::vector<TiledEvent> read_pixels(const base::Path& file) {
    const auto archive = io::NpzArchive::open(file);
    const auto origin = base::format("{}: array 'pix'", file);
    const auto pix = rows_of(archive.read("pix"), row_width, origin);
    const auto width = static_cast<std::size_t>(pix.size() == 0 ? row_width : pix.shape[1]);
    const auto numbers = pix.floats();
    const auto starts = starts_of(archive, static_cast<std::int64_t>(numbers.size() / width));
    check_events(numbers, width, starts, origin);
    std::vector<TiledEvent> events(starts.size() - 1);
    for (std::size_t event = 0; event < events.size(); ++event) {
        for (auto i = starts[event]; i < starts[event + 1]; ++i) {
            const auto* row = numbers.data() + static_cast<std::size_t>(i) * width;
            events[event].voxels.push_back({coordinate(row[0], origin), coordinate(row[2], origin),
                                            coordinate(row[1], origin)});
            events[event].charge.push_back({row[4], row[5], row[6]});
        }
    }
    return events;
}

void write_pixels(const base::Path& file, const std::vector<TiledEvent>& events) {
    std::vector<float> rows;
    std::vector<std::int64_t> starts;
    for (std::size_t event = 0; event < events.size(); ++event) {
        starts.push_back(std::ssize(rows) / row_width);
        for (std::size_t i = 0; i < events[event].voxels.size(); ++i) {
            const auto& v = events[event].voxels[i];
            for (const auto value : {v[0], v[2], v[1], static_cast<std::int32_t>(event)}) {
                rows.push_back(static_cast<float>(value));
            }
            for (const double value : events[event].charge[i]) {
                rows.push_back(static_cast<float>(value));
            }
        }
    }
    io::NpzWriter writer(file);
    writer.add("pix", io::make_array(std::span<const float>(rows),
                                     {std::ssize(rows) / row_width, row_width}));
    writer.add("starts", io::make_array(starts));
    writer.commit();
}

// ---- joined TPCs ----------------------------------------------------------------------------

TiledBatch join_tpcs(const std::vector<TiledBatch>& batches, const Detector& detector,
                     const std::vector<int>& tpcs, Downsampling factors) {
    HODO_DOOR(!batches.empty() && batches.size() == tpcs.size());
    const auto voxel = detector.voxel();
    const Point3 sides{voxel[0] * factors.x, voxel[1] * factors.y, voxel[2] * factors.z};
    TiledBatch joined;
    joined.has_truth = batches.front().has_truth;
    joined.cloud.width = batches.front().cloud.width;
    const auto events = batches.front().cloud.events();
    for (const auto& batch : batches) {
        HODO_CHECK(batch.cloud.events() == events && batch.has_truth == joined.has_truth &&
                       batch.cloud.width == joined.cloud.width,
                   "files of different TPCs do not hold the same events; prepare them from one set "
                   "with the "
                   "same options");
    }
    for (std::int64_t event = 0; event < events; ++event) {
        VoxelImage truth;
        for (std::size_t part = 0; part < batches.size(); ++part) {
            const auto& batch = batches[part];
            const CommonFrame frame(detector, tpcs[part], sides, 0, tpcs.front());
            auto& cloud = joined.cloud;
            for (auto i = batch.cloud.begin(event); i < batch.cloud.end(event); ++i) {
                cloud.voxels.push_back(frame(batch.cloud.voxels[static_cast<std::size_t>(i)]));
                const auto row = batch.cloud.row(i);
                cloud.features.insert(cloud.features.end(), row.begin(), row.end());
                if (batch.has_truth) {
                    cloud.truth.push_back(batch.cloud.truth[static_cast<std::size_t>(i)]);
                }
            }
            if (batch.truth.empty()) continue;
            const auto& image = batch.truth[static_cast<std::size_t>(event)];
            if (truth.voxels.empty()) truth.width = image.width;
            for (const auto& place : image.voxels) truth.voxels.push_back(frame(place));
            truth.values.insert(truth.values.end(), image.values.begin(), image.values.end());
        }
        joined.cloud.starts.push_back(joined.cloud.size());
        if (joined.has_truth) joined.truth.push_back(std::move(truth));
    }
    return joined;
}

}  // namespace hodo::lartpc
