#include "hodo/workflow/lartpc/inference.hh"

#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/workflow/lartpc/dataset.hh"
#include "hodo/workflow/lartpc/inference_files.hh"

#include <algorithm>
#include <cmath>

namespace hodo::lartpc {

namespace {

/// Rows of an xy file, and all its true voxels, where `values` reach the threshold.
TiledBatch kept_rows(const base::Path& xy, std::span<const float> values, double threshold) {
    const auto all = read_xy(xy);
    HODO_CHECK(all.cloud.size() == std::ssize(values),
               "{}: was changed while the network read it; start again", xy);
    TiledBatch kept;
    kept.cloud.width = all.cloud.width;
    kept.truth = all.truth;
    kept.has_truth = all.has_truth;
    for (std::int64_t event = 0; event < all.cloud.events(); ++event) {
        for (auto row = all.cloud.begin(event); row < all.cloud.end(event); ++row) {
            const auto r = static_cast<std::size_t>(row);
            if (double(values[r]) < threshold) continue;
            const auto charges = all.cloud.row(row);
            kept.cloud.voxels.push_back(all.cloud.voxels[r]);
            kept.cloud.features.insert(kept.cloud.features.end(), charges.begin(), charges.end());
            if (all.has_truth) kept.cloud.truth.push_back(all.cloud.truth[r]);
        }
        kept.cloud.starts.push_back(kept.cloud.size());
    }
    return kept;
}

std::string kept_name(const base::Path& xy) {
    const auto name = xy.filename().string();
    return name.starts_with("kept-") ? name : "kept-" + name;
}

void check_finite(std::span<const float> values, const base::Path& file) {
    const auto bad = std::find_if(values.begin(), values.end(),
                                  [](float value) { return !std::isfinite(value); });
    HODO_CHECK(bad == values.end(),
               "{}: the network's output for voxel {} of {} is {}; its weights are not of a "
               "training that went well, or the charges are far from those it has seen",
               file, std::distance(values.begin(), bad), values.size(), *bad);
}

/// Gathers files until there are voxels enough for a pass.
class Inference {
  public:
    Inference(const base::Path& folder, std::int64_t epoch, const ApplyOptions& options,
              const Predict& predict, const std::function<void()>& done)
        : folder_(folder), epoch_(epoch), options_(options), predict_(predict), done_(done) {
        treatment_.truth = Truth::ignored;
        treatment_.transforms.z_segments = options.z_segments;
        treatment_.transforms.round = options.round;
    }

    void add(const base::Path& file) {
        if (std::filesystem::exists(output_of(file))) {
            ++count_.present;
            return done_();
        }
        append_file(waiting_, {file}, 0, 0, treatment_);
        if (waiting_.size() >= options_.voxels) flush();
    }

    void flush() {
        const auto values = predict_in_passes(waiting_, options_.voxels, predict_);
        for (std::size_t i = 0; i < waiting_.files.size(); ++i) {
            const auto& file = waiting_.files[i];
            const auto own = waiting_.of_file(std::span<const float>(values), i);
            check_finite(own, file);
            // The output is written last: where it exists the file is done.
            if (options_.threshold >= 0) {
                write_xy(folder_ / kept_name(file), kept_rows(file, own, options_.threshold));
            }
            write_inference(output_of(file), own);
            ++count_.files;
            done_();
        }
        count_.voxels += waiting_.size();
        waiting_ = {};
    }

    const InferenceCount& count() const { return count_; }

  private:
    base::Path output_of(const base::Path& file) const {
        return folder_ / inference_name(file, epoch_);
    }

    base::Path folder_;
    std::int64_t epoch_;
    const ApplyOptions& options_;
    const Predict& predict_;
    const std::function<void()>& done_;
    VoxelTreatment treatment_{};
    VoxelBatch waiting_;
    InferenceCount count_;
};

}  // namespace

VoxelBatch events_of(const VoxelBatch& batch, std::int64_t first, std::int64_t last) {
    const auto begin = batch.event_starts[static_cast<std::size_t>(first)];
    const auto end = batch.event_starts[static_cast<std::size_t>(last)];
    VoxelBatch part;
    part.width = batch.width;
    part.coordinates.assign(batch.coordinates.begin() + 4 * begin,
                            batch.coordinates.begin() + 4 * end);
    for (std::size_t i = 3; i < part.coordinates.size(); i += 4) {
        part.coordinates[i] -= static_cast<std::int32_t>(first);
    }
    part.features.assign(batch.features.begin() + batch.width * begin,
                         batch.features.begin() + batch.width * end);
    for (auto event = first; event < last; ++event) {
        part.event_starts.push_back(batch.event_starts[static_cast<std::size_t>(event) + 1] -
                                    begin);
    }
    return part;
}

std::vector<float> predict_in_passes(const VoxelBatch& batch, std::int64_t voxels,
                                     const Predict& predict) {
    std::vector<float> values;
    values.reserve(static_cast<std::size_t>(batch.size()));
    for (std::int64_t first = 0, last = 0; first < batch.events(); first = last) {
        const auto begin = batch.event_starts[static_cast<std::size_t>(first)];
        const auto fits = [&](std::int64_t end) {
            return end <= batch.events() &&
                   batch.event_starts[static_cast<std::size_t>(end)] - begin <= voxels;
        };
        last = first + 1;
        while (fits(last + 1)) ++last;
        const auto part = events_of(batch, first, last);
        if (part.size() == 0) continue;
        const auto answers = predict(part);
        HODO_DOOR(std::ssize(answers) == part.size());
        values.insert(values.end(), answers.begin(), answers.end());
    }
    return values;
}

InferenceCount infer_files(const std::vector<base::Path>& files, const base::Path& folder,
                           std::int64_t epoch, const ApplyOptions& options, const Predict& predict,
                           const std::function<void()>& done) {
    Inference inference(folder, epoch, options, predict, done);
    for (const auto& file : files) inference.add(file);
    inference.flush();
    return inference.count();
}

}  // namespace hodo::lartpc
