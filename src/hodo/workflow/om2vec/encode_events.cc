#include "hodo/workflow/om2vec/encode_events.hh"

#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/detector/optical/files.hh"
#include "hodo/detector/optical/grouping.hh"
#include "hodo/workflow/array_job.hh"
#include "hodo/workflow/om2vec/event_shards.hh"
#include "hodo/workflow/om2vec/latent_parts.hh"
#include "hodo/workflow/om2vec/latent_writer.hh"
#include "hodo/workflow/output.hh"

namespace hodo::om2vec {

namespace {

/// What is known of the events of a block before anything is encoded.
struct Admission {
    std::vector<std::int64_t> modules;
    std::vector<EventFate> fates;
    bool all_encoded = true;
};

Admission admit_events(const optical::Events& block, LatentSink& sink) {
    Admission admission;
    optical::PhotonGrouper grouper;
    for (std::int64_t event = 0; event < block.size(); ++event) {
        grouper.group(block, event, optical::ModuleOrder::ascending);
        admission.modules.push_back(std::ssize(grouper.modules()));
        admission.fates.push_back(sink.admit(admission.modules.back()));
        admission.all_encoded &= admission.fates.back() == EventFate::encode;
    }
    return admission;
}

/// The events to be encoded, and where each stands among them.
optical::Events encoded_events(const optical::Events& block, const Admission& admission) {
    optical::Events some;
    for (std::int64_t event = 0; event < block.size(); ++event) {
        if (admission.fates[static_cast<std::size_t>(event)] == EventFate::encode) {
            some.append(block, event);
        }
    }
    return some;
}

void write_block(const optical::Events& block, const Admission& admission,
                 const EncodedModules& encoded, std::int64_t width, LatentSink& sink) {
    std::int64_t module = 0, position = 0;
    for (std::int64_t event = 0; event < block.size(); ++event) {
        const auto e = static_cast<std::size_t>(event);
        const auto fate = admission.fates[e];
        if (fate == EventFate::drop) continue;
        const auto first = module;
        if (fate == EventFate::encode) {
            while (module < std::ssize(encoded.event) &&
                   encoded.event[static_cast<std::size_t>(module)] == position) {
                ++module;
            }
            ++position;
        }
        const auto begin = static_cast<std::size_t>(first);
        const auto count = static_cast<std::size_t>(module - first);
        const auto w = static_cast<std::size_t>(width);
        sink.add({block.file[e], block.row[e]}, fate, admission.modules[e],
                 std::span(encoded.id).subspan(begin, count),
                 std::span(encoded.values).subspan(begin * w, count * w));
    }
}

bool is_flat(optical::EventLayout layout) {
    return layout == optical::EventLayout::flat_parquet ||
           layout == optical::EventLayout::flat_sqlite;
}

void require_place_for_latents(optical::EventLayout layout, const base::Path& file,
                               const LatentOutput& output) {
    HODO_CHECK(!is_flat(layout) || output.latents_only,
               "{}: has one row per photon, so latents cannot stand beside its rows; add "
               "--latents-only",
               file);
}

/// Encodes what `reader` delivers into `sink`; the number of modules encoded.
std::int64_t encode_all(optical::EventReader& reader, const EventEncoder& encoder,
                        const LatentOutput& output, LatentSink& sink) {
    base::Progress progress(encoder.label, reader.event_count().value_or(0), "events");
    std::int64_t dropped = 0, modules = 0;
    while (auto block = reader.next()) {
        const auto admission = admit_events(*block, sink);
        const auto encoded = admission.all_encoded
                                 ? encoder.encode(*block)
                                 : encoder.encode(encoded_events(*block, admission));
        write_block(*block, admission, encoded, encoder.width, sink);
        for (const auto fate : admission.fates) dropped += fate == EventFate::drop ? 1 : 0;
        modules += std::ssize(encoded.id);
        progress.advance(block->size());
    }
    progress.finish();
    if (dropped > 0) {
        base::say("{} events with fewer than {} modules were left out", dropped,
                  output.least_modules());
    }
    return modules;
}

/// Encoding as an array job: shards make parts, the last call writes the output of them.
workflow::ArrayJob array_of(const std::vector<base::Path>& files, const optical::ReadOptions& read,
                            const LatentOutput& output, const EventEncoder& encoder) {
    workflow::ArrayJob array;
    array.output = output.output;
    array.inputs = files;
    array.circumstances = encoder.metadata;
    array.make = [&](const base::Path& folder, const workflow::Shard& shard) {
        const auto events = events_of_shard(files, read, shard);
        const auto first = events.empty() ? 0 : static_cast<std::size_t>(events.front().file);
        optical::EventReader reader(files, read, events);
        require_place_for_latents(reader.layout(), files[first], output);
        LatentPartWriter parts(folder, output, encoder.width);
        encode_all(reader, encoder, output, parts);
        parts.finish();
    };
    array.join = [&](const std::vector<workflow::Part>& parts) {
        const auto existing = workflow::is_one_file(output.output) ? workflow::Existing::overwrite
                                                                   : workflow::Existing::resume;
        LatentWriter writer(files, output, existing, encoder.width, encoder.metadata);
        join_latents(parts, encoder.width, writer);
        return writer.finish();
    };
    return array;
}

}  // namespace

void encode_events(const std::vector<std::string>& inputs, const optical::ReadOptions& read,
                   const LatentOutput& output, const EventEncoder& encoder,
                   const workflow::Job& job) {
    HODO_CHECK(!inputs.empty(), "no input is named; write 'hodo om2vec {} INPUT OUTPUT'", job.verb);
    auto options = read;
    options.truth = optical::TruthReading::no;
    const auto files = optical::event_files(inputs);
    if (job.portion != workflow::Portion::whole) {
        return workflow::run_array(job, array_of(files, options, output, encoder));
    }
    optical::EventReader reader(files, options);
    require_place_for_latents(reader.layout(), files.front(), output);
    LatentWriter writer(files, output, job.existing, encoder.width, encoder.metadata);
    const auto modules = encode_all(reader, encoder, output, writer);
    const auto written = writer.finish();
    base::say("encoded {} modules into {}", base::with_thousands(modules),
              written.size() == 1 ? written.front().string() : output.output);
    if (std::filesystem::is_directory(output.output)) {
        workflow::record_run(output.output, job, files);
    }
}

}  // namespace hodo::om2vec
