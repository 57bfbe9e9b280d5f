#include "hodo/io/weights.hh"

#include "hodo/base/error.hh"
#include "hodo/io/detail/weight_body.hh"
#include "hodo/io/zip.hh"

namespace hodo::io {

namespace {

/// Refuses files of other kinds that people take for weight files.
void refuse_strangers(std::string_view content, std::string_view origin) {
    HODO_CHECK(!content.empty(), "{}: is empty; copy or write it again", origin);
    HODO_CHECK(!content.starts_with("\x1f\x8b"),
               "{}: is compressed with gzip (weights are read in place); unpack it with gunzip",
               origin);
    HODO_CHECK(!content.starts_with("version https://git-lfs"),
               "{}: is a pointer to a file kept elsewhere; fetch the file with 'git lfs pull'",
               origin);
}

/// Whether the content begins as safetensors do: a header length below 4 GB, then an object. It is
/// asked first, because the low bytes of that length can look like the mark of any other kind.
bool begins_as_safetensors(std::string_view content) {
    return content.size() > 8 && content.substr(4, 4) == std::string_view("\0\0\0\0", 4) &&
           content[8] == '{';
}

/// The file's reader, by its first bytes.
WeightBody read_body(const Blob& blob, std::string_view origin, WeightChoice choice) {
    const auto content = blob.text();
    if (begins_as_safetensors(content)) return read_safetensors(blob, origin);
    refuse_strangers(content, origin);
    if (content.starts_with("PK")) {
        const auto archive = ZipReader::parse(blob, origin);
        for (const auto& member : archive.members()) {
            const bool is_pickle = member.name == "data.pkl" || member.name.ends_with("/data.pkl");
            if (is_pickle) return read_pytorch(archive, choice);
        }
        return read_npz_weights(archive);
    }
    if (content.starts_with("\x80")) return read_pytorch_legacy(blob, origin, choice);
    base::fail("{}: is neither a PyTorch nor a safetensors nor an npz file; name a file of these",
               origin);
}

void require_last(const WeightBody& body, std::string_view origin, WeightChoice choice) {
    const bool has_choice = body.format == "pytorch" || body.format == "pytorch-legacy";
    HODO_CHECK(has_choice || choice == WeightChoice::automatic || choice == WeightChoice::last,
               "{}: a {} file holds one set of weights only, no {} weights; leave out the choice",
               origin, body.format, names(choice)[static_cast<std::size_t>(choice)]);
}

}  // namespace

void WeightBody::add(WeightFile::Entry entry, std::function<Array()> loader) {
    HODO_CHECK(index.emplace(entry.name, entries.size()).second,
               "{}: holds two tensors called '{}' (which one is meant is unclear); write it again",
               path, entry.name);
    entries.push_back(std::move(entry));
    loaders.push_back(std::move(loader));
}

const Array& OptimizerSlot::moment(std::string_view name) const {
    return find(moments, name, base::format("optimizer state of parameter {}", parameter));
}

WeightFile WeightFile::open(const base::Path& file, WeightChoice choice) {
    return parse(map_file(file), file.string(), choice);
}

WeightFile WeightFile::parse(Blob content, std::string_view origin, WeightChoice choice) {
    auto body = std::make_shared<WeightBody>(read_body(content, origin, choice));
    body->path = origin;
    require_last(*body, origin, choice);
    WeightFile file;
    file.body_ = std::move(body);
    return file;
}

std::string_view WeightFile::format() const {
    return body_->format;
}

const base::Path& WeightFile::path() const {
    return body_->path;
}

const std::vector<WeightFile::Entry>& WeightFile::entries() const {
    return body_->entries;
}

bool WeightFile::has(std::string_view name) const {
    return body_->index.contains(name);
}

Array WeightFile::get(std::string_view name) const {
    const auto found = body_->index.find(name);
    if (found != body_->index.end()) return body_->loaders[found->second]();
    std::vector<std::string> known;
    for (const auto& entry : entries()) known.push_back(entry.name);
    base::fail("{}: has no tensor '{}'{}; 'hodo weights list' shows the {} that it has", path(),
               name, base::did_you_mean(name, known), known.size());
}

NamedArrays WeightFile::all() const {
    NamedArrays arrays;
    for (std::size_t i = 0; i < entries().size(); ++i) {
        arrays.push_back({entries()[i].name, body_->loaders[i]()});
    }
    return arrays;
}

const Json& WeightFile::metadata() const {
    return body_->metadata;
}

std::size_t WeightFile::optimizer_count() const {
    return body_->optimizers.size();
}

OptimizerState WeightFile::optimizer(std::size_t index) const {
    HODO_CHECK(index < optimizer_count(),
               "{}: holds the state of {} optimizers, so there is no number {} (needed to resume); "
               "use a checkpoint that holds it",
               path(), optimizer_count(), index);
    return body_->optimizers[index]();
}

}  // namespace hodo::io
