/// The verb `decode`: latents to distributions or photon times.

#include "hodo/base/count.hh"
#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/detector/optical/event_writer.hh"
#include "hodo/detector/optical/grouping.hh"
#include "hodo/detector/optical/schema.hh"
#include "hodo/io/parquet.hh"
#include "hodo/tensor/device.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/train/session.hh"
#include "hodo/workflow/array_job.hh"
#include "hodo/workflow/om2vec/bin_times.hh"
#include "hodo/workflow/om2vec/latent_reader.hh"
#include "hodo/workflow/om2vec/learn/network.hh"
#include "hodo/workflow/om2vec/learn/verbs.hh"
#include "hodo/workflow/output.hh"
#include "hodo/workflow/shard.hh"

#include <algorithm>
#include <map>

namespace hodo::om2vec {

namespace {

/// Modules decoded at a time: a part of probabilities is kept in memory.
constexpr std::int64_t modules_per_part = 256;

/// Turns latents into bin probabilities, a part of the modules at a time.
class Decoder {
  public:
    explicit Decoder(const NetworkInUse& network) : network_(network) {}

    /// Calls `use(module, probability)` for all modules in order.
    template <class Use>
    void each(const Latents& latents, Use use) const {
        const auto bins = static_cast<std::size_t>(network_.options().bins);
        for (std::int64_t first = 0; first < latents.size(); first += modules_per_part) {
            const auto last = std::min(first + modules_per_part, latents.size());
            std::vector<float> some(static_cast<std::size_t>(last - first) * bins);
            network_.decode(means(latents, first, last), some);
            for (auto i = first; i < last; ++i) {
                use(i, std::span<const float>(some).subspan(
                           static_cast<std::size_t>(i - first) * bins, bins));
            }
        }
    }

  private:
    /// The means; log variances may stand behind them.
    std::vector<float> means(const Latents& latents, std::int64_t first, std::int64_t last) const {
        std::vector<float> z;
        for (auto i = first; i < last; ++i) {
            const auto begin = latents.values.begin() + i * latents.width;
            z.insert(z.end(), begin, begin + network_.options().latent);
        }
        return z;
    }
    const NetworkInUse& network_;
};

/// The file must have been encoded with this network's width and binning.
void require_fitting(const Latents& latents, const Network& network, const base::Path& file) {
    const auto width = network.model.options().latent;
    HODO_CHECK(latents.width == 0 || latents.width == width || latents.width == 2 * width,
               "{}: has {} latents per module but the network decodes {}; name the weights that "
               "encoded it",
               file, latents.width, width);
    const auto note = latents.note("hodo_weights_fingerprint");
    if (note && *note != network.fingerprint) {
        base::warn("{}: was encoded with other weights (fingerprint {} instead of {})", file, *note,
                   network.fingerprint);
    }
}

base::Random module_stream(std::uint64_t seed, std::int64_t event, optical::ModuleId id) {
    const auto purpose = base::format("decode {} {}", id.string, id.sensor);
    return base::Random(seed, purpose, static_cast<std::uint64_t>(event));
}

/// What the input's photons say about a module: how many, where, and when time zero was.
struct KnownModule {
    std::int64_t photons = 0;
    optical::Point position{};
    double time_zero = 0;
};
using KnownModules = std::map<std::pair<std::int64_t, optical::ModuleId>, KnownModule>;

KnownModules known_modules(const base::Path& file) {
    optical::EventReader reader({file}, {.truth = optical::TruthReading::no});
    KnownModules known;
    optical::PhotonGrouper grouper;
    while (const auto block = reader.next()) {
        for (std::int64_t event = 0; event < block->size(); ++event) {
            const auto e = static_cast<std::size_t>(event);
            const auto begin = block->time.begin() + block->offsets[e];
            const auto end = block->time.begin() + block->offsets[e + 1];
            const double first = begin == end ? 0.0 : *std::min_element(begin, end);
            grouper.group(*block, event, optical::ModuleOrder::ascending);
            for (const auto& module : grouper.modules()) {
                auto& entry = known[{block->row[e], module.id}];
                entry.photons += module.size();
                entry.position = module.position;
                entry.time_zero = first;
            }
        }
    }
    return known;
}

/// Sampled photons as events of the current Prometheus layout.
optical::Events sampled_events(const Latents& latents, const Decoder& decoder,
                               const optical::Binning& binning, const DecodeOptions& options,
                               const KnownModules& known) {
    optical::Events events;
    std::int64_t current = -1;
    decoder.each(latents, [&](std::int64_t i, std::span<const float> probability) {
        const auto module = static_cast<std::size_t>(i);
        if (latents.event[module] != current) {
            current = latents.event[module];
            events.offsets.push_back(events.offsets.back());
            events.file.push_back(0);
            events.row.push_back(current);
        }
        const auto found = known.find({current, latents.id[module]});
        const auto facts = found == known.end() ? KnownModule{} : found->second;
        const auto photons = options.photons > 0 ? options.photons : facts.photons;
        auto random = module_stream(options.seed, current, latents.id[module]);
        for (const double time : sample_times(probability, binning, photons, random)) {
            events.time.push_back(facts.time_zero + time);
            events.x.push_back(facts.position[0]);
            events.y.push_back(facts.position[1]);
            events.z.push_back(facts.position[2]);
            events.string.push_back(latents.id[module].string);
            events.sensor.push_back(latents.id[module].sensor);
        }
        events.offsets.back() = std::ssize(events.time);
    });
    return events;
}

/// One row per module: event, string_id, sensor_id and a list column.
class ModuleTable {
  public:
    ModuleTable(const base::Path& file, std::string_view list, io::KeyValues metadata)
        : list_(list),
          writer_(file,
                  {{"event", io::ColumnType::i64, 0},
                   {"string_id", io::ColumnType::i64, 0},
                   {"sensor_id", io::ColumnType::i64, 0},
                   {list_, io::ColumnType::f32, 1}},
                  {.metadata = std::move(metadata)}) {}

    void add(std::int64_t event, optical::ModuleId id, std::span<const float> values) {
        event_.push_back(event);
        string_.push_back(id.string);
        sensor_.push_back(id.sensor);
        values_.insert(values_.end(), values.begin(), values.end());
        offsets_.push_back(std::ssize(values_));
        if (event_.size() == 1024) flush();
    }
    void finish() {
        flush();
        writer_.finish();
    }

  private:
    void flush() {
        io::Chunk chunk;
        chunk.rows = std::ssize(event_);
        chunk.columns = {
            {{"event", io::ColumnType::i64, 0}, {}, std::move(event_)},
            {{"string_id", io::ColumnType::i64, 0}, {}, std::move(string_)},
            {{"sensor_id", io::ColumnType::i64, 0}, {}, std::move(sensor_)},
            {{list_, io::ColumnType::f32, 1}, {std::move(offsets_)}, std::move(values_)}};
        writer_.append(chunk);
        event_ = {}, string_ = {}, sensor_ = {}, values_ = {};
        offsets_ = {0};
    }
    std::string list_;
    io::ParquetWriter writer_;
    std::vector<std::int64_t> event_, string_, sensor_, offsets_{0};
    std::vector<float> values_;
};

void write_distributions(const Latents& latents, const Decoder& decoder, const base::Path& file,
                         io::KeyValues metadata) {
    ModuleTable table(file, "probability", std::move(metadata));
    decoder.each(latents, [&](std::int64_t i, std::span<const float> probability) {
        const auto module = static_cast<std::size_t>(i);
        table.add(latents.event[module], latents.id[module], probability);
    });
    table.finish();
}

void write_times(const Latents& latents, const Decoder& decoder, const Network& network,
                 const DecodeOptions& options, const base::Path& input, const base::Path& file,
                 io::KeyValues metadata) {
    HODO_CHECK(
        latents.beside_events || options.photons > 0,
        "{}: holds no photons, so the number to sample per module is unknown; add --photons N",
        input);
    const auto known = latents.beside_events ? known_modules(input) : KnownModules{};
    const auto events = sampled_events(latents, decoder, network.binning, options, known);
    optical::write_events(file, events, {.metadata = std::move(metadata)});
}

/// The name of a decoded file.
base::Path target_in(const base::Path& folder, const base::Path& file) {
    return folder / file.filename().replace_extension(".parquet");
}

void decode_file(const base::Path& file, const base::Path& target, const Network& network,
                 const Decoder& decoder, const DecodeOptions& options) {
    const auto latents = read_latents(file);
    require_fitting(latents, network, file);
    if (options.form == DecodedForm::distribution) {
        write_distributions(latents, decoder, target, provenance(network));
    } else {
        write_times(latents, decoder, network, options, file, target, provenance(network));
    }
}

/// Decoding as an array job: every input file gives one output file, so shards take whole files.
workflow::ArrayJob array_of(const std::vector<base::Path>& files, const Network& network,
                            const Decoder& decoder, const DecodeOptions& options) {
    workflow::ArrayJob array;
    array.output = options.output;
    array.inputs = files;
    array.circumstances = provenance(network);
    array.make = [&](const base::Path& folder, const workflow::Shard& shard) {
        for (const auto& file : workflow::files_of_shard(files, shard)) {
            decode_file(file, target_in(folder, file), network, decoder, options);
        }
    };
    array.join = [&](const std::vector<workflow::Part>& parts) {
        std::vector<base::Path> targets;
        for (const auto& part : parts) {
            for (const auto& file : part.files) {
                const bool one_file = workflow::is_one_file(options.output);
                targets.push_back(one_file ? base::Path(options.output)
                                           : target_in(options.output, file));
                workflow::place_file(file, targets.back());
            }
        }
        return targets;
    };
    return array;
}

}  // namespace

void run_decode(const workflow::Job& job) {
    const auto options = job.config.as<DecodeOptions>();
    const auto files = latent_files(options.input);
    tensor::prepare_process();
    const train::NoGradients no_gradients;
    auto network = load_network(options.network, {}, BinningChoice::by_default);
    move_to(network.model, tensor::torch_device(tensor::parse_device(job.device)));
    HODO_CHECK(!options.output.empty(), "no output is named; add a folder or a .parquet file");
    const base::Path output = options.output;
    const bool one_file = output.extension() == ".parquet";
    HODO_CHECK(!one_file || files.size() == 1,
               "{}: {} input files cannot go into one output file; name a folder", output,
               files.size());
    const NetworkInUse in_use(network, options.network.precision);
    const Decoder decoder(in_use);
    if (job.portion != workflow::Portion::whole) {
        return workflow::run_array(job, array_of(files, network, decoder, options));
    }
    if (one_file) {
        workflow::claim_file(output, job.existing);
    } else {
        workflow::claim_folder(output, job.existing);
    }
    base::Progress progress("om2vec decode", std::ssize(files), "files");
    for (const auto& file : files) {
        decode_file(file, one_file ? output : target_in(output, file), network, decoder, options);
        progress.advance();
    }
    progress.finish();
    if (!one_file) workflow::record_run(output, job, files, options.seed);
    base::say("decoded {} into {}", base::counted(std::ssize(files), "files"), output);
}

}  // namespace hodo::om2vec
