/// The verb `evaluate`: judges a network on modules it reads, and writes the evaluation folder.

#include "hodo/base/config.hh"
#include "hodo/base/error.hh"
#include "hodo/base/interrupt.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/detector/optical/quality.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/npz.hh"
#include "hodo/io/parquet.hh"
#include "hodo/tensor/device.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/train/session.hh"
#include "hodo/workflow/om2vec/data_request.hh"
#include "hodo/workflow/om2vec/evaluation.hh"
#include "hodo/workflow/om2vec/learn/judge.hh"
#include "hodo/workflow/om2vec/learn/verbs.hh"
#include "hodo/workflow/output.hh"

#include <algorithm>
#include <cmath>

namespace hodo::om2vec {

namespace {

/// Latents are kept for the report's plots; more modules than this change no picture.
constexpr std::int64_t most_latents = 20'000;

/// The run directory that the weights belong to, or nothing.
base::Path run_folder(const EvaluateOptions& options) {
    const base::Path weights = options.network.weights;
    auto run = std::filesystem::is_directory(weights) ? weights : weights.parent_path();
    return std::filesystem::exists(run / "run.json") ? run : base::Path();
}

base::Path output_folder(const EvaluateOptions& options) {
    if (!options.output.empty()) return options.output;
    const auto run = run_folder(options);
    HODO_CHECK(!run.empty(),
               "{}: lies in no run directory, so it is unclear where to write; add --output FOLDER",
               options.network.weights);
    return run / "evaluation";
}

/// What to judge on, and what to say of it.
struct Judgement {
    DataRequest request;
    std::string_view origin;
};

/// The modules named, else those that the weights' training has kept for validation.
Judgement judgement_of(const EvaluateOptions& options, const optical::Binning& binning) {
    const auto run = run_folder(options);
    std::optional<TrainOptions> training;
    if (!run.empty() && std::filesystem::exists(run / "config.yaml")) {
        training = base::Config::read(run / "config.yaml").section("train").as<TrainOptions>();
    }
    if (!options.input.empty()) {
        if (training && training->data.train == options.input) {
            base::warn(
                "the network was trained on these data; leave the input out to judge it on what "
                "its training kept for validation");
        }
        return {{.inputs = options.input,
                 .ranges = options.ranges,
                 .binning = binning,
                 .read = options.read},
                "named"};
    }
    HODO_CHECK(training && has_validation(*training),
               "{}: kept no data for validation, so there is nothing to judge on by itself; write "
               "'hodo om2vec evaluate --weights RUN DATA'",
               options.network.weights);
    return {validation_request(*training), "validation data of the training"};
}

/// At most `count` modules, each equally likely, in the order of the data.
std::vector<ModuleIndex> draw_modules(const std::vector<std::int64_t>& groups, std::int64_t count,
                                      std::uint64_t seed) {
    std::int64_t left = 0;
    for (const auto rows : groups) left += rows;
    auto wanted = std::min(count, left);
    base::Random random(seed, "drawn modules");
    std::vector<ModuleIndex> drawn;
    for (std::int64_t group = 0; group < std::ssize(groups); ++group) {
        for (std::int64_t row = 0; row < groups[static_cast<std::size_t>(group)]; ++row, --left) {
            if (random.below(static_cast<std::uint64_t>(left)) <
                static_cast<std::uint64_t>(wanted)) {
                drawn.push_back({group, row});
                --wanted;
            }
        }
    }
    return drawn;
}

/// Modules for pictures: from every class of hits in turn, the brightest class first.
std::vector<std::int64_t> choose_examples(const std::vector<double>& hits, std::int64_t count) {
    std::vector<std::vector<std::int64_t>> classes(optical::hit_class_names.size());
    for (std::int64_t i = std::ssize(hits) - 1; i >= 0; --i) {
        const auto place = optical::hit_class(hits[static_cast<std::size_t>(i)]);
        classes[static_cast<std::size_t>(place)].push_back(i);
    }
    std::vector<std::int64_t> chosen;
    bool found = true;
    while (found && std::ssize(chosen) < count) {
        found = false;
        for (auto modules = classes.rbegin(); modules != classes.rend(); ++modules) {
            if (modules->empty() || std::ssize(chosen) == count) continue;
            chosen.push_back(modules->back());
            modules->pop_back();
            found = true;
        }
    }
    return chosen;
}

/// Modules judged at a time: bounds memory.
constexpr std::int64_t modules_per_part = 64;

/// One evaluation under way.
class Evaluator {
  public:
    Evaluator(const Network& network, const EvaluateOptions& options, const ModuleData& data,
              std::string_view origin)
        : network_(network),
          options_(options),
          data_(data),
          origin_(origin),
          judge_(network, options.network.precision, options.seed),
          drawn_(draw_modules(data.groups(), options.max_modules, options.seed)) {
        judged_.codes = judge_.codes();
        judged_.figures.resize(judged_.codes.size());
    }

    void run(const base::Path& folder) {
        io::ParquetWriter table(folder / "modules.parquet", module_columns(judged_.codes),
                                {.metadata = provenance(network_)});
        base::Progress progress("om2vec evaluate", std::ssize(drawn_), "modules");
        for (std::int64_t first = 0; first < std::ssize(drawn_); first += modules_per_part) {
            HODO_CHECK(!base::interrupted(), "{}: interrupted after {} of {} modules", folder,
                       first, std::ssize(drawn_));
            const auto last = std::min(first + modules_per_part, std::ssize(drawn_));
            judge_part(first, last);
            table.append(module_chunk(judged_, first, last));
            progress.advance(last - first);
        }
        table.finish();
        progress.finish();
        write_latents(folder / "latents.npz");
        write_examples(folder / "examples.npz");
        io::write_text(folder / "evaluation.json", facts().dump(2) + "\n");
    }

    const JudgedModules& modules() const { return judged_; }

  private:
    void judge_part(std::int64_t first, std::int64_t last) {
        const auto places = std::span(drawn_).subspan(static_cast<std::size_t>(first),
                                                      static_cast<std::size_t>(last - first));
        const auto modules = data_.load(places);
        const auto judged = judge_.run(view(modules), first);
        const auto figures = judge_.figures(judged, view(modules), first);
        for (std::size_t code = 0; code < figures.size(); ++code) {
            auto& all = judged_.figures[code];
            all.insert(all.end(), figures[code].begin(), figures[code].end());
        }
        for (std::size_t i = 0; i < places.size(); ++i) {
            judged_.file.push_back(places[i].group);
            judged_.row.push_back(places[i].row);
            judged_.id.push_back(modules.id[i]);
            judged_.position.push_back(modules.position[i]);
            judged_.hits.push_back(modules.hits[i]);
        }
        if (first < most_latents) {
            mean_.insert(mean_.end(), judged.mean.begin(), judged.mean.end());
            log_variance_.insert(log_variance_.end(), judged.log_variance.begin(),
                                 judged.log_variance.end());
        }
    }

    void write_latents(const base::Path& file) const {
        const auto width = network_.model.options().latent;
        const auto kept = std::ssize(mean_) / width;
        const std::vector<double> hits(judged_.hits.begin(), judged_.hits.begin() + kept);
        io::write_npz(file,
                      {{"hits", io::make_array(hits)},
                       {"mean", io::make_array<float>(mean_, {kept, width})},
                       {"log_variance", io::make_array<float>(log_variance_, {kept, width})}});
    }

    void write_examples(const base::Path& file) const {
        const auto chosen = choose_examples(judged_.hits, options_.examples);
        std::vector<double> hits;
        std::vector<std::vector<float>> densities(6);
        const auto append = [](std::vector<float>& to, const std::vector<double>& values) {
            for (const double value : values) to.push_back(static_cast<float>(value));
        };
        for (const auto number : chosen) {
            const auto modules =
                data_.load(std::span(&drawn_[static_cast<std::size_t>(number)], 1));
            const auto judged = judge_.run(view(modules), number);
            hits.push_back(modules.hits.front());
            append(densities[0], judged.counts.front());
            append(densities[1], judged.sampled.front());
            append(densities[2], judged.means.front());
            append(densities[3], judge_.baseline("quantiles", judged.counts.front()));
            append(densities[4], judge_.baseline("tight_quantiles", judged.counts.front()));
            append(densities[5], judge_.baseline("equal_bins", judged.counts.front()));
        }
        const std::vector<std::int64_t> shape{std::ssize(chosen), network_.model.options().bins};
        io::NamedArrays arrays{{"module", io::make_array(chosen)}, {"hits", io::make_array(hits)}};
        std::size_t place = 0;
        for (const auto* name :
             {"counts", "sampled", "mean", "quantiles", "tight_quantiles", "equal_bins"}) {
            arrays.push_back({name, io::make_array<float>(densities[place++], shape)});
        }
        io::write_npz(file, arrays);
    }

    io::Json facts() const {
        const auto& binning = network_.binning;
        io::Json facts = io::Json::object();
        facts["workflow"] = "om2vec";
        facts["weights"] = network_.source;
        facts["fingerprint"] = network_.fingerprint;
        facts["latent"] = network_.model.options().latent;
        facts["parameters"] = parameter_count(network_.model.options());
        facts["binning"]["bins"] = network_.model.options().bins;
        facts["binning"]["window_ns"] = binning.window;
        facts["binning"]["rule"] = names(binning.rule)[static_cast<std::size_t>(binning.rule)];
        facts["binning"]["overflow"] =
            names(binning.overflow)[static_cast<std::size_t>(binning.overflow)];
        facts["binning"]["time_zero"] = binning.time_zero;
        facts["modules"] = judged_.size();
        facts["modules_available"] = data_.size();
        facts["data"] = origin_;
        facts["seed"] = options_.seed;
        for (const auto& file : data_.files()) facts["files"].push(file.string());
        facts["uniform_log_likelihood"] =
            -std::log(static_cast<double>(network_.model.options().bins));
        facts["conventions"] = evaluation_conventions();
        facts["classes"] = class_summary(judged_);
        return facts;
    }

    const Network& network_;
    const EvaluateOptions& options_;
    const ModuleData& data_;
    std::string_view origin_;
    Judge judge_;
    std::vector<ModuleIndex> drawn_;
    JudgedModules judged_;
    std::vector<float> mean_, log_variance_;
};

void require_modules(const ModuleData& data, const Judgement& judgement,
                     const EvaluateOptions& options) {
    if (data.size() > 0) return;
    const auto& file = data.files().front();
    const auto& request = judgement.request;
    HODO_CHECK(request.part != Part::held_out,
               "{}: the fraction {} kept for validation holds no module (there are few events), so "
               "there is nothing to judge; train with a larger data.valid_fraction, or name other "
               "events: 'hodo om2vec evaluate --weights {} EVENTS'",
               file, request.held_out, options.network.weights);
    base::fail("{}: has no module with photons, so there is nothing to judge", file);
}

}  // namespace

void run_evaluate(const workflow::Job& job) {
    const auto options = job.config.as<EvaluateOptions>();
    base::watch_signals();
    tensor::prepare_process();
    const train::NoGradients no_gradients;
    auto network =
        load_network(options.network, options.binning,
                     job.config.has("binning") ? BinningChoice::given : BinningChoice::by_default);
    move_to(network.model, tensor::torch_device(tensor::parse_device(job.device)));
    const auto folder = output_folder(options);
    const auto judgement = judgement_of(options, network.binning);
    const ModuleData data(judgement.request);
    require_modules(data, judgement, options);
    workflow::claim_folder(folder, job.existing);
    Evaluator evaluator(network, options, data, judgement.origin);
    evaluator.run(folder);
    workflow::record_run(folder, job, data.files(), options.seed);
    for (const auto& line : class_table(evaluator.modules())) base::say_line(line);
    base::say("median Jensen-Shannon distance per number of hits; wrote {}", folder);
}

}  // namespace hodo::om2vec
