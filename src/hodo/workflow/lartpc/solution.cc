#include "hodo/workflow/lartpc/solution.hh"

#include "hodo/base/config.hh"
#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/io/json.hh"
#include "hodo/workflow/lartpc/inference_files.hh"

#include <optional>
#include <tuple>

namespace hodo::lartpc {

namespace {

// Beside xy files that 'prepare' wrote.
constexpr const char* prepared_with = "config.yaml";
constexpr const char* noted_beside = "prepare.json";

/// What 'prepare' noted beside the xy file about how it was made; nothing when it was made
/// elsewhere.
std::optional<PrepareOptions> preparation_of(const base::Path& xy) {
    const auto file = xy.parent_path() / prepared_with;
    if (!std::filesystem::exists(file)) return std::nullopt;
    const auto config = base::Config::read(file);
    if (!config.has("prepare")) return std::nullopt;
    return config.section("prepare").as<PrepareOptions>();
}

std::string_view name_of(Source source) {
    return names(source)[static_cast<std::size_t>(source)];
}

std::string words(const std::vector<std::int64_t>& factors) {
    return base::format("{} {} {}", factors[0], factors[1], factors[2]);
}

void check_preparation(const base::Path& xy, const SolveOptions& options) {
    const auto prepared = preparation_of(xy);
    if (!prepared) return;
    HODO_CHECK(prepared->downsample == options.downsample,
               "{}: its voxels were made with factors {}, not {}, so they are not those of the "
               "wires; give --downsample {}",
               xy, words(prepared->downsample), words(options.downsample),
               words(prepared->downsample));
    HODO_CHECK(prepared->source == options.source || prepared->source == Source::pixel,
               "{}: was prepared from {} files, not {} files; give --source {}", xy,
               name_of(prepared->source), name_of(options.source), name_of(prepared->source));
}

/// `prepare` notes beside xy files which detector they are of.
void check_detector(const base::Path& xy, const Detector& detector) {
    const auto file = xy.parent_path() / noted_beside;
    if (!std::filesystem::exists(file)) return;
    const auto noted = io::Json::parse(io::read_text(file), file.string());
    if (!noted.has("detector")) return;
    HODO_CHECK(noted.at("detector").text() == fact_of_detector(detector),
               "{}: was prepared for detector {}, not {}; name that one with --detector", xy,
               noted.at("detector").text(), fact_of_detector(detector));
}

/// The parsed file of the signals that the xy file was prepared from.
base::Path signals_of(const base::Path& xy, const FileName& name, const SolveOptions& options) {
    const base::Path folder = options.parsed;
    const auto file = folder / parsed_name(name, name_of(options.source));
    if (std::filesystem::exists(file)) return file;
    const auto other = options.source == Source::wire ? Source::hit : Source::wire;
    HODO_CHECK(!std::filesystem::exists(folder / parsed_name(name, name_of(other))),
               "{}: {} is not there, but its {}s are; give --source {}", xy, file, name_of(other),
               name_of(other));
    base::fail("{}: its {}s, {}, are not there; name the folder of parsed files with --parsed", xy,
               name_of(options.source), file);
}

/// Solves the events of one xy file.
class FileSolution {
  public:
    FileSolution(const ChargeSource& source, const SolveOptions& options, const Detector& detector)
        : source_(source),
          options_(options),
          detector_(detector),
          name_(parse_file_name(source.xy.filename().string()).value()),
          cloud_(read_xy(io::NpzArchive::open(source.xy), TruthImages::skip).cloud),
          wires_(source.wires) {
        const auto needed = (name_.batch.value_or(0) + 1) * cloud_.events();
        HODO_CHECK(wires_.events() >= needed,
                   "{}: holds {} events where {} needs {}; name the folder that it was prepared "
                   "from with --parsed",
                   source.wires, wires_.events(), source.xy, needed);
        if (source.outputs.empty()) return;
        outputs_ = read_inference(source.outputs);
        HODO_CHECK(std::ssize(outputs_) == cloud_.size(),
                   "{}: has {} values for the {} voxels of {}; it belongs to another file",
                   source.outputs, outputs_.size(), cloud_.size(), source.xy);
    }

    std::vector<float> solve() {
        const PixelGrid grid(detector_, detector_.tpc(*name_.tpc).face);
        const ChargeOptions how{.method = options_.method,
                                .lasso = {.alpha = options_.alpha},
                                .factors = downsampling_of(options_.downsample, "downsample")};
        std::vector<float> charges(static_cast<std::size_t>(cloud_.size()));
        for (std::int64_t event = 0; event < cloud_.events(); ++event) {
            const auto rows = kept_rows(event);
            if (rows.empty()) continue;
            std::vector<Voxel> voxels;
            for (const auto row : rows) voxels.push_back(cloud_.voxels[row]);
            const auto number = name_.batch.value_or(0) * cloud_.events() + event;
            const auto solved = solve_charges(grid, wires_.signals(number), voxels, how,
                                              base::format("{}: event {}", source_.xy, event));
            for (std::size_t i = 0; i < rows.size(); ++i) {
                charges[rows[i]] = static_cast<float>(solved[i]);
            }
            solved_ += std::ssize(rows);
        }
        return charges;
    }

    /// Voxels that may hold charge.
    std::int64_t solved() const { return solved_; }

  private:
    std::vector<std::size_t> kept_rows(std::int64_t event) const {
        std::vector<std::size_t> rows;
        for (auto i = cloud_.begin(event); i < cloud_.end(event); ++i) {
            const auto row = static_cast<std::size_t>(i);
            if (outputs_.empty() || double(outputs_[row]) >= options_.threshold)
                rows.push_back(row);
        }
        return rows;
    }

    const ChargeSource& source_;
    const SolveOptions& options_;
    const Detector& detector_;
    FileName name_;
    VoxelCloud cloud_;
    ParsedFile wires_;
    std::vector<float> outputs_;
    std::int64_t solved_ = 0;
};

}  // namespace

std::vector<ChargeSource> charge_sources(const std::vector<base::Path>& files,
                                         const SolveOptions& options) {
    const auto detector = detector_of(options.detector);
    const auto outputs = options.inference.empty()
                             ? InferenceByXy{}
                             : inference_by_xy({options.inference}, options.epoch);
    std::vector<ChargeSource> sources;
    for (const auto& file : files) {
        const auto name = parse_file_name(file.filename().string()).value();
        HODO_CHECK(name.tpc && *name.tpc < std::ssize(detector.tpcs),
                   "{}: is not of one TPC, so it has no wires of its own; leave joined files out "
                   "with --tpcs",
                   file);
        check_preparation(file, options);
        check_detector(file, detector);
        ChargeSource source{
            .xy = file, .wires = signals_of(file, name, options), .outputs = {}, .epoch = 0};
        if (!options.inference.empty()) {
            const auto found = outputs.find(name.text);
            HODO_CHECK(found != outputs.end(),
                       "{}: {} has no outputs for it; make them with 'hodo lartpc apply', or name "
                       "another folder or --epoch",
                       file, options.inference);
            std::tie(source.epoch, source.outputs) = found->second;
        }
        sources.push_back(std::move(source));
    }
    return sources;
}

SolutionCount solve_files(const std::vector<ChargeSource>& sources, const base::Path& folder,
                          const SolveOptions& options, const std::function<void()>& done) {
    SolutionCount count;
    const auto detector = detector_of(options.detector);
    for (const auto& source : sources) {
        const auto target = folder / inference_name(source.xy, source.epoch);
        if (std::filesystem::exists(target)) {
            ++count.present;
        } else {
            FileSolution file(source, options, detector);
            write_inference(target, file.solve());
            count.voxels += file.solved();
            ++count.files;
        }
        done();
    }
    return count;
}

}  // namespace hodo::lartpc
