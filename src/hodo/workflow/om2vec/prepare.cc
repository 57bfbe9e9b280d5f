/// The verb `prepare`: events to sparse histograms.

#include "hodo/base/count.hh"
#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/detector/optical/chunks.hh"
#include "hodo/detector/optical/files.hh"
#include "hodo/detector/optical/prepared.hh"
#include "hodo/workflow/array_job.hh"
#include "hodo/workflow/om2vec/event_shards.hh"
#include "hodo/workflow/om2vec/module_data.hh"
#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/om2vec/verbs.hh"
#include "hodo/workflow/output.hh"

#include <memory>

namespace hodo::om2vec {

namespace {

using optical::ModuleOrder;

/// What all prepared files say about where they come from.
io::KeyValues origin(const io::Json& config) {
    io::KeyValues metadata;
    if (!config.is_null()) metadata.emplace_back("config_prometheus", config.dump());
    return metadata;
}

/// Sparse shards or the original's chunks, as asked for.
class Writer {
  public:
    Writer(const base::Path& folder, const PrepareOptions& options,
           const std::vector<base::Path>& files, const io::Json& config) {
        if (options.format == PreparedFormat::om2vec) {
            chunks_ = std::make_unique<optical::ChunkWriter>(folder, options.binning.width(),
                                                             options.chunk_size, origin(config));
            return;
        }
        optical::PreparedHeader header{
            options.binning, ModuleOrder::first_appearance, {}, origin(config)};
        for (const auto& file : files) header.sources.push_back(file.string());
        shards_ = std::make_unique<optical::PreparedWriter>(folder, header);
    }
    void append(optical::ModuleCounts counts, const optical::Events& events) {
        if (chunks_) {
            chunks_->append(counts);
        } else {
            shards_->append(optical::prepared_modules(std::move(counts), events));
        }
    }
    /// Appends a file that another writer of this kind has written.
    void append(const base::Path& file) {
        if (chunks_) {
            optical::ChunkReader reader(file);
            while (const auto counts = reader.next()) chunks_->append(*counts);
        } else {
            shards_->append(optical::PreparedSet(std::vector<base::Path>{file}).read(0));
        }
    }
    std::vector<base::Path> finish() { return chunks_ ? chunks_->finish() : shards_->finish(); }

  private:
    std::unique_ptr<optical::ChunkWriter> chunks_;
    std::unique_ptr<optical::PreparedWriter> shards_;
};

/// The modules of events with at least `least` modules.
optical::ModuleCounts modules_of_large_events(optical::ModuleCounts all,
                                              const optical::Events& events, std::int64_t least) {
    if (least <= 1) return all;
    std::vector<std::int64_t> hit(static_cast<std::size_t>(events.size()));
    for (const auto event : all.event) ++hit[static_cast<std::size_t>(event)];
    optical::ModuleCounts some;
    for (std::int64_t i = 0; i < all.size(); ++i) {
        const auto event = static_cast<std::size_t>(all.event[static_cast<std::size_t>(i)]);
        if (hit[event] >= least) append_module(some, all, i);
    }
    return some;
}

struct Tally {
    std::int64_t modules = 0, photons = 0;
};

Tally bin_all(optical::EventReader& reader, const PrepareOptions& options, Writer& writer) {
    base::Progress progress("om2vec prepare", reader.event_count().value_or(0), "events");
    Tally tally;
    while (const auto block = reader.next()) {
        auto counts = modules_of_large_events(
            bin_photons(*block, options.binning, ModuleOrder::first_appearance), *block,
            options.min_modules);
        tally.modules += counts.size();
        tally.photons += block->photons();
        writer.append(std::move(counts), *block);
        progress.advance(block->size());
    }
    progress.finish();
    return tally;
}

/// Preparing as an array job: each shard writes prepared files, which the last call writes again as
/// one process would have cut them.
workflow::ArrayJob array_of(const std::vector<base::Path>& files, const PrepareOptions& options) {
    workflow::ArrayJob array;
    array.output = options.output;
    array.inputs = files;
    array.make = [&](const base::Path& folder, const workflow::Shard& shard) {
        optical::EventReader reader(files, options.read,
                                    events_of_shard(files, options.read, shard));
        Writer writer(folder, options, files, reader.metadata());
        bin_all(reader, options, writer);
        writer.finish();
    };
    array.join = [&](const std::vector<workflow::Part>& parts) {
        Writer writer(options.output, options, files,
                      optical::EventReader(files, options.read).metadata());
        for (const auto& part : parts) {
            for (const auto& file : part.files) writer.append(file);
        }
        return writer.finish();
    };
    return array;
}

}  // namespace

void run_prepare(const workflow::Job& job) {
    auto options = job.config.as<PrepareOptions>();
    HODO_CHECK(!options.input.empty(),
               "no input is named; write 'hodo om2vec prepare INPUT OUTPUT'");
    const auto files = optical::event_files(options.input);
    const auto time_zero = optical::TimeZero::parse(options.binning.time_zero);
    options.read.truth = optical::TruthReading::no;
    if (time_zero.kind == optical::TimeZero::Kind::trigger) options.read.trigger = time_zero.column;
    if (job.portion != workflow::Portion::whole) {
        return workflow::run_array(job, array_of(files, options));
    }
    optical::EventReader reader(files, options.read);
    workflow::claim_folder(options.output, job.existing);
    Writer writer(options.output, options, files, reader.metadata());
    const auto [modules, photons] = bin_all(reader, options, writer);
    const auto written = writer.finish();
    workflow::record_run(options.output, job, files);
    base::say("binned {} of {} into {} in {}", base::counted(photons, "photons"),
              base::counted(modules, "modules"), base::counted(std::ssize(written), "files"),
              options.output);
}

}  // namespace hodo::om2vec
