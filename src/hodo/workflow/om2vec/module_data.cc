#include "hodo/workflow/om2vec/module_data.hh"

#include "hodo/base/error.hh"
#include "hodo/base/progress.hh"
#include "hodo/base/random.hh"
#include "hodo/detector/optical/chunks.hh"
#include "hodo/detector/optical/files.hh"
#include "hodo/detector/optical/prepared.hh"
#include "hodo/io/parquet.hh"

#include <limits>
#include <list>
#include <map>
#include <mutex>
#include <numeric>

namespace hodo::om2vec {

namespace {

/// Decoded groups kept in memory.
constexpr std::size_t most_bytes_kept = 1'500'000'000;

enum class Kind { prepared, chunk, events };

Kind kind_of(const base::Path& file) {
    if (file.extension() != ".parquet") return Kind::events;
    const auto schema = io::parquet_schema(file);
    if (schema.has("binned_time_counts")) return Kind::chunk;
    if (schema.has("bin") && schema.has("count") && schema.has("time_offset"))
        return Kind::prepared;
    return Kind::events;
}

std::vector<base::Path> files_of(const DataRequest& request) {
    if (request.ranges.empty()) return optical::event_files(request.inputs);
    std::vector<base::Path> files;
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
        const auto& range = request.ranges[i];
        HODO_CHECK(range.size() == 2, "{}: a file range needs two numbers [first, last], not {}",
                   request.inputs[i], range.size());
        const auto some = optical::select_files(request.inputs[i], range[0], range[1]);
        files.insert(files.end(), some.begin(), some.end());
    }
    return files;
}

/// One decoded file: its modules, and which event (of which source) each belongs to.
struct Decoded {
    optical::ModuleCounts counts;
    std::vector<std::int64_t> source, event;

    std::size_t bytes() const {
        return counts.bin.size() * 8 + counts.id.size() * 120 + sizeof(Decoded);
    }
};

Decoded decode_prepared(const base::Path& file, const optical::Binning& binning) {
    const optical::PreparedSet set(std::vector<base::Path>{file});
    optical::require_same_binning(binning, set.header().binning, file.string());
    auto modules = set.read(0);
    return {std::move(modules.counts), std::move(modules.file), std::move(modules.event)};
}

Decoded decode_chunk(const base::Path& file, const optical::Binning& binning) {
    optical::ChunkReader reader(file);
    Decoded all;
    while (const auto some = reader.next()) {
        for (std::int64_t i = 0; i < some->size(); ++i) {
            append_module(all.counts, *some, i);
            all.source.push_back(0);
            all.event.push_back(std::ssize(all.event));
        }
    }
    for (const auto bin : all.counts.bin) {
        HODO_CHECK(bin < binning.width(),
                   "{}: histograms have more than the {} bins of the configuration; set "
                   "data.binning.bins to theirs",
                   file, binning.width());
    }
    return all;
}

Decoded decode_events(const base::Path& file, const DataRequest& request) {
    auto read = request.read;
    read.truth = optical::TruthReading::no;
    const auto zero = optical::TimeZero::parse(request.binning.time_zero);
    if (zero.kind == optical::TimeZero::Kind::trigger) read.trigger = zero.column;
    optical::EventReader reader({file}, read);
    Decoded all;
    while (const auto block = reader.next()) {
        const auto modules =
            bin_photons(*block, request.binning, optical::ModuleOrder::first_appearance);
        std::vector<std::int64_t> hit(static_cast<std::size_t>(block->size()));
        for (const auto event : modules.event) ++hit[static_cast<std::size_t>(event)];
        for (std::int64_t i = 0; i < modules.size(); ++i) {
            const auto event = static_cast<std::size_t>(modules.event[static_cast<std::size_t>(i)]);
            if (hit[event] < request.min_modules) continue;
            append_module(all.counts, modules, i);
            all.source.push_back(0);
            all.event.push_back(block->row[event]);
        }
    }
    return all;
}

}  // namespace

struct ModuleData::Body {
    DataRequest request;
    std::vector<base::Path> files;
    std::vector<Kind> kinds;
    std::vector<std::int64_t> sizes;
    /// Rows of each group that are delivered; empty when all are.
    std::vector<std::vector<std::int32_t>> rows;

    using Entry = std::pair<std::int64_t, std::shared_ptr<const Decoded>>;
    mutable std::mutex mutex;
    mutable std::list<Entry> kept;  ///< Most recently used first.
    mutable std::size_t kept_bytes = 0;

    std::shared_ptr<const Decoded> decode(std::int64_t group) const;
    std::shared_ptr<const Decoded> find(std::int64_t group) const;
    void survey(std::int64_t group);
    bool is_held_out(std::int64_t group, const Decoded& decoded, std::size_t row) const;
};

std::shared_ptr<const Decoded> ModuleData::Body::decode(std::int64_t group) const {
    const auto& file = files[static_cast<std::size_t>(group)];
    switch (kinds[static_cast<std::size_t>(group)]) {
        case Kind::prepared:
            return std::make_shared<const Decoded>(decode_prepared(file, request.binning));
        case Kind::chunk:
            return std::make_shared<const Decoded>(decode_chunk(file, request.binning));
        case Kind::events:
            break;
    }
    return std::make_shared<const Decoded>(decode_events(file, request));
}

std::shared_ptr<const Decoded> ModuleData::Body::find(std::int64_t group) const {
    {
        const std::lock_guard guard(mutex);
        for (auto entry = kept.begin(); entry != kept.end(); ++entry) {
            if (entry->first != group) continue;
            kept.splice(kept.begin(), kept, entry);
            return kept.front().second;
        }
    }
    auto decoded = decode(group);
    const std::lock_guard guard(mutex);
    kept.emplace_front(group, decoded);
    kept_bytes += decoded->bytes();
    while (kept_bytes > most_bytes_kept && kept.size() > 1) {
        kept_bytes -= kept.back().second->bytes();
        kept.pop_back();
    }
    return decoded;
}

bool ModuleData::Body::is_held_out(std::int64_t group, const Decoded& decoded,
                                   std::size_t row) const {
    // Shards share sources, so only the source's number counts there.
    const bool is_shard = kinds[static_cast<std::size_t>(group)] == Kind::prepared;
    const auto source = is_shard ? decoded.source[row] : group;
    const auto name = base::format("hold out {}", source);
    return base::Random(request.seed, name, static_cast<std::uint64_t>(decoded.event[row]))
               .uniform() < request.held_out;
}

void ModuleData::Body::survey(std::int64_t group) {
    const auto g = static_cast<std::size_t>(group);
    const bool all = request.part == Part::all || request.held_out <= 0;
    if (all && request.part == Part::held_out) {
        sizes[g] = 0;
        return;
    }
    if (all && kinds[g] == Kind::chunk) {
        sizes[g] = optical::ChunkReader(files[g]).rows();
        return;
    }
    if (all && kinds[g] == Kind::prepared) {
        const optical::PreparedSet set(std::vector<base::Path>{files[g]});
        optical::require_same_binning(request.binning, set.header().binning, files[g].string());
        sizes[g] = set.modules(0);
        return;
    }
    const auto decoded = find(group);
    sizes[g] = decoded->counts.size();
    if (all) return;
    for (std::size_t row = 0; row < decoded->event.size(); ++row) {
        const bool held_out = is_held_out(group, *decoded, row);
        if (held_out == (request.part == Part::held_out)) {
            rows[g].push_back(static_cast<std::int32_t>(row));
        }
    }
    sizes[g] = std::ssize(rows[g]);
}

ModuleData::ModuleData(const DataRequest& request) : body_(std::make_unique<Body>()) {
    auto& body = *body_;
    body.request = request;
    body.files = files_of(request);
    body.sizes.resize(body.files.size());
    body.rows.resize(body.files.size());
    for (const auto& file : body.files) body.kinds.push_back(kind_of(file));
    base::Progress progress("looking through the data", std::ssize(body.files), "files");
    for (std::int64_t group = 0; group < std::ssize(body.files); ++group) {
        body.survey(group);
        progress.advance();
    }
}

ModuleData::~ModuleData() = default;
ModuleData::ModuleData(ModuleData&&) noexcept = default;

const std::vector<std::int64_t>& ModuleData::groups() const {
    return body_->sizes;
}

std::int64_t ModuleData::size() const {
    return std::accumulate(body_->sizes.begin(), body_->sizes.end(), std::int64_t{0});
}

const std::vector<base::Path>& ModuleData::files() const {
    return body_->files;
}

optical::ModuleCounts ModuleData::load(std::span<const ModuleIndex> modules) const {
    std::map<std::int64_t, std::shared_ptr<const Decoded>> groups;
    optical::ModuleCounts result;
    for (const auto& index : modules) {
        auto& decoded = groups[index.group];
        if (!decoded) decoded = body_->find(index.group);
        const auto& rows = body_->rows[static_cast<std::size_t>(index.group)];
        const auto row = rows.empty() ? index.row : rows[static_cast<std::size_t>(index.row)];
        HODO_CHECK(row < decoded->counts.size(),
                   "{}: has only {} modules now (it had more when the run began); do not change "
                   "data during a run",
                   body_->files[static_cast<std::size_t>(index.group)], decoded->counts.size());
        append_module(result, decoded->counts, row);
    }
    return result;
}

void append_module(optical::ModuleCounts& to, const optical::ModuleCounts& from,
                   std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    to.event.push_back(from.event[i]);
    to.id.push_back(from.id[i]);
    to.position.push_back(from.position[i]);
    to.time_offset.push_back(from.time_offset[i]);
    to.hits.push_back(from.hits[i]);
    const auto begin = static_cast<std::ptrdiff_t>(from.offsets[i]);
    const auto end = static_cast<std::ptrdiff_t>(from.offsets[i + 1]);
    to.bin.insert(to.bin.end(), from.bin.begin() + begin, from.bin.begin() + end);
    to.count.insert(to.count.end(), from.count.begin() + begin, from.count.begin() + end);
    to.offsets.push_back(std::ssize(to.bin));
}

}  // namespace hodo::om2vec
