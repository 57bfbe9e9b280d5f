#include "hodo/workflow/lartpc/dataset.hh"

#include "hodo/base/error.hh"
#include "hodo/base/random.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"

#include <algorithm>
#include <cmath>

namespace hodo::lartpc {

namespace {

constexpr std::size_t charges = 3;

/// The entry for a path of a list that has one entry for all, or one per path.
template <class T>
const T& entry_of(const std::vector<T>& entries, std::size_t path, const T& otherwise) {
    if (entries.empty()) return otherwise;
    return entries[entries.size() == 1 ? 0 : path];
}

bool contains(const std::vector<std::int64_t>& values, std::int64_t value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

/// All files of the paths that have a range; `ranges` null: of all paths, any index.
std::vector<VoxelFile> files_in(const DataOptions& options, const PerPath* ranges) {
    static const std::vector<std::int64_t> none;
    std::vector<VoxelFile> files;
    for (std::size_t path = 0; path < options.data_path.size(); ++path) {
        const auto& range = ranges == nullptr ? none : entry_of(*ranges, path, none);
        if (ranges != nullptr && range.empty()) continue;
        const auto& tpcs = entry_of(options.tpcs, path, none);
        const auto scale = entry_of(options.transforms.scale, path, 1.0);
        for (const auto& file :
             files_of_product({expand_variables(options.data_path[path])}, "xy")) {
            const auto name = parse_file_name(file.filename().string()).value();
            if (!tpcs.empty() && (!name.tpc || !contains(tpcs, *name.tpc))) continue;
            if (!range.empty() && (name.index < range[0] || name.index > range[1])) continue;
            files.push_back({file, scale});
        }
    }
    const auto text_of = [](const VoxelFile& file) { return file.path.string(); };
    std::stable_sort(files.begin(), files.end(),
                     [&](const auto& a, const auto& b) { return text_of(a) < text_of(b); });
    const auto is_same = [](const auto& a, const auto& b) { return a.path == b.path; };
    files.erase(std::unique(files.begin(), files.end(), is_same), files.end());
    return files;
}

bool names_any(const PerPath& ranges) {
    return std::any_of(ranges.begin(), ranges.end(), [](const auto& r) { return !r.empty(); });
}

std::int64_t floor_division(std::int64_t a, std::int64_t b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

/// Takes the rows of one file into a batch.
class FileTaking {
  public:
    FileTaking(VoxelBatch& batch, const VoxelFile& file, const VoxelTreatment& treatment)
        : batch_(batch), file_(file), treatment_(treatment) {
        const bool wants_images = !treatment.cells.empty() && treatment.truth != Truth::ignored;
        content_ = read_xy(io::NpzArchive::open(file.path),
                           wants_images ? TruthImages::read : TruthImages::skip);
        has_truth_ = content_.has_truth && treatment.truth != Truth::ignored;
        HODO_CHECK(content_.has_truth || treatment.truth != Truth::required,
                   "{}: has no truth (array 'Y'), which a training needs; prepare it from parsed "
                   "files with truth beside them",
                   file.path);
        HODO_CHECK(content_.cloud.width == std::int64_t{charges},
                   "{}: 'X' has {} charges per voxel where there should be three", file.path,
                   content_.cloud.width);
        HODO_CHECK(
            !wants_images || !has_truth_ || std::ssize(content_.truth) == content_.cloud.events(),
            "{}: has no 'Y_truth', which sums over coarse cells need; prepare it anew", file.path);
    }

    void run(base::Random noise) {
        const auto& cloud = content_.cloud;
        batch_.width = std::int64_t(charges + treatment_.transforms.z_segments.size());
        for (std::int64_t event = 0; event < cloud.events(); ++event) {
            const auto cells = has_truth_ ? cells_of(event) : Cells{};
            for (auto row = cloud.begin(event); row < cloud.end(event); ++row) {
                check(row);
                if (is_inside(row, event)) take(row, event, cells, noise);
            }
            batch_.event_starts.push_back(batch_.size());
        }
    }
    std::int64_t events() const { return content_.cloud.events(); }

  private:
    /// The coarse cells with truth of an event, ascending, and the first one's place in the batch.
    struct Cells {
        std::vector<Voxel> places;
        std::int64_t first = 0;
        std::size_t size() const { return places.size(); }
    };

    void check(std::int64_t row) const {
        const auto numbers = content_.cloud.row(row);
        const bool is_finite = std::all_of(numbers.begin(), numbers.end(),
                                           [](float value) { return std::isfinite(value); });
        HODO_CHECK(is_finite,
                   "{}: row {} of 'X' has a charge that is not a finite number; prepare the file "
                   "anew or leave it out",
                   file_.path, row);
        HODO_CHECK(!has_truth_ || std::isfinite(content_.cloud.truth[std::size_t(row)]),
                   "{}: row {} of 'Y' is not a finite number; prepare the file anew or leave it "
                   "out",
                   file_.path, row);
    }

    bool is_inside(std::int64_t row, std::int64_t event) const {
        const auto& limits = treatment_.transforms.coord_lim;
        const auto& voxel = content_.cloud.voxels[std::size_t(row)];
        const auto numbers = content_.cloud.row(row);
        for (std::size_t column = 0; column < limits.size(); ++column) {
            if (limits[column].empty()) continue;
            const double value = column < 3    ? double(voxel[column])
                                 : column == 3 ? double(event)
                                               : double(numbers[column - 4]);
            if (value < double(limits[column][0]) || value >= double(limits[column][1])) {
                return false;
            }
        }
        return true;
    }

    void take(std::int64_t row, std::int64_t event, const Cells& cells, base::Random& noise) {
        const auto& voxel = content_.cloud.voxels[std::size_t(row)];
        const auto in_batch = batch_.file_events.back() + event;
        batch_.coordinates.insert(batch_.coordinates.end(),
                                  {voxel[0], voxel[1], voxel[2], std::int32_t(in_batch)});
        take_features(row, voxel[2], noise);
        if (!has_truth_) return;
        const double truth = double(content_.cloud.truth[std::size_t(row)]) * file_.scale;
        const auto limit = treatment_.label_above;
        batch_.targets.push_back(limit ? (truth > *limit ? 1.0F : 0.0F) : float(truth));
        if (!treatment_.cells.empty()) batch_.cell.push_back(place_of(cells, coarse(voxel)));
    }

    void take_features(std::int64_t row, std::int32_t z, base::Random& noise) {
        const auto& transforms = treatment_.transforms;
        for (float charge : content_.cloud.row(row)) {
            if (transforms.noise.is_on()) {
                charge += float(transforms.noise.mean + transforms.noise.sd * noise.normal());
            }
            if (transforms.round >= 0) {
                const double power = std::pow(10.0, double(transforms.round));
                charge = float(std::nearbyint(double(charge) * power) / power);
            }
            batch_.features.push_back(charge);
        }
        bool is_below = false;
        for (const auto bound : transforms.z_segments) {
            const bool is_here = !is_below && z < bound;
            batch_.features.push_back(is_here ? 1.0F : 0.0F);
            is_below |= is_here;
        }
    }

    Voxel coarse(const Voxel& voxel) const {
        Voxel cell{};
        for (std::size_t axis = 0; axis < 3; ++axis) {
            cell[axis] = std::int32_t(floor_division(voxel[axis], treatment_.cells[axis]));
        }
        return cell;
    }

    Cells cells_of(std::int64_t event) {
        Cells cells{.places = {}, .first = std::ssize(batch_.cell_charge)};
        if (treatment_.cells.empty()) return cells;
        const auto& image = content_.truth[std::size_t(event)];
        for (const auto& voxel : image.voxels) cells.places.push_back(coarse(voxel));
        std::sort(cells.places.begin(), cells.places.end());
        cells.places.erase(std::unique(cells.places.begin(), cells.places.end()),
                           cells.places.end());
        std::vector<double> sums(cells.size());
        for (std::int64_t i = 0; i < image.size(); ++i) {
            const auto cell = coarse(image.voxels[std::size_t(i)]);
            const auto at = std::lower_bound(cells.places.begin(), cells.places.end(), cell);
            const double value = image.value(i) * file_.scale;
            HODO_CHECK(std::isfinite(value),
                       "{}: event {} of 'Y_truth' holds a value that is not "
                       "a finite number; prepare the file anew or leave it out",
                       file_.path, event);
            sums[std::size_t(at - cells.places.begin())] += value;
        }
        for (const double sum : sums) batch_.cell_charge.push_back(float(sum));
        return cells;
    }

    static std::int32_t place_of(const Cells& cells, const Voxel& cell) {
        const auto at = std::lower_bound(cells.places.begin(), cells.places.end(), cell);
        if (at == cells.places.end() || *at != cell) return -1;
        return std::int32_t(cells.first + (at - cells.places.begin()));
    }

    VoxelBatch& batch_;
    const VoxelFile& file_;
    const VoxelTreatment& treatment_;
    TiledBatch content_;
    bool has_truth_ = false;
};

}  // namespace

std::vector<VoxelFile> select_files(const DataOptions& options, Subset subset) {
    const bool is_training = subset == Subset::training;
    if (!names_any(options.train_i) && !names_any(options.inference_i)) {
        auto files = files_in(options, nullptr);
        const auto count = std::ssize(files);
        auto held_out = std::llround(options.held_out * double(count));
        if (options.held_out > 0 && count > 1) held_out = std::clamp(held_out, 1LL, count - 1LL);
        const auto border = files.begin() + (count - held_out);
        files.erase(is_training ? border : files.begin(), is_training ? files.end() : border);
        return files;
    }
    const auto& ranges = is_training ? options.train_i : options.inference_i;
    if (!names_any(ranges)) return {};
    auto files = files_in(options, &ranges);
    HODO_CHECK(!files.empty(),
               "no xy file under data_path has an index in {} and one of the wanted TPCs; check "
               "'{}' and 'tpcs'",
               is_training ? "train_i" : "inference_i", is_training ? "train_i" : "inference_i");
    return files;
}

VoxelTreatment treatment_of(const DataOptions& options, Subset subset, Target target,
                            std::uint64_t seed) {
    HODO_DOOR(target != Target::automatic);
    VoxelTreatment treatment{.label_above = std::nullopt,
                             .truth = Truth::required,
                             .cells = {},
                             .transforms = options.transforms,
                             .seed = seed};
    if (target == Target::label) treatment.label_above = options.threshold;
    if (subset == Subset::validation) {
        treatment.truth = Truth::optional;
        treatment.transforms.coord_lim.clear();
    }
    return treatment;
}

void append_file(VoxelBatch& batch, const VoxelFile& file, std::int64_t sample, std::int64_t epoch,
                 const VoxelTreatment& treatment) {
    FileTaking taking(batch, file, treatment);
    taking.run(base::Random(treatment.seed, "lartpc noise", static_cast<std::uint64_t>(epoch))
                   .child("file", static_cast<std::uint64_t>(sample)));
    batch.files.push_back(file.path);
    batch.samples.push_back(sample);
    batch.file_starts.push_back(batch.size());
    batch.file_events.push_back(batch.events());
}

VoxelBatch VoxelDataset::load(std::span<const std::int64_t> samples, std::int64_t epoch) const {
    VoxelBatch batch;
    for (const auto sample : samples) {
        append_file(batch, files_.at(static_cast<std::size_t>(sample)), sample, epoch, treatment_);
    }
    if (!batch.has_targets()) {
        batch.targets.clear();
        batch.cell.clear();
        batch.cell_charge.clear();
    }
    return batch;
}

}  // namespace hodo::lartpc
