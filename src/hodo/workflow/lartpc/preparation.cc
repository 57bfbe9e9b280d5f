#include "hodo/workflow/lartpc/preparation.hh"

#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/detector/lartpc/merged_outputs.hh"
#include "hodo/workflow/lartpc/inference_files.hh"

#include <algorithm>
#include <map>
#include <numeric>

namespace hodo::lartpc {

namespace {

/// Where each plane's charge goes in a voxel's features.
std::array<std::size_t, planes_per_face> feature_order(const AnodeFace& face, PlaneOrder order) {
    std::array<std::size_t, planes_per_face> place{};
    std::iota(place.begin(), place.end(), std::size_t{0});
    if (order == PlaneOrder::angle) return place;
    std::sort(place.begin(), place.end(), [&](std::size_t a, std::size_t b) {
        return face.planes[a].name < face.planes[b].name;
    });
    return place;
}

void reorder(TiledEvent& event, const std::array<std::size_t, planes_per_face>& order) {
    for (auto& charge : event.charge) {
        const auto before = charge;
        for (std::size_t k = 0; k < order.size(); ++k) charge[k] = before[order[k]];
    }
}

/// Reads, tiles and writes the events of one input file.
class FilePreparation {
  public:
    FilePreparation(const base::Path& input, const PrepareOptions& options,
                    const Detector& detector)
        : input_(input),
          options_(options),
          detector_(detector),
          name_(parse_file_name(input.filename().string()).value()),
          factors_(downsampling_of(options.downsample, "downsample")),
          output_(options.output) {
        HODO_CHECK(name_.tpc, "{}: the name tells no TPC; it should hold 'TPC1' or the like",
                   input);
        try {
            face();
        } catch (const base::Error& error) {
            throw base::with_context(error, input.string());
        }
    }

    bool is_wanted() const {
        const auto& tpcs = options_.tpcs;
        return tpcs.empty() || std::find(tpcs.begin(), tpcs.end(), *name_.tpc) != tpcs.end();
    }
    bool is_done() const {
        return std::filesystem::exists(batch_file(0)) &&
               (!saves_pixels() || std::filesystem::exists(pixel_file()));
    }

    void run() {
        read_events();
        const auto events = std::ssize(events_);
        HODO_CHECK(events > 0, "{}: holds no events", input_);
        const auto size = options_.batch_size > 0 ? options_.batch_size : events;
        HODO_CHECK(events % size == 0,
                   "{}: {} events cannot be cut into batches of {}; choose a batch_size that "
                   "divides them",
                   input_, events, size);
        // The first batch is written last: where it exists the file is done.
        for (auto batch = events / size; batch-- > 0;) write_batch(batch, size);
    }

  private:
    base::Path batch_file(std::int64_t batch) const {
        return output_ / base::format("batch{}-{}", batch, name_.with_product("xy"));
    }

    base::Path pixel_file() const { return output_ / name_.with_product("pixel"); }
    bool saves_pixels() const { return options_.save_pix && options_.source != Source::pixel; }

    void read_events() {
        if (options_.source == Source::pixel) {
            for (const auto& pixels : read_pixels(input_)) {
                events_.push_back(downsample(pixels, factors_));
            }
        } else {
            tile();
        }
        const auto order = feature_order(face(), options_.plane_order);
        for (auto& event : events_) reorder(event, order);
        for (const auto& product : options_.truth) {
            const auto file = input_.parent_path() / name_.with_product(product);
            if (!std::filesystem::exists(file)) continue;
            read_truth(file);
            break;
        }
    }

    const AnodeFace& face() const { return detector_.face_of(*name_.tpc); }

    void tile() {
        const Tiler tiler(
            PixelGrid(detector_, detector_.tpc(*name_.tpc).face, static_cast<int>(options_.box[0]),
                      static_cast<int>(options_.box[1])),
            {.threshold = options_.threshold, .border = options_.border});
        const ParsedFile file(input_);
        std::vector<TiledEvent> pixels;
        for (std::int64_t event = 0; event < file.events(); ++event) {
            const auto signals = file.signals(event);
            try {
                if (saves_pixels()) {
                    pixels.push_back(tiler.tile(signals, {1, 1, 1}));
                    events_.push_back(downsample(pixels.back(), factors_));
                } else {
                    events_.push_back(tiler.tile(signals, factors_));
                }
            } catch (const base::Error& error) {
                throw base::with_context(error, base::format("{}: event {}", input_, event));
            }
        }
        if (saves_pixels()) write_pixels(pixel_file(), pixels);
    }

    void read_truth(const base::Path& path) {
        const ParsedFile file(path);
        HODO_CHECK(file.events() == std::ssize(events_), "{}: has {} events where {} has {}", path,
                   file.events(), input_, events_.size());
        for (std::int64_t event = 0; event < file.events(); ++event) {
            truth_.push_back(merge_truth(file.image(event), factors_));
        }
    }

    void write_batch(std::int64_t batch, std::int64_t size) const {
        TiledBatch tiled;
        for (auto event = batch * size; event < (batch + 1) * size; ++event) {
            const auto e = static_cast<std::size_t>(event);
            tiled.append(events_[e], truth_.empty() ? nullptr : &truth_[e]);
        }
        if (!options_.coarse_truth.empty() && tiled.has_truth) {
            tiled.coarse =
                coarse_truth(tiled, downsampling_of(options_.coarse_truth, "coarse_truth"));
        }
        write_xy(batch_file(batch), tiled);
    }

    base::Path input_;
    const PrepareOptions& options_;
    const Detector& detector_;
    FileName name_;
    Downsampling factors_;
    base::Path output_;
    std::vector<TiledEvent> events_;
    std::vector<VoxelImage> truth_;
};

/// The files of one batch of events, one per TPC; empty when one is missing.
std::vector<base::Path> partners(const base::Path& first, const FileName& name,
                                 const std::vector<std::int64_t>& tpcs) {
    std::vector<base::Path> files;
    for (const auto tpc : tpcs) {
        files.push_back(first.parent_path() / name.with_tpcs(std::to_string(tpc)));
        if (!std::filesystem::exists(files.back())) return {};
    }
    return files;
}

std::vector<std::string> tpc_texts(const std::vector<std::int64_t>& tpcs) {
    std::vector<std::string> texts;
    for (const auto tpc : tpcs) texts.push_back(std::to_string(tpc));
    return texts;
}

void check_tpcs(const std::vector<std::int64_t>& tpcs, const Detector& detector) {
    for (std::size_t i = 0; i < tpcs.size(); ++i) {
        detector.tpc(tpcs[i]);
        HODO_CHECK(std::find(tpcs.begin(), tpcs.begin() + std::ptrdiff_t(i), tpcs[i]) ==
                       tpcs.begin() + std::ptrdiff_t(i),
                   "tpcs names TPC {} twice; its voxels would be there twice", tpcs[i]);
    }
}

/// The outputs of every event as images.
std::vector<VoxelImage> output_images(const base::Path& xy, const base::Path& outputs) {
    const auto batch = read_xy(xy);
    const auto values = read_inference(outputs);
    HODO_CHECK(std::ssize(values) == batch.cloud.size(),
               "{}: has {} values for the {} voxels of {}; it belongs to another file", outputs,
               values.size(), batch.cloud.size(), xy);
    std::vector<VoxelImage> images;
    for (std::int64_t event = 0; event < batch.cloud.events(); ++event) {
        VoxelImage image{.voxels = {}, .width = 1, .values = {}};
        for (auto i = batch.cloud.begin(event); i < batch.cloud.end(event); ++i) {
            image.voxels.push_back(batch.cloud.voxels[static_cast<std::size_t>(i)]);
            image.values.push_back(static_cast<double>(values[static_cast<std::size_t>(i)]));
        }
        images.push_back(std::move(image));
    }
    return images;
}

/// Writes the outputs of several TPCs as one file of [n, 4] per event.
void merge_files(const base::Path& target, const std::vector<base::Path>& xy,
                 const std::vector<base::Path>& outputs, const std::vector<int>& tpcs,
                 const Detector& detector, Downsampling factors) {
    std::vector<std::vector<VoxelImage>> parts;
    for (std::size_t i = 0; i < xy.size(); ++i) parts.push_back(output_images(xy[i], outputs[i]));
    ParsedWriter writer(target);
    for (std::size_t event = 0; event < parts.front().size(); ++event) {
        std::vector<VoxelImage> images;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            HODO_CHECK(parts[i].size() == parts.front().size(),
                       "{}: has other events than the file of the first TPC", xy[i]);
            images.push_back(parts[i][event]);
        }
        writer.add(merge_outputs(images, detector, tpcs, factors));
    }
    writer.commit();
}

/// The voxels of several TPCs. Coarse truth has cells of the common frame, so it is made anew.
TiledBatch joined_batch(const std::vector<base::Path>& files, const JoinOptions& options,
                        const Detector& detector, const std::vector<int>& tpcs) {
    std::vector<TiledBatch> batches;
    for (const auto& file : files) {
        const auto archive = io::NpzArchive::open(file);
        HODO_CHECK(!options.coarse_truth.empty() || !archive.has("Y_downsample"),
                   "{}: holds truth in coarse cells (Y_downsample), which must be made anew in the "
                   "common frame; give --coarse-truth with the factors of 'prepare', such as 5 5 5",
                   file);
        batches.push_back(read_xy(archive));
    }
    auto joined =
        join_tpcs(batches, detector, tpcs, downsampling_of(options.downsample, "downsample"));
    if (!options.coarse_truth.empty() && joined.has_truth) {
        joined.coarse = coarse_truth(joined, downsampling_of(options.coarse_truth, "coarse_truth"));
    }
    return joined;
}

}  // namespace

PreparationCount prepare_files(const std::vector<base::Path>& inputs, const PrepareOptions& options,
                               Present present, const std::function<void()>& done) {
    PreparationCount count;
    const auto detector = detector_of(options.detector);
    std::filesystem::create_directories(options.output);
    for (const auto& input : inputs) {
        FilePreparation file(input, options, detector);
        if (!file.is_wanted()) {
            ++count.skipped;
        } else if (present == Present::keep && file.is_done()) {
            ++count.present;
        } else {
            file.run();
            ++count.written;
        }
        done();
    }
    return count;
}

PreparationCount join_files(const JoinOptions& options, Present present) {
    PreparationCount count;
    const auto detector = detector_of(options.detector);
    const bool is_inference = !options.inference.empty();
    const auto inference =
        is_inference ? inference_by_xy({options.inference}, -1) : InferenceByXy{};
    const base::Path output = options.output.empty() ? options.input : options.output;
    const auto factors = downsampling_of(options.downsample, "downsample");
    std::string digits;
    std::vector<int> tpcs;
    for (const auto tpc : options.tpcs) {
        digits += std::to_string(tpc);
        tpcs.push_back(static_cast<int>(tpc));
    }
    check_tpcs(options.tpcs, detector);
    for (const auto& first : files_of_product({options.input}, "xy")) {
        const auto name = parse_file_name(first.filename().string()).value();
        if (!name.tpc || *name.tpc != options.tpcs.front()) continue;
        const auto files = partners(first, name, options.tpcs);
        std::vector<base::Path> outputs;
        for (const auto& file : is_inference ? files : std::vector<base::Path>{}) {
            const auto found = inference.find(file.filename().string());
            outputs.push_back(found == inference.end() ? base::Path() : found->second.second);
        }
        if (files.empty() || std::find(outputs.begin(), outputs.end(), "") != outputs.end()) {
            base::detail("{}: not joined, for a TPC is missing", first);
            ++count.skipped;
            continue;
        }
        auto target = output / name.with_tpcs(digits);
        if (is_inference) {
            const auto output_name = parse_file_name(outputs.front().filename().string()).value();
            target = output / output_name.with_tpcs(digits);
            target.replace_extension(".npz");
        }
        if (present == Present::keep && std::filesystem::exists(target)) {
            ++count.present;
            continue;
        }
        if (is_inference) {
            std::filesystem::create_directories(output);
            merge_files(target, files, outputs, tpcs, detector, factors);
            ++count.written;
            continue;
        }
        write_xy(target, joined_batch(files, options, detector, tpcs));
        ++count.written;
    }
    HODO_CHECK(count.written + count.present > 0,
               "{}: no event has files of all TPCs {}{}; check --tpcs and the folders",
               options.input, base::join(tpc_texts(options.tpcs), ", "),
               is_inference ? " with outputs in " + options.inference : std::string());
    return count;
}

}  // namespace hodo::lartpc
