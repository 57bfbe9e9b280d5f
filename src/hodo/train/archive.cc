#include "hodo/train/archive.hh"

#include <map>
#include <optional>
#include <set>

#include <ATen/core/grad_mode.h>

#include "hodo/base/error.hh"
#include "hodo/io/weights.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/tensor/view.hh"

namespace hodo::train {

namespace {

/// Stands for an undefined tensor: a name cannot hold this mark by itself.
constexpr std::string_view undefined_mark = " (undefined)";

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::vector<std::string> sizes;
    for (const auto size : shape) sizes.push_back(std::to_string(size));
    return "[" + base::join(sizes, ", ") + "]";
}

}  // namespace

struct Archive::Body {
    bool saving = true;
    std::string origin = "state in memory";
    io::Json metadata = io::Json::object();
    std::string prefix;
    // Saved values in the order they were named; when loading from memory the same.
    io::NamedArrays arrays;
    std::map<std::string, std::size_t, std::less<>> index;
    // Loading from a file.
    std::optional<io::WeightFile> file;
    std::set<std::string, std::less<>> asked;

    std::string full(std::string_view name) const { return prefix + std::string(name); }
    bool holds(const std::string& name) const {
        return file ? file->has(name) : index.contains(name);
    }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        if (file) {
            for (const auto& entry : file->entries()) all.push_back(entry.name);
        } else {
            for (const auto& array : arrays) all.push_back(array.name);
        }
        return all;
    }
    io::Array fetch(const std::string& name) {
        if (!holds(name)) {
            base::fail(
                "{}: the state has no value '{}' (it was written with other options or "
                "another version); start a new run",
                origin, name);
        }
        asked.insert(name);
        return file ? file->get(name) : arrays[index.at(name)].array;
    }
};

Archive::Archive(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Archive::~Archive() = default;
Archive::Archive(Archive&&) noexcept = default;
Archive& Archive::operator=(Archive&&) noexcept = default;

Archive Archive::to_save() {
    return Archive(std::make_unique<Body>());
}

Archive Archive::read(const base::Path& file) {
    auto body = std::make_unique<Body>();
    body->saving = false;
    body->origin = file.string();
    body->file = io::WeightFile::open(file);
    body->metadata = body->file->metadata();
    return Archive(std::move(body));
}

Archive Archive::to_load(const Archive& saved) {
    HODO_DOOR(saved.saving());
    auto body = std::make_unique<Body>();
    body->saving = false;
    body->arrays = saved.body_->arrays;
    body->index = saved.body_->index;
    return Archive(std::move(body));
}

bool Archive::saving() const {
    return body_->saving;
}

void Archive::put(std::string_view name, io::Array array) {
    HODO_DOOR(body_->saving);
    auto full = body_->full(name);
    if (!body_->index.emplace(full, body_->arrays.size()).second) {
        throw base::Defect(base::format("the state names '{}' twice", full));
    }
    body_->arrays.push_back({std::move(full), std::move(array)});
}

io::Array Archive::get(std::string_view name, io::DType type, Rank rank) {
    const auto full = body_->full(name);
    auto array = body_->fetch(full);
    const std::size_t dimensions = rank == Rank::scalar ? 0 : 1;
    HODO_CHECK(array.dtype == type && array.shape.size() == dimensions,
               "{}: '{}' is stored as {} of shape {}, but {} with {} dimensions is expected; start "
               "a new run",
               body_->origin, full, io::name(array.dtype), shape_text(array.shape), io::name(type),
               dimensions);
    return array;
}

void Archive::operator()(std::string_view name, at::Tensor& value) {
    const auto absent = std::string(name) + std::string(undefined_mark);
    if (saving()) {
        if (!value.defined()) {
            put(absent, io::make_array(std::vector<std::uint8_t>{}));
        } else {
            // A copy: the tensor may change before the archive is written.
            put(name,
                tensor::to_array(value.detach().to(at::kCPU, value.scalar_type(), false, true)));
        }
        return;
    }
    const auto full = body_->full(name);
    if (body_->holds(body_->full(absent))) {
        body_->asked.insert(body_->full(absent));
        value = at::Tensor();
        return;
    }
    const auto stored = tensor::from_array(body_->fetch(full));
    if (!value.defined()) {
        value = stored.clone();
        return;
    }
    HODO_CHECK(stored.sizes() == value.sizes() && stored.scalar_type() == value.scalar_type(),
               "{}: '{}' is stored as {} {}, but {} {} is expected (the network has other "
               "options); start a new run",
               body_->origin, full, c10::toString(stored.scalar_type()),
               shape_text(stored.sizes().vec()), c10::toString(value.scalar_type()),
               shape_text(value.sizes().vec()));
    const at::NoGradGuard no_gradients;
    value.copy_(stored);
}

void Archive::operator()(std::string_view name, std::vector<at::Tensor>& values) {
    auto count = static_cast<std::int64_t>(values.size());
    (*this)(base::format("{}.count", name), count);
    values.resize(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) {
        (*this)(base::format("{}.{}", name, i), values[i]);
    }
}

void Archive::operator()(std::string_view name, std::string& value) {
    std::vector<std::uint8_t> bytes(value.begin(), value.end());
    (*this)(name, bytes);
    value.assign(bytes.begin(), bytes.end());
}

void Archive::operator()(std::string_view name, std::vector<std::string>& values) {
    auto count = static_cast<std::int64_t>(values.size());
    (*this)(base::format("{}.count", name), count);
    values.resize(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) {
        (*this)(base::format("{}.{}", name, i), values[i]);
    }
}

std::size_t Archive::begin_group(std::string_view name) {
    const auto length = body_->prefix.size();
    body_->prefix.append(name).push_back('.');
    return length;
}

void Archive::end_group(std::size_t length) {
    body_->prefix.resize(length);
}

bool Archive::has(std::string_view name) const {
    const auto full = body_->full(name);
    if (body_->holds(full)) return true;
    const auto all = body_->names();
    return std::any_of(all.begin(), all.end(),
                       [&](const std::string& known) { return known.starts_with(full + "."); });
}

void Archive::finish() const {
    HODO_DOOR(loading());
    for (const auto& name : body_->names()) {
        HODO_CHECK(body_->asked.contains(name),
                   "{}: the state holds '{}', which this run has no place for (it was written with "
                   "other options or another version); start a new run",
                   body_->origin, name);
    }
}

const io::Json& Archive::metadata() const {
    return body_->metadata;
}

void Archive::write(const base::Path& file, const io::Json& metadata) const {
    HODO_DOOR(saving());
    io::write_weights(file, body_->arrays, metadata);
}

}  // namespace hodo::train
